// What the controller's tests share: a controller on doubles under a virtual clock, with the real engine or a scripted one.

import { Controller } from '../../src/controller/controller.ts';
import { encodeDeclared } from '../../src/controller/declared.ts';
import type { ControllerOptions, Engine } from '../../src/controller/deps.ts';
import { type Decision, type DecisionInput, decide, lookFor, type State } from '../../src/core/engine/index.ts';
import type { Command, Verb } from '../../src/core/model/command.ts';
import type { ReleasePolicy } from '../../src/core/model/policy.ts';
import type { Log, LogFields } from '../../src/lib/log.ts';
import {
  FakeGates,
  FakeMetricSource,
  FakeNotifier,
  FakeRouter,
  FakeWorkload,
  MemoryStore,
  SeededRandomness,
  samplePolicy,
  sampleVersion,
  VirtualClock,
} from '../../src/ports/doubles/index.ts';

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

export const REAL_ENGINE: Engine = { decide, lookFor };

/** An engine that looks for nothing and decides what it is told. */
export function scripted(decideNow: (input: DecisionInput) => Partial<Decision>): Engine {
  return {
    lookFor: () => ({ measure: null, history: null, gates: [] }),
    decide: (input) => decisionFrom(input, decideNow(input)),
  };
}

export function decisionFrom({ state, observation }: DecisionInput, part: Partial<Decision>): Decision {
  return {
    effects: [],
    conditions: [],
    because: 'scripted',
    next: { what: 'nothing', inMs: null, unless: null },
    can: [],
    answers: [],
    events: [],
    changed: [],
    lookAgainMs: 1_000,
    ...part,
    state: { ...(part.state ?? state), clock: observation.now },
  };
}

/** A state that differs from this one. */
export function changedState(state: State): State {
  return { ...state, releases: state.releases + 1 };
}

export class Trial {
  readonly clock = new VirtualClock();
  readonly store = new MemoryStore();
  readonly workload = new FakeWorkload();
  readonly router = new FakeRouter();
  readonly metrics = new FakeMetricSource();
  readonly gates = new FakeGates();
  readonly notifier = new FakeNotifier();
  readonly random = new SeededRandomness(3);
  readonly lines: LogLine[] = [];
  readonly log = recordingLog(this.lines);
  controller: Controller;
  readonly #engine: Engine;
  readonly #options: Partial<ControllerOptions>;

  constructor(engine: Engine = REAL_ENGINE, options: Partial<ControllerOptions> = {}) {
    this.#engine = engine;
    this.#options = options;
    this.controller = this.#makeController();
  }

  async start(...policies: readonly ReleasePolicy[]): Promise<void> {
    for (const policy of policies) await this.declare(policy, 'v1');
    await this.controller.start();
    await this.clock.advance(0);
  }

  async declare(policy: ReleasePolicy, label: string): Promise<void> {
    await this.store.declare(policy.name, encodeDeclared(policy, sampleVersion(label)));
  }

  /** The agent stops and another takes over, with the same store and the same world. */
  async restart(): Promise<void> {
    await this.controller.stop();
    this.controller = this.#makeController();
    await this.controller.start();
    await this.clock.advance(0);
  }

  count(message: string): number {
    return this.lines.filter((line) => line.message === message).length;
  }

  #makeController(): Controller {
    const { clock, store, workload, router, metrics, gates, notifier, random, log } = this;
    const deps = { engine: this.#engine, clock, store, workload, router, metrics, gates, notifier, random, log };
    return new Controller(deps, this.#options);
  }
}

/** A policy of its own place, so that many can be tried at once. */
export function policyNamed(name: string, overrides: Partial<ReleasePolicy> = {}): ReleasePolicy {
  return samplePolicy(name, overrides);
}

export function commandOf(verb: Verb, policy = 'shop', id = `command-${verb}`): Command {
  return {
    id,
    verb,
    policy,
    release: null,
    actor: 'ada',
    reason: 'because',
    skipAnalysis: false,
    gate: null,
    revision: null,
    wallTime: '2026-01-01T00:00:00.000Z',
  };
}

function recordingLog(lines: LogLine[]): Log {
  const say =
    (level: string) =>
    (message: string, fields: LogFields = {}) => {
      lines.push({ level, message, fields });
    };
  const log: Log = {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    with: () => log,
  };
  return log;
}
