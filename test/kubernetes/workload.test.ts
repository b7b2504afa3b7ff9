/** A plain Deployment on a real cluster, as users change it, with the rights and the admission of the installation. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { templateRevision } from '../../src/cluster/revision.ts';
import type { Version } from '../../src/core/model/version.ts';
import { noCluster } from './cluster.ts';
import { Deployed, eventually, manifest } from './deployed.ts';
import { installDefinitions } from './installed.ts';

const THREE = (image: string) => [image, image, image];

function assertWaits(shop: Deployed, image: string): void {
  const { spec, metadata } = shop.read();
  assert.equal(spec.template.spec.containers[0]?.image, image);
  assert.deepEqual([spec.paused, metadata.annotations?.['haldane.dev/held']], [true, 'true']);
}

function assertNothingOfOurs(shop: Deployed): void {
  const { spec, metadata } = shop.read();
  assert.equal(spec.paused, undefined);
  const ours = Object.keys(metadata.annotations ?? {}).filter((key) => key.startsWith('haldane.dev/'));
  assert.deepEqual(ours, []);
}

function managersOfTemplate(shop: Deployed): readonly string[] {
  const fields = JSON.parse(shop.space.must(['get', 'deployment', 'shop', '-o', 'json', '--show-managed-fields']))
    .metadata.managedFields as readonly { manager: string; subresource?: string; fieldsV1: object }[];
  const own = fields.filter(({ subresource, fieldsV1 }) => subresource === undefined && 'f:spec' in fieldsV1);
  return own.map(({ manager }) => manager);
}

describe('a plain Deployment on a real cluster', { skip: noCluster }, () => {
  before(() => installDefinitions());

  describe('that waits', () => {
    const shop = new Deployed();
    let stable: Version;
    before(async () => {
      stable = await shop.start();
    });
    after(() => shop.end());

    const stays = async () => {
      await shop.until(stable);
      assert.deepEqual(shop.images(), THREE('app:v1'));
      const place = await shop.place();
      assert.deepEqual([place.serving, place.isSettled, place.trouble], [stable.revision, true, null]);
    };

    test('row 6: it is adopted with a mark, and its template stays its owner’s', () => {
      const { metadata, spec } = shop.read();
      assert.deepEqual([metadata.annotations?.['haldane.dev/hold'], spec.paused], ['true', undefined]);
      assert.deepEqual(managersOfTemplate(shop), ['git']);
    });

    test('set image, apply, server-side apply, replace twice and resume: each waits', async () => {
      shop.setImage('app:v2');
      assertWaits(shop, 'app:v2');
      await stays();
      shop.space.must(['apply', '-f', '-'], { input: manifest('app:v3') });
      assertWaits(shop, 'app:v3');
      shop.gitApplies(manifest('app:v2'), ['--force-conflicts']);
      assertWaits(shop, 'app:v2');
      for (const again of ['app:v3', 'app:v3']) {
        shop.space.must(['replace', '-f', '-'], { input: manifest(again) });
        assertWaits(shop, again);
        await stays();
      }
      shop.space.must(['rollout', 'resume', 'deployment/shop']);
      assertWaits(shop, 'app:v3');
      await stays();
    });

    test('row 14: held, scaled to 0 and back, stable’s version comes up', async () => {
      shop.setImage('app:v2');
      await stays();
      shop.space.must(['scale', 'deployment/shop', '--replicas=0']);
      await eventually('no pods', 30_000, () => shop.images().length === 0);
      assert.equal((await shop.place()).serving, stable.revision);
      shop.space.must(['scale', 'deployment/shop', '--replicas=3']);
      await eventually('three pods', 30_000, () => shop.images().length === 3);
      await stays();
    });

    test('row 15: a restart is no new version and rolls by the Deployment’s own budget: pods are new, and nothing waits', async () => {
      shop.gitApplies(manifest('app:v1'), ['--force-conflicts']);
      await stays();
      shop.space.must(['rollout', 'restart', 'deployment/shop']);
      shop.space.must(['rollout', 'status', 'deployment/shop', '--timeout=60s']);
      assert.equal(templateRevision(shop.read().spec.template), stable.revision);
      await stays();
    });

    test('row 7: given back, the next ordinary deploy rolls', async () => {
      shop.setImage('app:v2');
      await shop.handBack(stable);
      assertNothingOfOurs(shop);
      assert.deepEqual(shop.images(), THREE('app:v1'));
      shop.space.must(['set', 'image', 'deployment/shop', 'app=app:v3']);
      shop.space.must(['rollout', 'status', 'deployment/shop', '--timeout=60s']);
      await eventually('v3 runs', 30_000, () => shop.images().join() === THREE('app:v3').join());
    });
  });

  describe('that is promoted', () => {
    const shop = new Deployed();
    let first: Version;
    before(async () => {
      first = await shop.start();
    });
    after(() => shop.end());

    test('row 2: the canary serves beside it, the Deployment rolls under the lock, and serving flips at the end', async () => {
      const next = shop.setImage('app:v2');
      await shop.tryOut(next, 1);
      await eventually('a canary', 30_000, async () => {
        const { versions } = await shop.workload.observe(shop.policy);
        return versions.find(({ revision }) => revision === next.revision)?.ready === 1;
      });
      assert.deepEqual(shop.images('shop-canary'), ['app:v2']);
      const isLocked = () => shop.read().metadata.annotations?.['haldane.dev/lock'] !== undefined;
      await shop.untilAsked(next, 'it rolls', isLocked);
      assert.match(
        shop.space.ask(['set', 'image', 'deployment/shop', 'app=app:v3']).text,
        /promoting a version of shop/,
      );
      await shop.until(next);
      assert.deepEqual(shop.images(), THREE('app:v2'));
      await shop.workload.retire(shop.policy, [`${next.revision}~spare`]);
      await eventually('no canary', 30_000, () => shop.images('shop-canary').length === 0);
    });

    test('after a promotion the version before comes back by its kept template, its set removed; the new one waits', async () => {
      const second = shop.declared();
      shop.forgetSets();
      await shop.until(first);
      assert.deepEqual(shop.images(), THREE('app:v1'));
      assertWaits(shop, 'app:v2');
      assert.equal(templateRevision(shop.read().spec.template), second.revision);
    });

    test('row 31: undo to what serves is no release: nothing waits any more', async () => {
      shop.space.must([
        'patch',
        'deployment',
        'shop',
        '--type=json',
        '-p',
        JSON.stringify([{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'app:v1' }]),
      ]);
      await shop.until(first);
      assert.equal(shop.read().spec.paused, undefined);
      assert.deepEqual(shop.images(), THREE('app:v1'));
    });

    test('row 23: an abort in mid-roll brings stable back', async () => {
      const next = shop.setImage('app:v4');
      await shop.untilAsked(next, 'a pod of v4', () => shop.images().includes('app:v4'));
      await shop.until(first);
      assert.deepEqual(shop.images(), THREE('app:v1'));
      assertWaits(shop, 'app:v4');
    });

    test('row 1: an image that does not exist is named, and stable goes on', async () => {
      const next = shop.setImage('app:does-not-exist');
      await shop.untilAsked(next, 'trouble', async () => /ImagePull/.test((await shop.place()).trouble ?? ''));
      assert.equal(shop.images().filter((image) => image === 'app:v1').length, 3);
      await shop.until(first);
      assert.deepEqual(shop.images(), THREE('app:v1'));
    });
  });
});
