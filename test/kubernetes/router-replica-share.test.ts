// Replica share on a real cluster: a Service, a readiness gate, and users who count.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ReplicaShareRouter } from '../../src/adapters/routers/replica-share.ts';
import type { ReleasePolicy } from '../../src/core/model/policy.ts';
import { SERVICES } from '../../src/kubernetes/index.ts';
import { silentLog } from '../../src/lib/log.ts';
import { noCluster } from './cluster.ts';
import { isChance, Routed, tally, until, withUsers } from './routed.ts';

describe('replica share on a cluster', { skip: noCluster }, () => {
  let routed: Routed;
  let router: ReplicaShareRouter;
  let policy: ReleasePolicy;
  let url = '';

  before(async () => {
    routed = new Routed(true);
    const { api, caches, clock } = routed;
    router = new ReplicaShareRouter({ api, caches, clock, log: silentLog });
    policy = routed.policy({ kind: 'replicaShare', service: 'shop' });
    await routed.start();
    const service = await api.get(SERVICES, { namespace: routed.space.name, name: 'shop' });
    url = `http://${(service?.spec as { clusterIP: string } | undefined)?.clusterIP}/`;
  });

  after(() => routed.end());

  test('canary pods that nobody let in get nothing, though they have all labels of the Service', async () => {
    assert.deepEqual(await tally(url, { connection: 'close' }, 200), { v1: 200 });
  });

  test('1 of 3 pods gets a third of the connections, and that is what is said', async () => {
    await routed.put(router, policy, routed.split(policy, 5));
    await delay(1_000);
    assert.equal((await router.observe(policy)).reason, '1 of 3 pods: 33.33 % of connections (asked 5 %)');
    const seen = await tally(url, { connection: 'close' }, 2_000);
    assert.ok(isChance(seen.v2 ?? 0, 2_000, 100 / 3), JSON.stringify(seen));
  });

  test('a pod that replaces one that was let in is let in', async () => {
    await routed.put(router, policy, routed.split(policy, 50));
    routed.space.must(['delete', 'pod', '-l', 'haldane.dev/role=canary', '--wait=true']);
    await until('two new pods answer', async () => routed.endpoints('canary').length === 2);
    await routed.put(router, policy, routed.split(policy, 50));
    const seen = await router.observe(policy);
    assert.match(seen.reason, /^2 of 4 pods: 50 % of connections$/);
  });

  test('in and out ten times, and then out before the pods end: no connection is lost', async () => {
    const { lost, answered } = await withUsers({ url, host: '', kind: 'close' }, async () => {
      for (let times = 0; times < 10; times += 1) {
        await routed.put(router, policy, routed.split(policy, times % 2 ? 0 : 50));
      }
      await routed.put(router, policy, routed.split(policy, 50));
      await routed.put(router, policy, routed.split(policy, 0));
      await until('drained', async () => Object.keys(await router.inFlight(policy)).length === 0);
      routed.space.must(['delete', 'deployment', 'shop-canary', '--wait=true']);
      await delay(3_000);
    });
    assert.deepEqual(lost, []);
    assert.ok((answered.v2 ?? 0) > 50, JSON.stringify(answered));
  });
});
