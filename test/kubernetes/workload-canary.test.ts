/** The second Deployment on a real cluster: what it is made of, who would miss it, and what is said when it does not start. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Deployment, Pod } from '../../src/cluster/objects.ts';
import type { VersionObservation } from '../../src/core/model/observed.ts';
import type { Version } from '../../src/core/model/version.ts';
import { noCluster } from './cluster.ts';
import { Deployed, eventually, manifest } from './deployed.ts';
import { installDefinitions } from './installed.ts';

const apart = (app: string) => [{ labelSelector: { matchLabels: { app } }, topologyKey: 'kubernetes.io/hostname' }];
const SPREAD = {
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: 'kubernetes.io/hostname',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'shop' } },
    },
  ],
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: apart('shop') } },
};

describe('a canary on a real cluster', { skip: noCluster }, () => {
  const shop = new Deployed();
  const replicas = 2;
  let stable: Version;
  before(async () => {
    installDefinitions();
    stable = await shop.start(manifest('app:v1', { replicas, spec: SPREAD }));
  });
  after(() => shop.end());

  const seen = async (version: Version): Promise<VersionObservation | undefined> => {
    const { versions } = await shop.workload.observe(shop.policy);
    return versions.find(({ revision }) => revision === version.revision);
  };

  const deploy = async (image: string, more: object = {}): Promise<Version> => {
    shop.gitApplies(manifest(image, { replicas, spec: { ...SPREAD, ...more } }), ['--force-conflicts']);
    await shop.heard();
    return shop.declared();
  };

  const trouble = async (version: Version, said: RegExp): Promise<void> => {
    await shop.tryOut(version, 1);
    await eventually(`${said}`, 60_000, async () => said.test((await seen(version))?.trouble ?? ''));
    assert.deepEqual((await seen(version))?.endpoints, []);
    assert.equal((await seen(stable))?.ready, replicas);
  };

  afterEach(async () => {
    const { versions } = await shop.workload.observe(shop.policy);
    await shop.workload.retire(
      shop.policy,
      versions.map(({ revision }) => revision).filter((revision) => revision !== stable.revision),
    );
    await eventually('no canary', 30_000, () => shop.images('shop-canary').length === 0);
  });

  test('its own spread and anti-affinity are relabelled, so that it starts on nodes that stable has taken', async () => {
    const next = await deploy('app:v2');
    await shop.tryOut(next, 2);
    await eventually('both are ready', 60_000, async () => (await seen(next))?.ready === 2);
    assert.equal((await seen(next))?.trouble, null);
    const { spec } = shop.space.read<Deployment>('deployment', 'shop-canary');
    const { affinity } = spec.template.spec as { readonly affinity?: object };
    assert.deepEqual(affinity, {
      podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: apart('shop-canary') },
    });
    const pods = JSON.parse(shop.space.must(['get', 'pods', '-l', 'app=shop-canary', '-o', 'json'])) as {
      readonly items: readonly Pod[];
    };
    assert.equal(new Set(pods.items.map((pod) => pod.spec.nodeName)).size, 2);
  });

  test('row 25: asked for again and again, nothing is written; another size is', async () => {
    const next = await deploy('app:v2');
    await shop.tryOut(next, 1);
    await eventually('ready', 60_000, async () => (await seen(next))?.ready === 1);
    const version = () => shop.space.read<Deployment>('deployment', 'shop-canary').metadata.resourceVersion;
    await eventually('its status rests', 30_000, async () => {
      const before = version();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return before === version();
    });
    const before = version();
    for (let again = 0; again < 5; again += 1) await shop.tryOut(next, 1);
    assert.equal(version(), before);
    await shop.tryOut(next, 2);
    await eventually('two are ready', 60_000, async () => (await seen(next))?.ready === 2);
  });

  test('a crash loop is named with its exit code', async () => {
    const next = await deploy('app:v2', {
      containers: [{ name: 'app', image: 'app:v2', command: ['/bin/sh', '-c', 'exit 7'] }],
    });
    await trouble(next, /app .*exit code,? ?7|app CrashLoopBackOff, exit code 7/i);
  });

  test('an image that does not exist is named', async () => {
    await trouble(await deploy('app:does-not-exist'), /app (ImagePullBackOff|ErrImagePull)/);
  });

  test('a pod that fits nowhere is named', async () => {
    await trouble(await deploy('app:v2', { nodeSelector: { disk: 'none-has-it' } }), /is not scheduled/);
  });

  test('a quota that leaves no room is named', async () => {
    const quota = {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'full' },
      spec: { hard: { pods: '2' } },
    };
    shop.space.must(['apply', '-f', '-'], { input: quota });
    try {
      await trouble(await deploy('app:v3'), /exceeded quota/);
    } finally {
      shop.space.must(['delete', 'resourcequota', 'full']);
    }
  });

  test('a NetworkPolicy that would miss it keeps it from being started, by name', async () => {
    const podSelector = { matchLabels: { app: 'shop' } };
    const policy = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'only-us' } };
    shop.space.must(['apply', '-f', '-'], { input: { ...policy, spec: { podSelector } } });
    try {
      const next = await deploy('app:v4');
      await assert.rejects(shop.tryOut(next, 1), { code: 'canary-missed', message: /NetworkPolicy only-us/ });
      assert.equal(await seen(next), undefined);
    } finally {
      shop.space.must(['delete', 'networkpolicy', 'only-us']);
    }
  });
});
