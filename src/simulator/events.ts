// What people, GitOps and the world itself do in a run, at their times or when a release reaches a phase.
import { encodeCommand, encodeDeclared } from '../controller/index.ts';
import { type State, underWay } from '../core/engine/state.ts';
import type { Command } from '../core/model/command.ts';
import type { ReleasePolicy } from '../core/model/policy.ts';
import type { Random } from '../core/statistics/index.ts';
import type { Monitor } from './invariants/monitor.ts';
import { sampleVersion } from './sample-policy.ts';
import type { Happening, Planned, Scenario } from './scenario.ts';
import type { Scheduler } from './scheduler.ts';
import type { ClockWorld } from './world/clock.ts';
import type { Service } from './world/service.ts';
import type { StoreWorld } from './world/store.ts';

export interface Events {
  begin(): void;
  /** Planned troubles do not happen any more; people and GitOps go on. */
  calm(): void;
  /** Nothing planned happens any more. */
  end(): void;
  /** A state was recorded. */
  seen(policy: string, state: State | null): void;
  /** A fault struck; counted against the phase it struck in. */
  struck(kind: string): void;
  /** "phase x fault kind" -> how often. */
  readonly struckIn: ReadonlyMap<string, number>;
  happen(service: number, what: Happening): void;
}

export interface EventsOptions {
  readonly scenario: Scenario;
  readonly scheduler: Scheduler;
  readonly services: readonly Service[];
  readonly store: StoreWorld;
  readonly clock: ClockWorld;
  readonly monitor: Monitor;
  readonly random: Random;
  readonly note: (what: string) => void;
  readonly kill: () => void;
  /** Hands a command to the controller itself, as the agent does when the store has no room; false if there is none. */
  readonly takeUnstored: (command: Command) => boolean;
  readonly struck: (kind: string) => void;
}

export function phaseOf(state: State | null): string {
  const release = state === null ? null : underWay(state);
  return release === null ? 'at rest' : release.phase.kind;
}

export function createEvents(options: EventsOptions): Events {
  const { scenario, scheduler, note } = options;
  const waiting = new Set<Planned>(scenario.plan.filter((planned) => !('atMs' in planned.when)));
  const struckIn = new Map<string, number>();
  const declared = scenario.services.map((spec) => ({ policy: spec.policy, version: spec.firstVersion }));
  let commands = 0;
  let isCalm = false;
  let ended = false;

  function happen(index: number, what: Happening): void {
    const service = options.services[index];
    const current = declared[index];
    if (service === undefined || current === undefined) throw new Error(`no service ${index}`);
    note(`${service.spec.policy}: ${describe(what)}`);
    HAPPEN[what.kind]({ ...options, service, current, nextId: () => `command-${++commands}` }, what as never);
    if (isFault(what)) {
      options.struck(what.kind);
      events.struck(what.kind);
    }
  }

  function happenAsPlanned({ service, what }: Planned): void {
    if (!ended && !(isCalm && isFault(what))) happen(service, what);
  }

  function release(planned: Planned, state: State): boolean {
    const { when } = planned;
    if ('atMs' in when || state.release === null) return false;
    const { phase, number } = state.release;
    if (number !== when.release || phase.kind !== when.phase) return false;
    return when.stage === undefined || (phase.kind === 'testing' && phase.stage === when.stage);
  }

  const events: Events = {
    struckIn,
    happen,
    calm() {
      isCalm = true;
    },
    end() {
      ended = true;
      waiting.clear();
    },
    begin() {
      for (const [index, { policy, unreadable }] of scenario.services.entries()) {
        if (unreadable === true) void options.store.port.declare(policy.name, '{"policy":');
        else declare(options.store, declared[index]);
      }
      for (const planned of scenario.plan) {
        const { when } = planned;
        if ('atMs' in when) scheduler.at(when.atMs, () => happenAsPlanned(planned));
      }
    },
    seen(policy, state) {
      if (state === null || waiting.size === 0) return;
      for (const planned of waiting) {
        if (scenario.services[planned.service]?.policy.name !== policy || !release(planned, state)) continue;
        waiting.delete(planned);
        const afterMs = 'afterMs' in planned.when ? planned.when.afterMs : 0;
        scheduler.after(afterMs, () => happenAsPlanned(planned));
      }
    },
    struck(kind) {
      for (const book of options.monitor.books.values()) {
        const key = `${phaseOf(book.state)}|${kind}`;
        struckIn.set(key, (struckIn.get(key) ?? 0) + 1);
      }
    },
  };
  return events;
}

interface Scene extends EventsOptions {
  readonly service: Service;
  readonly current: { policy: ReleasePolicy; version: string };
  readonly nextId: () => string;
}

type Handlers = {
  readonly [K in Happening['kind']]: (scene: Scene, what: Extract<Happening, { kind: K }>) => void;
};

const HAPPEN: Handlers = {
  declare: (scene, { version }) => {
    const book = scene.monitor.books.get(scene.current.policy.name);
    if (book !== undefined) book.withdrawn = false;
    scene.current.version = version;
    declare(scene.store, scene.current);
  },
  'change-policy': (scene, { patch }) => {
    scene.current.policy = { ...scene.current.policy, ...patch };
    const book = scene.monitor.books.get(scene.current.policy.name);
    if (book !== undefined) book.policyNow = scene.current.policy;
    declare(scene.store, scene.current);
  },
  withdraw: (scene) => {
    const book = scene.monitor.books.get(scene.current.policy.name);
    if (book !== undefined) book.withdrawn = true;
    void scene.store.port.withdraw(scene.current.policy.name);
  },
  command: (scene, what) => {
    const id = scene.nextId();
    const command: Command = {
      id,
      verb: what.verb,
      policy: scene.current.policy.name,
      release: null,
      actor: what.actor ?? 'ada',
      reason: what.reason === undefined ? 'because' : what.reason,
      skipAnalysis: what.skipAnalysis ?? false,
      gate: null,
      revision: null,
      wallTime: scene.clock.wallTime(),
    };
    if (scene.store.full) {
      // A full disk takes no command; those that only take away are handed over all the same (I3).
      if (what.verb === 'abort' || what.verb === 'pause') scene.takeUnstored(command);
      return;
    }
    for (let time = 0; time < (what.times ?? 1); time++) {
      void scene.store.port.addCommand({ id, policy: command.policy, document: encodeCommand(command) });
    }
  },
  'crash-replicas': (scene, { version, all }) => scene.service.replicas.crash(version, all),
  'edit-split': (scene, { version, weightPercent }) => {
    const applied = scene.service.plane.instances[0]?.applied;
    const other = applied?.split.weights.find((entry) => entry.revision !== version);
    if (applied == null || other === undefined) return;
    scene.service.plane.edit({
      ...applied.split,
      weights: [
        { revision: other.revision, weightPercent: 100 - weightPercent },
        { revision: version, weightPercent },
      ],
    });
  },
  'metric-trouble': (scene, { trouble }) => {
    scene.service.metricTrouble = trouble;
  },
  'reset-counters': (scene) => scene.service.plane.resetCounters(),
  'refuse-splits': (scene, { refuses }) => {
    scene.service.refusesSplits = refuses;
  },
  'store-full': (scene, { full }) => {
    scene.store.full = full;
  },
  overtake: (scene) => scene.store.overtake(scene.current.policy.name),
  'step-wall': (scene, { byMs }) => scene.clock.stepWall(byMs),
  reboot: (scene) => {
    scene.clock.reboot();
    scene.kill();
  },
  'kill-controller': (scene) => scene.kill(),
};

function declare(store: StoreWorld, current: { policy: ReleasePolicy; version: string } | undefined): void {
  if (current === undefined) return;
  void store.port.declare(current.policy.name, encodeDeclared(current.policy, sampleVersion(current.version)));
}

function isFault(what: Happening): boolean {
  return what.kind !== 'declare' && what.kind !== 'command' && what.kind !== 'change-policy';
}

function describe(what: Happening): string {
  const { kind, ...rest } = what;
  return `${kind} ${Object.values(rest).join(' ')}`;
}
