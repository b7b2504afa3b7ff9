/** A Deployment on a real cluster: canary pods that share its Service, and what is let go on removal. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { EndpointSlice } from '../../src/cluster/objects.ts';
import type { Version } from '../../src/core/model/version.ts';
import { noCluster } from './cluster.ts';
import { Deployed, eventually } from './deployed.ts';
import { installDefinitions } from './installed.ts';

describe('canary pods that share the Service, on a real cluster', { skip: noCluster }, () => {
  const shop = new Deployed({ pods: 'shared' });
  let stable: Version;
  before(async () => {
    installDefinitions();
    stable = await shop.start();
  });
  after(() => shop.end());

  test('count as ready when all but the router’s gate is, and are in no Service until it opens', async () => {
    const next = shop.setImage('app:v2');
    await shop.heard();
    await shop.tryOut(next, 1);
    await shop.untilReady(next);
    const { versions } = await shop.workload.observe(shop.policy);
    const [address] = versions.find(({ revision }) => revision === next.revision)?.endpoints ?? [];
    const slices = shop.space.must(['get', 'endpointslices', '-l', 'kubernetes.io/service-name=shop', '-o', 'json']);
    const { items } = JSON.parse(slices) as { readonly items: readonly EndpointSlice[] };
    const there = items
      .flatMap(({ endpoints = [] }) => endpoints)
      .map(({ addresses, conditions }) => ({
        address: addresses[0],
        ready: conditions?.ready,
      }));
    assert.deepEqual(
      there.filter((endpoint) => endpoint.ready).length,
      3,
      'stable’s pods are all that is in the Service',
    );
    assert.equal(there.find((endpoint) => endpoint.address === address?.host)?.ready ?? false, false);
    await shop.workload.retire(shop.policy, [next.revision]);
    await shop.until(stable);
  });
});

describe('what is let go on removal, on a real cluster', { skip: noCluster }, () => {
  const shop = new Deployed({ onRemoval: 'letGo' });
  let stable: Version;
  before(async () => {
    installDefinitions();
    stable = await shop.start();
  });
  after(() => shop.end());

  test('row 7: the waiting template rolls, and nothing of Haldane’s is left on the Deployment', async () => {
    shop.setImage('app:v2');
    await shop.handBack(stable);
    shop.space.must(['rollout', 'status', 'deployment/shop', '--timeout=60s']);
    await eventually('v2 runs', 30_000, () => shop.images().join() === 'app:v2,app:v2,app:v2');
    const { annotations = {} } = shop.read().metadata;
    assert.deepEqual(
      Object.keys(annotations).filter((key) => key.startsWith('haldane.dev/')),
      [],
    );
  });
});
