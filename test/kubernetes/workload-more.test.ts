/** A Deployment on a real cluster: canary pods that share its Service, tags that are moved, and what is let go on removal. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import type { EndpointSlice } from '../../src/cluster/objects.ts';
import type { Version } from '../../src/core/model/version.ts';
import { noCluster } from './cluster.ts';
import { Deployed, eventually } from './deployed.ts';
import { installDefinitions } from './installed.ts';

const MOVE_TAGS = process.env.HALDANE_E2E_MOVE_TAGS;

async function ready(shop: Deployed, version: Version): Promise<void> {
  await eventually(`${version.label} is ready`, 60_000, async () => {
    const { versions } = await shop.workload.observe(shop.policy);
    return versions.find(({ revision }) => revision === version.revision)?.ready === 1;
  });
}

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
    await ready(shop, next);
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

const noTags = noCluster || (MOVE_TAGS === undefined ? 'HALDANE_E2E_MOVE_TAGS is no command that moves tags' : false);

describe('a tag that is moved after its analysis, on a real cluster', { skip: noTags }, () => {
  const shop = new Deployed();
  let stable: Version;
  before(async () => {
    installDefinitions();
    stable = await shop.start();
  });
  after(() => shop.end());

  test('I4: the roll stops and says which; stable goes on, and gets its place back', async () => {
    const next = shop.setImage('app:v2');
    await shop.heard();
    await shop.tryOut(next, 1);
    await ready(shop, next);
    execFileSync('sh', ['-c', MOVE_TAGS ?? 'false']);
    await shop.untilAsked(next, 'it is stopped', async () =>
      /the tag of app moved: analysed was [0-9a-f]{12}, started is [0-9a-f]{12}/.test(
        (await shop.place()).trouble ?? '',
      ),
    );
    for (let again = 0; again < 10; again += 1) await shop.ask(next);
    assert.equal((await shop.place()).serving, stable.revision);
    assert.ok(shop.images().includes('app:v1'));
    await shop.until(stable);
    assert.deepEqual(shop.images(), ['app:v1', 'app:v1', 'app:v1']);
  });
});
