import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../adapters/clock/system.ts';
import type { Pod } from '../../cluster/objects.ts';
import { seenPod } from '../../cluster/pods.ts';
import { MemoryKubeApi } from '../../kubernetes/doubles/index.ts';
import { DEPLOYMENTS, PODS, REPLICA_SETS } from '../../kubernetes/index.ts';
import { silentLog } from '../../lib/log.ts';
import { buildCaches } from './caches.ts';

const METADATA = {
  namespace: 'shop',
  name: 'web',
  annotations: { 'prometheus.io/port': '9100', note: 'long' },
  managedFields: [{ manager: 'git', operation: 'Apply' }],
};

test('what is kept of each object is all that is read of it, and no more', async () => {
  const api = new MemoryKubeApi();
  const containers = [{ name: 'app', image: 'app:v1', ports: [{ containerPort: 8080 }] }];
  for (const resource of [PODS, REPLICA_SETS, DEPLOYMENTS]) {
    await api.create(resource, { metadata: METADATA, spec: { containers } });
  }
  const caches = buildCaches({
    api,
    namespace: null,
    clock: systemClock,
    random: { fraction: () => 0.5 } as never,
    log: silentLog,
  });
  const watched = [caches.pods, caches.replicaSets, caches.deployments];
  for (const cache of watched) cache.start();
  await Promise.all(watched.map((cache) => cache.whenSynced()));
  const [pod, set, deployment] = watched.map((cache) => cache.get('shop', 'web'));
  assert.equal(
    seenPod(pod as Pod).metricsPort,
    9_100,
    'the port its annotation tells, not the first of its containers',
  );
  assert.deepEqual(pod?.metadata.annotations, { 'prometheus.io/port': '9100' });
  assert.deepEqual(pod?.spec, {
    nodeName: undefined,
    readinessGates: undefined,
    containers: [{ name: 'app', ports: [{ containerPort: 8080 }] }],
  });
  assert.deepEqual(
    [pod, set].map((object) => object?.metadata.managedFields),
    [undefined, undefined],
  );
  assert.deepEqual(
    deployment?.metadata.managedFields,
    METADATA.managedFields,
    'a way back needs to know who wrote what',
  );
  await Promise.all(watched.map((cache) => cache.stop()));
});
