// The same release once by rehearsal, once by the shipped controller with its loop, its records and its ports under the
// simulator's virtual time: both have to write the very same journal and state, byte for byte, at the same moments. This
// is what entitles the benchmark to rehearse. Refuses faults: those are the simulator's own business.
import {
  Controller,
  type ControllerDeps,
  DEFAULT_OPTIONS,
  encodeBody,
  encodeDeclared,
  withClock,
} from '../../src/controller/index.ts';
import { decide, lookFor, type State } from '../../src/core/engine/index.ts';
import type { Observed } from '../../src/core/model/observed.ts';
import { type RehearsalInput, rehearse } from '../../src/core/rehearsal/index.ts';
import { historyOf } from '../../src/core/rehearsal/past.ts';
import {
  ARMS,
  CANARY,
  createStageSet,
  instant,
  type StageSet,
  trustedState,
} from '../../src/core/rehearsal/stage-set.ts';
import { createWindows, type Windows } from '../../src/core/rehearsal/windows.ts';
import { hashOf } from '../../src/lib/canonical.ts';
import { silentLog } from '../../src/lib/log.ts';
import { createScheduler, type Scheduler } from '../../src/simulator/scheduler.ts';
import { createLife, NO_FAULTS } from '../../src/simulator/wire.ts';
import { createStoreWorld } from '../../src/simulator/world/store.ts';

/** One line for each journal entry, then the state as it was recorded with it. */
export type Transcript = readonly string[];

export function rehearsedTranscript(input: RehearsalInput): Transcript {
  const lines: string[] = [];
  rehearse({
    ...input,
    decided({ events, because, state }, atMs) {
      if (events.length === 0) return;
      for (const { kind, sentence, details } of events) {
        lines.push(`${atMs} ${JSON.stringify({ kind, sentence, because, details })}`);
      }
      lines.push(`${atMs} ${withClock(encodeBody(state), state.clock)}`);
    },
  });
  return lines;
}

export async function controlledTranscript(input: RehearsalInput): Promise<Transcript> {
  const { policy, horizonMs } = input;
  const scheduler = createScheduler();
  const lines: string[] = [];
  let isDecided = false;
  const store = createStoreWorld({
    wallTime: () => instant(0).wallTime,
    keepJournal: 10,
    recordedChange({ journal, state }) {
      if (journal.length === 0 || isDecided) return;
      for (const { document } of journal) lines.push(`${scheduler.nowMs} ${document}`);
      lines.push(`${scheduler.nowMs} ${state}`);
      const { release } = JSON.parse(state) as State;
      isDecided = release !== null && release.phase.kind !== 'starting' && release.phase.kind !== 'testing';
    },
  });
  const trusted = trustedState(policy.name);
  await store.port.record({
    policy: policy.name,
    expectedVersion: 0,
    state: withClock(encodeBody(trusted), trusted.clock),
    journal: [],
    releases: [],
    answers: [],
    keepReleases: 1,
  });
  await store.port.declare(policy.name, encodeDeclared(policy, CANARY));
  const controller = new Controller(depsOf(input, scheduler, store.port), { ...DEFAULT_OPTIONS, quietMs: 0 });
  controller.start().catch((error: unknown) => lines.push(`the controller did not start: ${String(error)}`));
  scheduler.stir();
  await scheduler.run(horizonMs - 1, () => isDecided);
  // A rehearsal names the policy's content by the policy's name.
  return lines.map((line) => line.replaceAll(hashOf(policy), policy.name));
}

function depsOf(input: RehearsalInput, scheduler: Scheduler, store: ControllerDeps['store']): ControllerDeps {
  const { policy, truth, past } = input;
  const life = createLife({
    number: 1,
    scheduler,
    plan: NO_FAULTS,
    count: () => 0,
    note: () => {},
    died: () => {},
  });
  const stageSet = createStageSet(policy);
  const windows = createWindows({ truth, arms: ARMS, lagMs: input.metricsLagMs ?? 0 });
  return {
    engine: { decide, lookFor },
    store,
    ...worldOf(input, { scheduler, stageSet, windows }),
    metrics: {
      measure: async ({ checks, cursor }) => windows.measure(scheduler.nowMs, checks, cursor === null),
      history: async ({ checks }) => historyOf(checks, past, ARMS.stable) ?? { readings: {} },
    },
    gates: { run: async () => {}, answer: async () => ({ status: 'pending', message: '' }), watch: () => () => {} },
    notifier: { notify: async () => {} },
    clock: { now: () => instant(scheduler.nowMs), sleep: (ms, signal) => life.sleep(ms, signal) },
    random: { id: () => policy.name, fraction: () => 0 },
    log: silentLog,
  };
}

interface Scene {
  readonly scheduler: Scheduler;
  readonly stageSet: StageSet;
  readonly windows: Windows;
}

/** What is asked is there at once, and whoever watches is told. */
function worldOf({ truth }: RehearsalInput, scene: Scene): Pick<ControllerDeps, 'workload' | 'router'> {
  const { scheduler, stageSet, windows } = scene;
  const watchers = new Set<() => void>();
  const watch = (_policy: unknown, changed: () => void): (() => void) => {
    watchers.add(changed);
    return () => watchers.delete(changed);
  };
  const perform = (effects: Parameters<StageSet['perform']>[0]): void => {
    const isChanged = stageSet.perform(effects, scheduler.nowMs);
    windows.setWeight(scheduler.nowMs, stageSet.weightPercent);
    if (isChanged) for (const changed of watchers) changed();
  };
  const isReady = (): boolean => truth.canaryReady?.(scheduler.nowMs / 1000) ?? true;
  return {
    workload: {
      observe: async () => theValue(stageSet.workload(scheduler.nowMs, isReady())),
      ensure: async (_policy, wanted) => perform([{ kind: 'ensureWorkload', wanted }]),
      retire: async () => {},
      watch,
    },
    router: {
      capabilities: {
        weightStepPercent: 0.01,
        headerMatch: true,
        cookieMatch: true,
        affinity: true,
        userBuckets: true,
      },
      ensure: async (_policy, split, backends) => {
        perform([{ kind: 'ensureSplit', split, backends }]);
        return { kind: 'converged' };
      },
      observe: async () => theValue(stageSet.router()),
      inFlight: async () => ({}),
      watch,
    },
  };
}

function theValue<T>(observed: Observed<T>): T {
  if (observed.kind === 'error') throw new Error(observed.message);
  return observed.value;
}

/** Null if both are the same; else the first line that differs, both ways. */
export async function firstDifference(make: () => RehearsalInput): Promise<string | null> {
  const rehearsed = rehearsedTranscript(make());
  const controlled = await controlledTranscript(make());
  for (let i = 0; i < Math.max(rehearsed.length, controlled.length); i++) {
    if (rehearsed[i] !== controlled[i]) return `rehearsed: ${rehearsed[i]}\ncontrolled: ${controlled[i]}`;
  }
  return null;
}
