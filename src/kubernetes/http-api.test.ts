import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { kubeApiConformance, until } from './conformance.ts';
import { type Credentials, fixedCredentials } from './credentials.ts';
import { answers, FakeApiServer, hangs, MemoryKubeApi, resets, streams } from './doubles/index.ts';
import { ApiUnreachable, FencedOut, isForbidden, KubeError } from './errors.ts';
import { HttpKubeApi, type HttpKubeApiOptions } from './http-api.ts';
import { CONFIG_MAPS, DEPLOYMENTS } from './resources.ts';

type Under = { readonly server: FakeApiServer; readonly api: HttpKubeApi };

const placeOf = (server: string, credentials: Credentials = fixedCredentials({ token: 'right' })) => ({
  server,
  ca: undefined,
  insecure: false,
  tlsServerName: undefined,
  credentials,
  namespace: 'default',
  source: 'test',
});

async function withServer(
  body: (under: Under) => Promise<void>,
  options: Partial<HttpKubeApiOptions> & { readonly credentials?: Credentials } = {},
): Promise<void> {
  const server = new FakeApiServer();
  const config = placeOf(await server.start(), options.credentials);
  const api = new HttpKubeApi({ config, userAgent: 'haldane/test', callLimitMs: 5_000, ...options });
  try {
    await body({ server, api });
  } finally {
    await api.close();
    await server.stop();
  }
}

const named = (name: string) => ({ metadata: { namespace: 'default', name }, data: { a: '1' } });
const AT = { namespace: 'default', name: 'shop' };

kubeApiConformance('the double in memory', async () => ({
  api: new MemoryKubeApi(),
  namespace: 'default',
  end: async () => {},
}));

kubeApiConformance('HTTP', async () => {
  const server = new FakeApiServer();
  const api = new HttpKubeApi({ config: placeOf(await server.start()), userAgent: 'haldane/test' });
  const end = async () => {
    await api.close();
    await server.stop();
  };
  return { api, namespace: 'default', end };
});

test('a list is read in pages; one that grows too old between two pages is begun again', () =>
  withServer(async ({ server, api }) => {
    for (let i = 0; i < 1_100; i += 1) await server.memory.create(CONFIG_MAPS, named(`m${i}`));
    assert.equal((await api.list(CONFIG_MAPS, { namespace: 'default' })).items.length, 1_100);
    assert.equal(server.countOf('list'), 3);
    server.memory.intercept = () => {
      server.memory.intercept = () => {};
      queueMicrotask(() => server.failNext('list', answers(410)));
    };
    assert.equal((await api.list(CONFIG_MAPS)).items.length, 1_100);
    assert.equal(server.countOf('list'), 3 + 2 + 3);
  }));

test('rows 70, 71: an error is never an absence, nor is a page that no API server wrote', () =>
  withServer(async ({ server, api }) => {
    server.failNext('get', answers(500));
    await assert.rejects(api.get(CONFIG_MAPS, AT), (error) => error instanceof KubeError && error.status === 500);
    server.failNext('get', (response) => response.writeHead(404).end('404 page not found\n'));
    await assert.rejects(api.get(CONFIG_MAPS, AT), (error) => error instanceof KubeError && error.status === 404);
    server.failNext('get', (response) => response.writeHead(200).end('<html>sign in</html>'));
    await assert.rejects(api.get(CONFIG_MAPS, AT), ApiUnreachable);
    server.failNext('delete', answers(404));
    await assert.rejects(api.delete(CONFIG_MAPS, AT), KubeError);
    server.failNext('list', answers(403));
    await assert.rejects(api.list(CONFIG_MAPS), isForbidden);
  }));

test('a read that met a dead connection is tried once more; a write is not', () =>
  withServer(async ({ server, api }) => {
    await server.memory.create(CONFIG_MAPS, named('shop'));
    server.failNext('get', resets);
    assert.notEqual(await api.get(CONFIG_MAPS, AT), null);
    assert.equal(server.countOf('get'), 2);
    server.failNext('get', resets, 2);
    await assert.rejects(api.get(CONFIG_MAPS, AT), ApiUnreachable);
    server.failNext('patch', resets);
    await assert.rejects(api.patch(CONFIG_MAPS, AT, { type: 'merge', body: {} }), ApiUnreachable);
    assert.equal(server.countOf('patch'), 1);
  }));

test('a call ends after its limit, whether the head or the body does not come', () =>
  withServer(
    async ({ server, api }) => {
      for (const fault of [hangs, streams(['{"met'], 'silence')]) {
        server.failNext('get', fault);
        const startedMs = performance.now();
        await assert.rejects(api.get(CONFIG_MAPS, AT), ApiUnreachable);
        assert.ok(performance.now() - startedMs < 2_000);
      }
      assert.equal(server.countOf('get'), 2, 'what ran out of time is not tried again');
    },
    { callLimitMs: 300 },
  ));

test('a refused token is asked for anew, once', () => {
  const asked: boolean[] = [];
  const credentials = {
    get: async (isRefused: boolean) => {
      asked.push(isRefused);
      return { token: isRefused ? 'new' : 'old' };
    },
  };
  return withServer(
    async ({ server, api }) => {
      server.token = 'new';
      await server.memory.create(CONFIG_MAPS, named('shop'));
      assert.notEqual(await api.get(CONFIG_MAPS, AT), null);
      assert.deepEqual(asked, [false, true]);
      server.token = 'another';
      await assert.rejects(api.get(CONFIG_MAPS, AT), (error) => error instanceof KubeError && error.status === 401);
    },
    { credentials },
  );
});

test('what a server that is busy asks for is handed on', () =>
  withServer(async ({ server, api }) => {
    server.failNext('patch', answers(429, { 'retry-after': '7' }));
    const patch = api.patch(CONFIG_MAPS, AT, { type: 'merge', body: {} });
    await assert.rejects(patch, (error) => error instanceof KubeError && error.retryAfterMs === 7_000);
  }));

test('lines are whole whatever the chunks, and letters too', () =>
  withServer(async ({ server, api }) => {
    const line = `${JSON.stringify({ type: 'ADDED', object: { ...named('shop'), data: { a: 'Grüße 🚀' } } })}\n`;
    const bytes = Buffer.from(line + line);
    const chunks = [...Array(Math.ceil(bytes.length / 7)).keys()].map((i) => bytes.subarray(i * 7, i * 7 + 7));
    server.failNext('watch', streams(chunks, 'end'));
    const { signal } = new AbortController();
    const told: unknown[] = [];
    const watch = { resourceVersion: '1', signal, idleMs: 5_000, timeoutSeconds: 300 };
    for await (const { object } of api.watch(CONFIG_MAPS, watch)) told.push(object.data);
    assert.deepEqual(told, [{ a: 'Grüße 🚀' }, { a: 'Grüße 🚀' }]);
  }));

test('more watches than connections for calls keep no call waiting', () =>
  withServer(async ({ server, api }) => {
    const over = new AbortController();
    const watches = [...Array(40)].map(async () => {
      const options = { resourceVersion: '0', signal: over.signal, idleMs: 20_000, timeoutSeconds: 300 };
      for await (const _event of api.watch(DEPLOYMENTS, options));
    });
    await until(() => server.openWatches === 40);
    assert.equal(await api.get(CONFIG_MAPS, AT), null);
    over.abort();
    await Promise.all(watches);
  }));

test('row 65: a fence refuses a write; reads go on', () =>
  withServer(
    async ({ server, api }) => {
      assert.equal(await api.get(CONFIG_MAPS, AT), null);
      await assert.rejects(api.create(CONFIG_MAPS, named('shop')), FencedOut);
      await assert.rejects(api.delete(CONFIG_MAPS, AT), FencedOut);
      assert.equal(server.countOf('create') + server.countOf('delete'), 0);
    },
    {
      fence: () => {
        throw new FencedOut();
      },
    },
  ));

test('row 65: a write that loses its right while it waits for a connection is not sent', async () => {
  const sockets: Socket[] = [];
  let received = 0;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      received += data.length;
      // The one connection is busy for a while, and then free again.
      setTimeout(() => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'), 200);
    });
    sockets.push(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as { readonly port: number };
  let mayWrite = true;
  const fence = () => {
    if (!mayWrite) throw new FencedOut();
  };
  const config = placeOf(`http://127.0.0.1:${address.port}`);
  const api = new HttpKubeApi({ config, userAgent: 'haldane/test', fence });
  const busy = [...Array(32)].map(() => api.get(CONFIG_MAPS, AT));
  await until(() => sockets.length === 32 && received > 0);
  const write = api.create(CONFIG_MAPS, { ...named('waits'), data: { a: 'x'.repeat(5_000) } });
  write.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 50));
  const before = received;
  mayWrite = false;
  await assert.rejects(write, FencedOut);
  await Promise.all(busy);
  assert.ok(received - before < 5_000, 'nothing of it was sent');
  await api.close();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});
