// What every API server must do for this layer, as tests: the sentences that adapters count on. They are tried on the
// double in memory, over HTTP, and on a real API server. They refuse to need a right beyond one namespace.
import assert from 'node:assert/strict';
import { describe, type TestOptions, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { silentLog } from '../lib/log.ts';
import type { KubeApi } from './api.ts';
import { ResourceCache } from './cache.ts';
import { isAlreadyExists, isConflict, isInvalid, isJsonPatchTestFailure, isNotFound } from './errors.ts';
import { CONFIG_MAPS, DEPLOYMENTS } from './resources.ts';
import type { KubeObject } from './types.ts';

export interface ApiUnderTest {
  readonly api: KubeApi;
  /** Empty, and not shared with anybody. */
  readonly namespace: string;
  end(): Promise<void>;
}

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

type Trial = (title: string, body: (under: ApiUnderTest) => Promise<void>) => void;

export function kubeApiConformance(name: string, make: () => Promise<ApiUnderTest>, options: TestOptions = {}): void {
  const trial: Trial = (title, body) =>
    test(title, options, async () => {
      const under = await make();
      try {
        await body(under);
      } finally {
        await under.end();
      }
    });
  describe(`${name} as a KubeApi`, () => {
    readTrials(trial);
    writeTrials(trial);
    patchTrials(trial);
    watchTrials(trial);
    cacheTrials(trial);
  });
}

function configMap(namespace: string, name: string, data: Record<string, string> = {}): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name, labels: { app: 'shop' } }, data };
}

function deployment(namespace: string, name: string): KubeObject {
  const labels = { app: name };
  const containers = [{ name: 'app', image: 'app:v1' }];
  const spec = {
    replicas: 0,
    paused: true,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers } },
  };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace, name }, spec };
}

function readTrials(trial: Trial): void {
  trial('what is not there is null, and to delete it says that there was none', async ({ api, namespace }) => {
    assert.equal(await api.get(CONFIG_MAPS, { namespace, name: 'none' }), null);
    assert.equal(await api.delete(CONFIG_MAPS, { namespace, name: 'none' }), false);
  });

  trial('a list has all that is there, each item with its kind, and only what was selected', async (under) => {
    const { api, namespace } = under;
    for (const name of ['a', 'b', 'c']) await api.create(CONFIG_MAPS, configMap(namespace, name));
    await api.create(CONFIG_MAPS, { ...configMap(namespace, 'd'), metadata: { namespace, name: 'd' } });
    const { items, resourceVersion } = await api.list<ConfigMap>(CONFIG_MAPS, { namespace, labelSelector: 'app=shop' });
    assert.deepEqual(items.map(({ metadata }) => metadata.name).sort(), ['a', 'b', 'c']);
    assert.ok(items.every(({ kind, apiVersion }) => kind === 'ConfigMap' && apiVersion === 'v1'));
    assert.match(resourceVersion, /^[0-9]+$/);
  });
}

function writeTrials(trial: Trial): void {
  trial('a name is created once', async ({ api, namespace }) => {
    const made = await api.create<ConfigMap>(CONFIG_MAPS, configMap(namespace, 'shop', { a: '1' }));
    assert.match(made.metadata.resourceVersion ?? '', /^[0-9]+$/);
    assert.ok(made.metadata.uid);
    await assert.rejects(
      api.create(CONFIG_MAPS, configMap(namespace, 'shop')),
      (error) => isAlreadyExists(error) && !isConflict(error),
    );
  });

  trial('rows 22, 64: a replace made on an older version is refused, and nothing of it is written', async (under) => {
    const { api, namespace } = under;
    const old = await api.create<ConfigMap>(CONFIG_MAPS, configMap(namespace, 'shop', { a: '1' }));
    const replaced = await api.replace<ConfigMap>(CONFIG_MAPS, { ...old, data: { a: '2' } });
    assert.ok(BigInt(replaced.metadata.resourceVersion ?? 0) > BigInt(old.metadata.resourceVersion ?? 0));
    await assert.rejects(api.replace(CONFIG_MAPS, { ...old, data: { a: '3' } }), isConflict);
    assert.equal((await api.get<ConfigMap>(CONFIG_MAPS, old.metadata))?.data?.a, '2');
  });

  trial('a delete of another uid is refused; the right one is deleted', async ({ api, namespace }) => {
    const { metadata } = await api.create(CONFIG_MAPS, configMap(namespace, 'shop'));
    await assert.rejects(
      api.delete(CONFIG_MAPS, metadata, { uid: '00000000-0000-0000-0000-000000000000' }),
      isConflict,
    );
    const { uid = '' } = metadata;
    assert.equal(await api.delete(CONFIG_MAPS, metadata, { uid }), true);
    assert.equal(await api.get(CONFIG_MAPS, metadata), null);
  });

  trial('an object with a finalizer stays until the finalizer is taken away', async ({ api, namespace }) => {
    const { metadata } = await api.create(CONFIG_MAPS, {
      ...configMap(namespace, 'shop'),
      metadata: { namespace, name: 'shop', finalizers: ['haldane.dev/trial'] },
    });
    assert.equal(await api.delete(CONFIG_MAPS, metadata), true);
    assert.ok((await api.get(CONFIG_MAPS, metadata))?.metadata.deletionTimestamp);
    await api.patch(CONFIG_MAPS, metadata, { type: 'merge', body: { metadata: { finalizers: null } } });
    assert.equal(await api.get(CONFIG_MAPS, metadata), null);
  });

  trial('a dry run changes nothing', async ({ api, namespace }) => {
    const { metadata } = await api.create<ConfigMap>(CONFIG_MAPS, configMap(namespace, 'shop', { a: '1' }));
    await api.patch(CONFIG_MAPS, metadata, { type: 'merge', body: { data: { a: '2' } } }, { dryRun: true });
    assert.equal((await api.get<ConfigMap>(CONFIG_MAPS, metadata))?.data?.a, '1');
  });
}

function patchTrials(trial: Trial): void {
  trial('a JSON patch whose test does not hold is told apart from an invalid object', async ({ api, namespace }) => {
    const { metadata } = await api.create<ConfigMap>(CONFIG_MAPS, configMap(namespace, 'shop', { a: '1' }));
    const patch = (value: string) =>
      api.patch<ConfigMap>(CONFIG_MAPS, metadata, {
        type: 'json',
        operations: [
          { op: 'test', path: '/data/a', value },
          { op: 'replace', path: '/data/a', value: '2' },
        ],
      });
    await assert.rejects(patch('7'), (error) => isJsonPatchTestFailure(error) && isInvalid(error));
    assert.equal((await patch('1')).data?.a, '2');
    await assert.rejects(patch('1'), isJsonPatchTestFailure);
  });

  trial('row 64: a JSON patch may demand the version it was made on', async ({ api, namespace }) => {
    const { metadata } = await api.create<ConfigMap>(CONFIG_MAPS, configMap(namespace, 'shop', { a: '1' }));
    await api.patch(CONFIG_MAPS, metadata, { type: 'merge', body: { data: { b: '1' } } });
    const test = { op: 'test', path: '/metadata/resourceVersion', value: metadata.resourceVersion } as const;
    const add = { op: 'add', path: '/data/a', value: '2' } as const;
    await assert.rejects(
      api.patch(CONFIG_MAPS, metadata, { type: 'json', operations: [test, add] }),
      (error) => isJsonPatchTestFailure(error) || isConflict(error),
    );
  });

  trial('a merge patch takes away what it says is null, and refuses an older version', async ({ api, namespace }) => {
    const { metadata } = await api.create(CONFIG_MAPS, configMap(namespace, 'shop', { a: '1', b: '2' }));
    const body = { metadata: { resourceVersion: metadata.resourceVersion }, data: { a: null, c: '3' } };
    const patched = await api.patch<ConfigMap>(CONFIG_MAPS, metadata, { type: 'merge', body });
    assert.deepEqual(patched.data, { b: '2', c: '3' });
    await assert.rejects(api.patch(CONFIG_MAPS, metadata, { type: 'merge', body }), isConflict);
  });

  trial('to patch what is not there says so', async ({ api, namespace }) => {
    const at = { namespace, name: 'none' };
    await assert.rejects(api.patch(CONFIG_MAPS, at, { type: 'merge', body: {} }), isNotFound);
  });

  trial('apply creates, and is idempotent: the same again is no new version', async ({ api, namespace }) => {
    const body = configMap(namespace, 'shop', { a: '1' });
    const apply = () => api.patch(CONFIG_MAPS, body.metadata, { type: 'apply', body }, { fieldManager: 'trial' });
    const first = await apply();
    assert.equal((await apply()).metadata.resourceVersion, first.metadata.resourceVersion);
  });

  trial('a new spec is a new generation; a label or a status is not', async ({ api, namespace }) => {
    const { metadata } = await api.create(DEPLOYMENTS, deployment(namespace, 'shop'));
    const merge = (body: object, options = {}) => api.patch(DEPLOYMENTS, metadata, { type: 'merge', body }, options);
    const size = { spec: { revisionHistoryLimit: 3 } };
    const before = (await api.get(DEPLOYMENTS, metadata))?.metadata.generation ?? 0;
    assert.equal((await merge(size)).metadata.generation, before + 1);
    assert.equal((await merge(size)).metadata.generation, before + 1);
    assert.equal((await merge({ metadata: { labels: { a: 'b' } } })).metadata.generation, before + 1);
    const status = await merge({ status: { collisionCount: 3 } }, { subresource: 'status' });
    assert.equal(status.metadata.generation, before + 1);
    assert.deepEqual((status.spec as { revisionHistoryLimit: number }).revisionHistoryLimit, 3);
  });
}

function watchTrials(trial: Trial): void {
  trial('a watch tells what came after its version, in order, whole, and ends with its signal', async (under) => {
    const { api, namespace } = under;
    const before = await api.create<ConfigMap>(CONFIG_MAPS, configMap(namespace, 'old'));
    const over = new AbortController();
    const { resourceVersion = '' } = before.metadata;
    const options = { namespace, resourceVersion, signal: over.signal, idleMs: 20_000, timeoutSeconds: 30 };
    const told: string[] = [];
    const watching = (async () => {
      for await (const { type, object } of api.watch(CONFIG_MAPS, options)) {
        if (type === 'BOOKMARK' || object.metadata.name !== 'shop') continue;
        told.push(`${type} ${(object as ConfigMap).data?.a}`);
        if (type === 'DELETED') over.abort();
      }
    })();
    const { metadata } = await api.create(CONFIG_MAPS, configMap(namespace, 'shop', { a: '1' }));
    for (const a of ['2', '3']) await api.patch(CONFIG_MAPS, metadata, { type: 'merge', body: { data: { a } } });
    await api.delete(CONFIG_MAPS, metadata);
    await watching;
    assert.deepEqual(told, ['ADDED 1', 'MODIFIED 2', 'MODIFIED 3', 'DELETED 3']);
  });
}

function cacheTrials(trial: Trial): void {
  trial('a cache follows what others write and delete, and sees its own writes at once', async ({ api, namespace }) => {
    const cache = cacheOf(api, namespace);
    const told: string[] = [];
    cache.onChange(({ metadata, data }, change) => {
      if (metadata.name === 'shop') told.push(`${change} ${data?.a}`);
    });
    cache.start();
    await cache.whenSynced(AbortSignal.timeout(20_000));
    const made = await api.create<ConfigMap>(CONFIG_MAPS, configMap(namespace, 'shop', { a: '1' }));
    cache.noteWritten(made);
    assert.equal(cache.get(namespace, 'shop')?.data?.a, '1');
    const at = { namespace, name: 'shop' };
    await api.patch(CONFIG_MAPS, at, { type: 'merge', body: { data: { a: '2' } } });
    await until(() => cache.get(namespace, 'shop')?.data?.a === '2');
    await api.delete(CONFIG_MAPS, at);
    await until(() => cache.get(namespace, 'shop') === undefined);
    await cache.stop();
    assert.deepEqual(told, ['added 1', 'changed 2', 'deleted 2']);
  });
}

export function cacheOf(api: KubeApi, namespace: string, idleMs = 150_000): ResourceCache<ConfigMap> {
  return new ResourceCache<ConfigMap>({
    api,
    resource: CONFIG_MAPS,
    namespace,
    clock: realClock,
    random: Math.random,
    log: silentLog,
    idleMs,
  });
}

/** Real time, for tests that need a wire. */
export const realClock = {
  now: () => performance.now(),
  sleep: (ms: number, signal?: AbortSignal) =>
    setTimeout(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {}),
};

export async function until(holds: () => boolean | Promise<boolean>, limitMs = 20_000): Promise<void> {
  const startedMs = performance.now();
  while (!(await holds())) {
    if (performance.now() - startedMs > limitMs) assert.fail(`not within ${limitMs} ms: ${holds}`);
    await realClock.sleep(10);
  }
}
