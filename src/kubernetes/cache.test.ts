import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import type { Log } from '../lib/log.ts';
import { silentLog } from '../lib/log.ts';
import { ResourceCache, type ResourceCacheOptions } from './cache.ts';
import { realClock, until } from './conformance.ts';
import { type Credentials, fixedCredentials } from './credentials.ts';
import { answers, FakeApiServer, type Fault, hangs, MemoryKubeApi, resets, streams } from './doubles/index.ts';
import { KubeError } from './errors.ts';
import { HttpKubeApi } from './http-api.ts';
import { CONFIG_MAPS } from './resources.ts';
import type { KubeObject } from './types.ts';

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

type Options = Partial<ResourceCacheOptions<ConfigMap>> & { readonly credentials?: Credentials };

class World {
  readonly server = new FakeApiServer();
  readonly told: string[] = [];
  readonly slept: number[] = [];
  api!: HttpKubeApi;
  cache!: ResourceCache<ConfigMap>;

  /** Waits are noted, and a hundred times shorter. */
  readonly clock = {
    now: realClock.now,
    sleep: (ms: number, signal?: AbortSignal) => {
      this.slept.push(ms);
      return realClock.sleep(ms / 100, signal);
    },
  };

  async start(options: Options = {}): Promise<void> {
    const { credentials = fixedCredentials({}), ...rest } = options;
    const place = { ca: undefined, insecure: false, tlsServerName: undefined, namespace: 'default', source: 'test' };
    const config = { server: await this.server.start(), credentials, ...place };
    this.api = new HttpKubeApi({ config, userAgent: 'haldane/test', callLimitMs: 500 });
    this.cache = this.newCache(rest);
    this.cache.onChange(({ metadata, data }, change) => this.told.push(`${change} ${metadata.name} ${data?.a}`));
  }

  newCache(rest: Options = {}): ResourceCache<ConfigMap> {
    const fixed = { api: this.api, resource: CONFIG_MAPS, clock: this.clock, random: () => 1, log: silentLog };
    return new ResourceCache<ConfigMap>({ ...fixed, idleMs: 5_000, ...rest });
  }

  async write(name: string, a: string): Promise<ConfigMap> {
    const at = { namespace: 'default', name };
    const isThere = (await this.server.memory.get(CONFIG_MAPS, at)) !== null;
    if (!isThere) return this.server.memory.create<ConfigMap>(CONFIG_MAPS, { metadata: at, data: { a } });
    return this.server.memory.patch<ConfigMap>(CONFIG_MAPS, at, { type: 'merge', body: { data: { a } } });
  }

  remove(name: string): Promise<boolean> {
    return this.server.memory.delete(CONFIG_MAPS, { namespace: 'default', name });
  }

  valueOf(name: string): string | undefined {
    return this.cache.get('default', name)?.data?.a;
  }

  async sees(name: string, a: string | undefined): Promise<void> {
    await until(() => this.valueOf(name) === a, 5_000);
  }

  /** Started, synced, and with a watch under way. */
  async watching(): Promise<void> {
    this.cache.start();
    await this.cache.whenSynced(AbortSignal.timeout(5_000));
    await until(() => this.server.openWatches === 1);
  }

  async end(): Promise<void> {
    await this.cache.stop();
    await this.api.close();
    await this.server.stop();
  }
}

const withWorld = async (body: (world: World) => Promise<void>, options: Options = {}) => {
  const world = new World();
  await world.start(options);
  try {
    await body(world);
  } finally {
    await world.end();
  }
};

const errorLine = (code: number) => `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code } })}\n`;
const FAULTS: Readonly<Record<string, Fault>> = {
  'status 500': answers(500),
  'status 401': answers(401),
  'status 403': answers(403),
  'status 410': answers(410),
  'a reset connection': resets,
  'no answer': hangs,
  'an answer that ends at once': streams([], 'end'),
  'half a line and an end': streams(['{"type":"ADDED","obj'], 'end'),
  'a malformed line': streams(['{"type":\n'], 'silence'),
  'a line that is no event': streams(['[]\n'], 'silence'),
  'an error in the stream': streams([errorLine(500)], 'silence'),
  'a version too old, in the stream': streams([errorLine(410)], 'end'),
  'a page of a proxy': streams(['<html>'], 'end'),
};

for (const [what, fault] of Object.entries(FAULTS)) {
  test(`row 70: after ${what} to lists and watches the cache goes on, and nothing was ever told as gone`, () =>
    withWorld(async (world) => {
      await world.write('shop', '1');
      const times = fault === hangs ? 1 : 4;
      world.server.failNext('list', fault, times);
      world.server.failNext('watch', fault, times);
      world.cache.start();
      assert.equal(world.cache.isSynced, false);
      await world.sees('shop', '1');
      await world.write('shop', '2');
      await world.sees('shop', '2');
      await until(() => world.server.openWatches === 1);
      await world.write('shop', '3');
      await world.sees('shop', '3');
      assert.ok(!world.told.some((change) => change.startsWith('deleted')));
    }));
}

test('waits grow with each failure, with jitter, up to half a minute; a watch that ends at once is a failure too', () =>
  withWorld(async (world) => {
    world.server.failNext('watch', streams([], 'end'), 4);
    world.server.failNext('watch', answers(500), 6);
    await world.watching();
    assert.deepEqual(world.slept, [200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
  }));

test('row 66: once the server is known to answer, a long wait is not waited out', () =>
  withWorld(async (world) => {
    const asleep: AbortSignal[] = [];
    const clock = {
      now: realClock.now,
      sleep: (ms: number, signal?: AbortSignal) => {
        if (ms < 1_000) return Promise.resolve();
        if (signal !== undefined) asleep.push(signal);
        return realClock.sleep(600_000, signal);
      },
    };
    const cache = world.newCache({ clock });
    await world.write('shop', '1');
    world.server.failNext('list', resets, 4);
    cache.start();
    await until(() => asleep.length === 1);
    cache.wake();
    await cache.whenSynced(AbortSignal.timeout(5_000));
    assert.equal(cache.get('default', 'shop')?.data?.a, '1');
    cache.wake();
    await cache.stop();
  }));

test('what a busy server asks for is waited', () =>
  withWorld(async (world) => {
    world.server.failNext('list', answers(429, { 'retry-after': '60' }));
    await world.watching();
    assert.deepEqual(world.slept, [60_000]);
  }));

test('a watch goes on behind what it has told: nothing is told twice, nothing is left out', () =>
  withWorld(async (world) => {
    await world.watching();
    for (let i = 1; i <= 20; i += 1) {
      await world.write('shop', String(i));
      if (i % 5 === 0) {
        await world.sees('shop', String(i));
        world.server.cutWatches();
      }
    }
    await world.sees('shop', '20');
    assert.deepEqual(
      world.told,
      [...Array(20).keys()].map((i) => `${i === 0 ? 'added' : 'changed'} shop ${i + 1}`),
    );
    assert.equal(world.server.countOf('list'), 1);
  }));

test('a version that is too old means a list anew: what went in the meantime is told as deleted', () =>
  withWorld(async (world) => {
    await world.write('shop', '1');
    await world.write('gone', '1');
    await world.watching();
    world.server.failNext('watch', hangs, 1);
    world.server.cutWatches();
    await until(() => world.server.countOf('watch') === 2);
    await world.remove('gone');
    await world.write('shop', '2');
    await world.write('new', '1');
    world.server.oldest = 5;
    await world.sees('new', '1');
    assert.deepEqual(world.told.slice(2).sort(), ['added new 1', 'changed shop 2', 'deleted gone 1']);
    assert.equal(world.server.countOf('list'), 2);
  }));

test('a bookmark moves a quiet watch on, and counts as contact', () =>
  withWorld(async (world) => {
    await world.watching();
    const before = world.cache.lastContactMs();
    world.server.bookmark('77');
    await until(() => world.cache.lastContactMs() > before);
    world.server.cutWatches();
    await until(() => world.server.countOf('watch') === 2);
    const [, second] = world.server.asked.filter(({ verb }) => verb === 'watch');
    assert.equal(second?.query.get('resourceVersion'), '77');
    assert.equal(second?.query.get('allowWatchBookmarks'), 'true');
    const timeoutSeconds = Number(second?.query.get('timeoutSeconds'));
    assert.ok(timeoutSeconds >= 300 && timeoutSeconds <= 600);
  }));

test('a connection that says nothing any more is given up, and another one asks from the same version', () =>
  withWorld(
    async (world) => {
      await world.write('shop', '1');
      world.server.failNext('watch', streams([], 'silence'));
      world.cache.start();
      await world.sees('shop', '1');
      await world.write('shop', '2');
      await world.sees('shop', '2');
      assert.equal(world.server.countOf('watch'), 2);
    },
    { idleMs: 200 },
  ));

test('at rest there is one watch and no other request', () =>
  withWorld(async (world) => {
    await world.watching();
    await world.cache.stop();
    const cache = world.newCache();
    const before = world.server.asked.length;
    cache.start();
    cache.start();
    await cache.whenSynced();
    await realClock.sleep(300);
    assert.deepEqual(
      world.server.asked.slice(before).map(({ verb }) => verb),
      ['list', 'watch'],
    );
    await cache.stop();
  }));

test('a token that is refused is read anew', () => {
  let token = 'old';
  return withWorld(
    async (world) => {
      world.server.token = 'old';
      await world.watching();
      world.server.token = 'new';
      world.server.cutWatches();
      setTimeout(() => {
        token = 'new';
      }, 50);
      await until(() => world.server.asked.at(-1)?.token === 'new');
      await world.write('shop', '1');
      await world.sees('shop', '1');
    },
    { credentials: { get: async () => ({ token }) } },
  );
});

test('row 68: a listener that throws, and an object that cannot be trimmed, stop nobody else', () => {
  const errors: string[] = [];
  const log: Log = { ...silentLog, error: (message) => errors.push(message) };
  const trim = (object: ConfigMap) => {
    if (object.metadata.name === 'poison') throw new Error('no spec');
    return { ...object, data: { a: 'trimmed' } };
  };
  return withWorld(
    async (world) => {
      world.cache.onChange(() => {
        throw new Error('mine');
      });
      const later: string[] = [];
      world.cache.onChange(({ metadata }) => later.push(metadata.name));
      await world.watching();
      await world.write('poison', '1');
      await world.write('shop', '1');
      await world.sees('shop', 'trimmed');
      assert.deepEqual(later, ['poison', 'shop']);
      assert.deepEqual(errors, ['an object was not trimmed', 'a listener failed', 'a listener failed']);
    },
    { log, trim },
  );
});

function written(version: number | bigint, a: string): ConfigMap {
  return { metadata: { namespace: 'default', name: 'shop', resourceVersion: String(version) }, data: { a } };
}

function alone(): ResourceCache<ConfigMap> {
  const deps = { clock: realClock, random: Math.random, log: silentLog };
  return new ResourceCache<ConfigMap>({ api: new MemoryKubeApi(), resource: CONFIG_MAPS, ...deps });
}

test('row 22: what was written is read at once, and an older copy never comes back over it', () => {
  const cache = alone();
  const told: string[] = [];
  cache.onChange(({ data }, change) => told.push(`${change} ${data?.a}`));
  cache.noteWritten(written(99, 'a'));
  cache.noteWritten(written(100, 'b'));
  cache.noteWritten(written(99, 'a'));
  cache.noteWritten(written(100, 'b'));
  assert.equal(cache.get('default', 'shop')?.data?.a, 'b');
  cache.noteDeleted(written(101, 'b'));
  cache.noteWritten(written(100, 'b'));
  assert.equal(cache.get('default', 'shop'), undefined);
  cache.noteDeleted(written(50, 'x'));
  cache.noteWritten(written(101, 'b'));
  assert.equal(cache.get('default', 'shop'), undefined, 'an older deletion does not shorten a newer one');
  cache.noteWritten(written(9_007_199_254_740_993n, 'c'));
  assert.deepEqual(told, ['added a', 'changed b', 'deleted b', 'added c']);
});

test('what was written while a list was under way is not taken for gone', () =>
  withWorld(async (world) => {
    await world.write('shop', '1');
    const stale = async (response: ServerResponse) => {
      const { resourceVersion } = await world.server.memory.list(CONFIG_MAPS);
      world.cache.noteWritten(await world.write('new', '1'));
      response.end(JSON.stringify({ metadata: { resourceVersion }, items: [] }));
    };
    world.server.failNext('list', (response) => void stale(response));
    world.cache.start();
    await world.cache.whenSynced();
    assert.equal(world.valueOf('new'), '1');
    await world.cache.stop();
  }));

test('who waits for a cache that never syncs can stop waiting', () =>
  withWorld(async (world) => {
    await assert.rejects(world.cache.whenSynced(AbortSignal.timeout(20)), { name: 'TimeoutError' });
    await assert.rejects(world.cache.whenSynced(AbortSignal.abort(new Error('enough'))), /enough/);
  }));

test('a kind that cannot be listed is said again every few minutes; one that is not served, once', async () => {
  for (const [status, message, said] of [
    [403, 'configmaps is forbidden', 3],
    [404, '404 page not found', 1],
  ] as const) {
    const warned: unknown[] = [];
    const log: Log = { ...silentLog, warn: (_message, fields) => warned.push(fields) };
    const api = new MemoryKubeApi();
    api.intercept = () => {
      throw new KubeError('list', status, { message });
    };
    let ms = 0;
    const sleep = (forMs: number, signal?: AbortSignal) => {
      ms += forMs;
      return new Promise<void>((resolve) => {
        if (ms <= 400_000) setImmediate(resolve);
        else signal?.addEventListener('abort', () => resolve(), { once: true });
      });
    };
    const clock = { now: () => ms, sleep };
    const cache = new ResourceCache({ api, resource: CONFIG_MAPS, clock, random: () => 1, log });
    cache.start();
    await until(() => ms > 400_000);
    await cache.stop();
    assert.equal(warned.length, said, message);
    for (const fields of warned) {
      const { kind, error } = fields as { kind: string; error: Error };
      assert.deepEqual([kind, error.message], ['ConfigMap', `list: ${message}`]);
    }
    assert.equal((cache.failure as Error).message, `list: ${message}`);
  }
});
