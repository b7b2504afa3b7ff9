// The perfect world around the engine: stable is trusted and serves, every replica asked for is ready at once, every
// split asked for is in use at once, nothing drains. Refuses faults: those are the simulator's.
import { initialState, type State } from '../engine/index.ts';
import type { Effect } from '../model/effect.ts';
import type { Observed, RouterObservation, VersionObservation, WorkloadObservation } from '../model/observed.ts';
import type { ReleasePolicy } from '../model/policy.ts';
import { type Split, weightOf } from '../model/split.ts';
import type { Instant } from '../model/time.ts';
import type { Version } from '../model/version.ts';
import type { Arms } from './windows.ts';

export const ARMS: Arms = { stable: 'stable', canary: 'canary' };
const ENDPOINTS = { stable: [{ host: '127.0.0.1', port: 1 }], canary: [{ host: '127.0.0.1', port: 2 }] } as const;

function versionOf(revision: keyof typeof ENDPOINTS): Version {
  return { revision, label: revision, template: { kind: 'upstreams', endpoints: ENDPOINTS[revision] } };
}

export const STABLE = versionOf('stable');
export const CANARY = versionOf('canary');

/** No one reads it: a rehearsal has no calendar. */
const WALL_TIME = '2000-01-01T00:00:00.000Z';

export function instant(ms: number): Instant {
  return { monotonicMs: ms, epoch: 'rehearsal', wallTime: WALL_TIME };
}

/** Stable has served and is trusted; nothing is under way. */
export function trustedState(policy: string): State {
  return {
    ...initialState(policy, instant(0)),
    stable: STABLE,
    asked: [{ revision: ARMS.stable, weightPercent: 100 }],
    isInUse: true,
  };
}

export interface StageSet {
  /** Weight the canary has now. */
  readonly weightPercent: number;
  workload(nowMs: number, isCanaryReady: boolean): Observed<WorkloadObservation>;
  router(): Observed<RouterObservation>;
  /** True if it changed anything that is seen. */
  perform(effects: readonly Effect[], nowMs: number): boolean;
}

interface Sized {
  readonly replicas: number;
  /** Of the youngest replica: warm-up is counted from it. */
  readonly readyAtMs: number;
}

export function createStageSet(policy: ReleasePolicy): StageSet {
  const base = policy.workload.kind === 'processes' ? policy.workload.replicas : 1;
  const sizes = new Map<string, Sized>([[ARMS.stable, { replicas: base, readyAtMs: Number.NEGATIVE_INFINITY }]]);
  let split: Split = {
    weights: [{ revision: ARMS.stable, weightPercent: 100 }],
    rules: [],
    salt: '',
    userKey: policy.userKey,
    affinity: policy.affinity,
  };
  let router = routerOf(split);

  function size(revision: string, replicas: number, nowMs: number): boolean {
    const before = sizes.get(revision);
    if (before?.replicas === replicas) return false;
    const isGrown = before === undefined || replicas > before.replicas;
    sizes.set(revision, { replicas, readyAtMs: isGrown ? nowMs : before.readyAtMs });
    return true;
  }

  return {
    get weightPercent() {
      return weightOf(split, ARMS.canary);
    },
    workload(nowMs, isCanaryReady) {
      const versions: VersionObservation[] = [];
      for (const [revision, sized] of sizes) {
        versions.push(seenVersion(revision, sized, { nowMs, isReady: revision === ARMS.stable || isCanaryReady }));
      }
      return { kind: 'seen', value: { versions } };
    },
    router: () => router,
    perform(effects, nowMs) {
      let changed = false;
      for (const effect of effects) {
        if (effect.kind === 'ensureWorkload') {
          for (const { version, replicas } of effect.wanted) {
            changed = size(version.revision, replicas, nowMs) || changed;
          }
        } else if (effect.kind === 'ensureSplit') {
          split = effect.split;
          router = routerOf(split);
          changed = true;
        }
      }
      return changed;
    },
  };
}

function seenVersion(
  revision: string,
  { replicas, readyAtMs }: Sized,
  { nowMs, isReady }: { readonly nowMs: number; readonly isReady: boolean },
): VersionObservation {
  return {
    revision,
    label: revision,
    wanted: replicas,
    running: replicas,
    ready: isReady ? replicas : 0,
    endpoints: isReady ? ENDPOINTS[revision === ARMS.stable ? 'stable' : 'canary'] : [],
    // Stable has been there for ever; forty years are as good.
    readyForMs: Math.min(nowMs - readyAtMs, 1e12),
    restarts: 0,
    trouble: isReady ? null : 'it ended by itself',
  };
}

function routerOf(split: Split): Observed<RouterObservation> {
  return {
    kind: 'seen',
    value: {
      state: 'converged',
      reason: '',
      split,
      endpoints: ENDPOINTS,
      healthy: { stable: 1, canary: 1 },
      inFlight: {},
      instances: ['rehearsal'],
    },
  };
}
