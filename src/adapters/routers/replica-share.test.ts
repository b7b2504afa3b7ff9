import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AskingAgain } from '../../cluster/doubles/asking-again.ts';
import { neverRead } from '../../cluster/doubles/never-read.ts';
import { type Deployed, SmallCluster } from '../../cluster/doubles/small-cluster.ts';
import type { Backend } from '../../core/model/effect.ts';
import type { Endpoint } from '../../core/model/gateway.ts';
import { spareRevision } from '../../core/model/observed.ts';
import type { Split } from '../../core/model/split.ts';
import { DEPLOYMENTS, PODS } from '../../kubernetes/index.ts';
import { silentLog } from '../../lib/log.ts';
import { routerConformance } from '../../ports/conformance/index.ts';
import { samplePolicy, sampleSplit } from '../../ports/doubles/index.ts';
import type { EnsureResult, Router } from '../../ports/index.ts';
import { podsFor } from './replica-share/shares.ts';
import { ReplicaShareRouter } from './replica-share.ts';

const policy = samplePolicy('default/shop', {
  workload: {
    kind: 'deployment',
    deployment: 'shop',
    container: null,
    pods: 'shared',
    label: null,
    onRemoval: 'restore',
  },
  router: { kind: 'replicaShare', service: 'shop' },
});

/** Addresses for documents only. */
function endpoints(count: number, from = 0): readonly Endpoint[] {
  return Array.from({ length: count }, (_, index) => ({ host: `192.0.2.${from + index + 1}`, port: 8080 }));
}

interface World {
  readonly cluster: SmallCluster;
  readonly router: ReplicaShareRouter;
  readonly v1: Deployed;
  readonly v2: Deployed;
  readonly stable: Backend;
  readonly canary: Backend;
}

function routerOf(cluster: SmallCluster): ReplicaShareRouter {
  const { api, caches, clock } = cluster;
  return new ReplicaShareRouter({ api, caches, clock, log: silentLog });
}

async function world(stablePods: number, canaryPods: number): Promise<World> {
  const cluster = new SmallCluster();
  await cluster.start();
  await cluster.service('shop', { app: 'shop' });
  const v1 = await cluster.deploy('shop', 'app:v1', { app: 'shop' });
  const v2 = await cluster.deployCanary('shop', 'app:v2', { app: 'shop' }, true);
  const [stable, canary] = [endpoints(stablePods), endpoints(canaryPods, 100)];
  await cluster.runAt(v1, stable);
  await cluster.runAt(v2, canary);
  await cluster.pass(1_000);
  return {
    cluster,
    router: routerOf(cluster),
    v1,
    v2,
    stable: { revision: v1.revision, label: 'v1', endpoints: stable },
    canary: { revision: v2.revision, label: 'v2', endpoints: canary },
  };
}

routerConformance('ReplicaShareRouter', async () => {
  const { cluster, v1, v2, stable, canary } = await world(3, 1);
  const asking = new AskingAgain<EnsureResult>();
  const follow = async (backends: readonly Backend[]) => {
    for (const { revision, endpoints: wanted } of backends) {
      if (wanted.length > 0) await cluster.runAt(revision === v1.revision ? v1 : v2, wanted);
    }
    await cluster.pass(0);
  };
  const wrapped = (router: ReplicaShareRouter): Router => {
    const ensure = asking.ensuring(follow, (...asked) => router.ensure(...asked));
    return Object.assign(Object.create(router), bound(router), { ensure });
  };
  return {
    router: wrapped(routerOf(cluster)),
    policy,
    stable,
    canary,
    // Stable's pods stay in the Service, so the canary cannot have everything.
    percents: [1, 50, 25, 5, 0],
    until: async (what, condition) => {
      for (let looks = 0; looks < 40; looks += 1) {
        if (await condition()) return;
        await cluster.pass(1_000);
        await asking.again();
      }
      throw new Error(`still not: ${what}`);
    },
    moveCanary: async () => ({ ...canary, endpoints: stable.endpoints }),
    blind: () => cluster.pass(400_000),
    nextAgent: async () => {
      await cluster.restart();
      return wrapped(routerOf(cluster));
    },
    end: () => cluster.stop(),
  };
});

function bound(router: ReplicaShareRouter): Pick<Router, 'observe' | 'inFlight' | 'watch' | 'capabilities'> {
  return {
    capabilities: router.capabilities,
    observe: (of) => router.observe(of),
    inFlight: (of) => router.inFlight(of),
    watch: (of, changed) => router.watch(of, changed),
  };
}

test('a kind that it does not read, and that cannot be read, keeps no way back waiting (I3)', async () => {
  const here = await world(3, 1);
  const { api, caches, clock } = here.cluster;
  const all = { ...caches, httpRoutes: neverRead(api), mutatingPolicies: neverRead(api) };
  const router = new ReplicaShareRouter({ api, caches: all, clock, log: silentLog });
  assert.equal((await router.ensure(policy, splitOf(here, 0), [here.stable, here.canary])).kind, 'converged');
  await here.cluster.pass(1_000);
  assert.equal((await router.observe(policy)).state, 'converged');
  await here.cluster.stop();
});

function splitOf({ stable, canary }: World, percent: number): Split {
  return sampleSplit(stable.revision, { revision: canary.revision, weightPercent: percent });
}

async function asked(here: World, split: Split): Promise<EnsureResult> {
  const result = await here.router.ensure(policy, split, [here.stable, here.canary]);
  await here.cluster.pass(100);
  return result;
}

const canaryIn = async ({ router, canary }: World) =>
  ((await router.observe(policy)).endpoints[canary.revision] ?? []).map(({ host }) => host);

describe('replica share', () => {
  test('a weight is the number of pods whose part is nearest to it and not above, but one at least', () => {
    assert.deepEqual(
      [1, 5, 20, 25, 39, 40, 50, 90].map((percent) => podsFor(percent, 3, 99)),
      [1, 1, 1, 1, 1, 2, 3, 27],
    );
    assert.deepEqual([podsFor(0, 3, 9), podsFor(50, 0, 9), podsFor(50, 10, 4)], [0, 0, 4]);
  });

  test('what is there is said beside what was asked', async () => {
    const here = await world(3, 1);
    await asked(here, splitOf(here, 5));
    const seen = await here.router.observe(policy);
    assert.equal(seen.reason, '1 of 4 pods: 25 % of connections (asked 5 %)');
    assert.equal(seen.state, 'converged');
    assert.equal(seen.split?.weights[1]?.weightPercent, 5);
    await here.cluster.stop();
  });

  test('a pod whose gate nobody opened is in no Service, and only as many are opened as the weight says', async () => {
    const here = await world(4, 4);
    assert.deepEqual(await canaryIn(here), []);
    await asked(here, splitOf(here, 34));
    assert.deepEqual(await canaryIn(here), ['192.0.2.101', '192.0.2.102']);
    await asked(here, splitOf(here, 50));
    assert.equal((await canaryIn(here)).length, 4);
    await asked(here, splitOf(here, 20));
    assert.equal((await canaryIn(here)).length, 1);
    await here.cluster.stop();
  });

  test('a pod that is new or was replaced is let in when asked again, and until then it is not in force', async () => {
    const here = await world(2, 2);
    await asked(here, splitOf(here, 50));
    const [first] = here.cluster.podsOf('shop-canary');
    await here.cluster.api.delete(PODS, { namespace: 'default', name: first?.metadata.name ?? '' });
    await here.cluster.flush();
    await here.cluster.runAt(here.v2, here.canary.endpoints);
    await here.cluster.pass(1_000);
    const between = await here.router.observe(policy);
    assert.equal(between.state, 'progressing');
    assert.notEqual(between.split?.salt, 'salt');
    await asked(here, splitOf(here, 50));
    assert.equal((await here.router.observe(policy)).state, 'converged');
    assert.equal((await canaryIn(here)).length, 2);
    await here.cluster.stop();
  });

  test('row 5: a canary that was taken out counts as in use for 5 s more', async () => {
    const here = await world(2, 1);
    await asked(here, splitOf(here, 30));
    assert.deepEqual(await here.router.inFlight(policy), {});
    await asked(here, sampleSplit(here.stable.revision));
    assert.deepEqual(await canaryIn(here), []);
    assert.deepEqual(await here.router.inFlight(policy), { [here.canary.revision]: 1 });
    await here.cluster.pass(5_000);
    assert.deepEqual(await here.router.inFlight(policy), {});
    await here.cluster.stop();
  });

  test('row 17: with no ready pod of stable the canary stays in the Service', async () => {
    const here = await world(2, 1);
    await asked(here, splitOf(here, 30));
    await here.cluster.runAt(here.v1, []);
    await here.cluster.pass(1_000);
    const result = await here.router.ensure(policy, sampleSplit(here.stable.revision), [here.stable]);
    assert.equal(result.kind, 'rejected');
    assert.equal((await canaryIn(here)).length, 1);
    await here.cluster.stop();
  });

  test('a weight asked of another version in the same place counts for nothing', async () => {
    const here = await world(2, 1);
    await asked(here, splitOf(here, 30));
    const at = { namespace: 'default', name: 'shop-canary' };
    const body = { metadata: { labels: { 'haldane.dev/revision': 'another' } } };
    await here.cluster.api.patch(DEPLOYMENTS, at, { type: 'merge', body });
    await here.cluster.pass(1_000);
    const seen = await here.router.observe(policy);
    assert.equal(seen.state, 'progressing');
    await here.cluster.stop();
  });

  test('once the version serves in place, what is left of the canary is a spare with no part', async () => {
    const here = await world(2, 1);
    await asked(here, splitOf(here, 30));
    await here.cluster.remove(here.v1);
    const promoted = await here.cluster.deploy('shop', 'app:v2', { app: 'shop' });
    await here.cluster.runAt(promoted, here.stable.endpoints);
    const revision = promoted.revision;
    const canary = here.cluster.caches.deployments.get('default', 'shop-canary');
    const body = { metadata: { labels: { 'haldane.dev/revision': revision } } };
    await here.cluster.api.patch(DEPLOYMENTS, canary?.metadata ?? { name: '' }, { type: 'merge', body });
    await here.cluster.pass(1_000);
    const all = sampleSplit(revision);
    await here.router.ensure(policy, all, [{ ...here.stable, revision }]);
    await here.cluster.pass(1_000);
    const seen = await here.router.observe(policy);
    assert.deepEqual(seen.split?.weights, [{ revision, weightPercent: 100 }]);
    assert.deepEqual(seen.inFlight, { [spareRevision(revision)]: 1 });
    await here.cluster.stop();
  });

  test('row 25: 10,000 times the same question writes nothing', async () => {
    const here = await world(3, 1);
    await asked(here, splitOf(here, 25));
    const calls = here.cluster.api.calls.length;
    for (let again = 0; again < 10_000; again += 1) {
      await here.router.ensure(policy, splitOf(here, 25), [here.stable, here.canary]);
    }
    assert.equal(here.cluster.api.calls.length, calls);
    await here.cluster.stop();
  });
});
