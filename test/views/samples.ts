// Views of real decisions in the small obedient world, for goldens and for the pictures in the documents.
import type { Check } from '../../src/core/model/index.ts';
import { gatewayRouterOf } from '../../src/core/model/place.ts';
import {
  buildView,
  type LiveTraffic,
  type LogLine,
  type ReleaseView,
  type ViewInput,
} from '../../src/core/views/index.ts';
import { policy, stableWorld, version, type World } from '../engine/world.ts';

const everything = { routes: null, methods: null };

const errors: Check = {
  name: 'errors',
  metric: { kind: 'errors' },
  selector: everything,
  role: 'required',
  tolerance: { ratio: 1.1, margin: 0.005, harmMargin: 0, atDeadline: null, bucketShift: 0 },
  limit: null,
  direction: 'increase',
  weight: 5,
  warmUpMs: 0,
  noDataMs: 60_000,
  clusterCap: 1,
  rule: null,
};

const orders: Check = { ...errors, name: 'orders', role: 'guardrail', weight: 2, noDataMs: 30_000 };

export const samplePolicy = policy({
  name: 'checkout',
  checks: [errors, orders],
  router: { ...gatewayRouterOf(policy()), listen: { host: '127.0.0.1', port: 8080 } },
  ramp: {
    kind: 'stages',
    stages: [1, 5, 25, 50].map((weightPercent) => ({
      weightPercent,
      bakeMs: 240_000,
      checks: ['errors'],
      gates: [],
      advance: 'exposure',
    })),
  },
});

export function sampleWorld(seed = 1): World {
  const world = stableWorld(samplePolicy, seed);
  world.requestsPerSecond = 200;
  world.declared = version('v2');
  return world;
}

/** What the controller and the server would hand to the view after the world's last step. */
export function inputOf(world: World, live: LiveTraffic | null = null): ViewInput {
  const { last, state } = world;
  if (last === null) throw new Error('nothing was decided yet');
  const versions = [...world.running.values()].map(({ version: running, wanted }) => ({
    revision: running.revision,
    label: running.label,
    wanted,
    running: wanted,
    ready: wanted,
    endpoints: [],
    readyForMs: 60_000,
    restarts: 0,
    trouble: null,
  }));
  return {
    name: state.policy,
    generation: 2,
    wallTime: new Date(world.nowMs).toISOString(),
    policy: world.policy,
    declared: world.declared,
    state,
    decision: last,
    seen: {
      workload: { kind: 'seen', value: { versions } },
      router: {
        kind: 'seen',
        value: {
          state: 'converged',
          reason: '',
          split: world.split,
          endpoints: {},
          healthy: {},
          inFlight: { 'rev-v1': 3, 'rev-v2': 1 },
          instances: ['g'],
        },
      },
    },
    trouble: null,
    owed: [],
    log: logOf(world),
    live,
  };
}

function logOf(world: World): LogLine[] {
  return world.log.map((line, index) => {
    const [, at = '0', kind = '', sentence = ''] = /^(\d+) ([\w-]+): (.*)$/s.exec(line) ?? [];
    return {
      sequence: index + 1,
      at: new Date(Number(at)).toISOString(),
      kind,
      sentence,
      release: null,
      weightPercent: null,
    };
  });
}

export function liveOf(world: World, share = world.state.release?.weightPercent ?? 0): LiveTraffic {
  const canary = Math.round(2_000 * (share / 100));
  return { spanMs: 10_000, ageMs: 800, requests: { 'rev-v1': 2_000 - canary, 'rev-v2': canary }, inFlight: {} };
}

export interface Sample {
  readonly name: string;
  readonly view: ReleaseView;
}

/** One of each situation a person meets. */
export function samples(): Sample[] {
  const sample = (name: string, run: (world: World) => World, hasTraffic = true): Sample => {
    const world = run(sampleWorld());
    return { name, view: buildView(inputOf(world, hasTraffic ? liveOf(world) : null)) };
  };
  const atWeight = (world: World, weight: number) => world.runUntil((w) => w.state.release?.weightPercent === weight);
  return [
    sample('testing', (world) => atWeight(world, 25).runFor(90_000)),
    sample('no-data', (world) => {
      atWeight(world, 5);
      world.metrics = 'silent';
      return world.runFor(120_000);
    }),
    sample('paused', (world) => {
      atWeight(world, 5).runFor(20_000).command('pause', { reason: 'incident elsewhere' });
      return world.runFor(2_000);
    }),
    sample('aborted', (world) => {
      world.behaviour.set('rev-v2', { errorRate: 0.04 });
      return world.runUntil((w) => w.outcome?.kind === 'aborted').runFor(10_000);
    }),
    sample('promoted', (world) => world.runUntil((w) => w.state.stable?.label === 'v2').runFor(10_000)),
    sample('no-traffic', (world) => atWeight(world, 1).runFor(5_000), false),
  ];
}
