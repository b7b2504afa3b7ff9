import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { World } from '../../../test/engine/world.ts';
import { inputOf, sampleWorld } from '../../../test/views/samples.ts';
import type { PolicyView } from '../../controller/index.ts';
import { readTrace, type TracePoint } from '../../core/views/index.ts';
import { MemoryKubeApi } from '../../kubernetes/doubles/index.ts';
import { type CacheReader, type KubeObject, RELEASES } from '../../kubernetes/index.ts';
import { silentLog } from '../../lib/log.ts';
import type { Clock } from '../../ports/index.ts';
import { ReleaseTraces } from './release-traces.ts';

const AT = { namespace: 'shop', name: 'checkout-2' };

async function cluster() {
  const api = new MemoryKubeApi();
  let kept: KubeObject = await api.create(RELEASES, { metadata: AT });
  const releases = {
    get: (_namespace: string, name: string) => (name === AT.name ? kept : undefined),
    noteWritten: (object: KubeObject) => {
      kept = object;
    },
  } as unknown as CacheReader;
  const points = (): readonly TracePoint[] => readTrace((kept.status as { trace?: string } | undefined)?.trace);
  const writes = () => api.calls.filter((call) => call.startsWith('patch')).length;
  return { api, releases, points, writes };
}

type Cluster = Awaited<ReturnType<typeof cluster>>;

/** What an operator does with each look at a world; `until` says when to stop looking. */
async function follow({ api, releases }: Cluster, world: World, until: (world: World) => boolean): Promise<void> {
  const clock = { now: () => ({ monotonicMs: world.nowMs, epoch: 'boot', wallTime: '' }) } as unknown as Clock;
  const traces = new ReleaseTraces({ api, releases, clock, log: silentLog });
  while (!until(world)) {
    world.step();
    const view = { ...inputOf(world), name: 'shop/checkout', looks: 1, owed: [] } as unknown as PolicyView;
    const { release } = world.state;
    const named = release === null ? null : { ...release, id: `shop/${release.id}` };
    traces.take({ ...view, state: { ...world.state, release: named } } as PolicyView);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const afterMs = (ms: number) => {
  let endMs = Number.POSITIVE_INFINITY;
  return (world: World) => {
    endMs = Math.min(endMs, world.nowMs + ms);
    return world.nowMs >= endMs;
  };
};

test('the evidence of a release that was taken back is in its Release, to its last number, for a write a minute', async () => {
  const here = await cluster();
  const world = sampleWorld();
  world.behaviour.set('rev-v2', { errorRate: 0.04 });
  const fromMs = world.nowMs;
  await follow(here, world, ({ outcome }) => outcome?.kind === 'aborted');
  const { release } = world.state;
  const last = here.points().at(-1);
  assert.equal(last?.canaryRequests, release?.exposure.canaryRequests);
  assert.equal(last?.checks.errors?.outcome, 'fail');
  assert.ok(here.writes() <= 1 + (world.nowMs - fromMs) / 60_000, `${here.writes()} writes`);
  await follow(here, world, afterMs(120_000));
  assert.ok(here.writes() <= 1 + (world.nowMs - fromMs) / 60_000, 'an ended release is not written again');
});

test('the next instance goes on with what the one before it kept', async () => {
  const here = await cluster();
  const world = sampleWorld();
  await follow(here, world, afterMs(200_000));
  const before = here.points().length;
  assert.ok(before > 10, `${before} points`);
  await follow(here, world, afterMs(200_000));
  assert.ok(here.points().length > before);
  assert.equal(here.points()[0]?.canaryRequests, 0, 'from its beginning');
});

test('an API server that refuses costs the picture and nothing else', async () => {
  const here = await cluster();
  here.api.intercept = () => {
    throw new Error('full');
  };
  await follow(here, sampleWorld(), afterMs(200_000));
  assert.deepEqual(here.points(), []);
});
