import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { test } from 'node:test';
import {
  answering,
  configOf,
  counted,
  eventually,
  GET,
  OK,
  openGateway,
  openHttp,
  openRaw,
  RawClient,
} from './harness.ts';

function url(port: number, path = '/'): string {
  return `http://127.0.0.1:${port}${path}`;
}

test('a request reaches the upstream and its answer the client, with bodies both ways', async (t) => {
  const upstream = await openHttp(t, (req, res) => {
    const parts: Buffer[] = [];
    req.on('data', (part) => parts.push(part));
    req.on('end', () => res.writeHead(201, { 'x-kind': 'echo' }).end(Buffer.concat(parts)));
  });
  const { gateway, port } = await openGateway(t, configOf(upstream.port));
  const answer = await fetch(url(port, '/a?b=c'), { method: 'POST', body: 'hello' });
  assert.equal(answer.status, 201);
  assert.equal(answer.headers.get('x-kind'), 'echo');
  assert.equal(await answer.text(), 'hello');
  assert.equal(counted(gateway, 201), 1);
});

test('bodies of 20 MB pass both ways at once, chunked and by length, byte for byte', async (t) => {
  const upstream = await openHttp(t, (req, res) => {
    if (req.headers['content-length'] !== undefined) res.setHeader('content-length', req.headers['content-length']);
    req.pipe(res);
  });
  const { port } = await openGateway(t, configOf(upstream.port));
  const body = Buffer.alloc(20 * 1024 * 1024);
  for (let i = 0; i < body.length; i += 4) body.writeUInt32LE((i * 2654435761) >>> 0, i);
  for (const chunked of [false, true]) {
    const headers = chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': body.length };
    const req = request(url(port), { method: 'PUT', headers });
    const parts: Buffer[] = [];
    const done = new Promise<void>((resolve, reject) => {
      req.on('error', reject);
      req.on('response', (res) => {
        res.on('data', (part) => parts.push(part));
        res.on('end', resolve);
        res.on('error', reject);
      });
    });
    for (let at = 0; at < body.length; at += 100_000) {
      if (!req.write(body.subarray(at, at + 100_000))) await once(req, 'drain');
    }
    req.end();
    await done;
    assert.ok(Buffer.concat(parts).equals(body), `chunked: ${chunked}`);
  }
});

test('a response streams: the client has its first part before the upstream has ended it', async (t) => {
  let finish = (): void => undefined;
  const upstream = await openHttp(t, (_req, res) => {
    res.write('data: one\n\n');
    finish = () => res.end('data: two\n\n');
  });
  const { port } = await openGateway(t, configOf(upstream.port));
  const client = new RawClient(t, port);
  client.send(GET);
  await client.until((text) => text.includes('data: one'));
  finish();
  await client.until((text) => text.endsWith('data: two\n\n\r\n0\r\n\r\n'));
});

test('a request streams: the upstream has its first part before the client has ended it', async (t) => {
  let first: string | undefined;
  const upstream = await openHttp(t, (req, res) => {
    let all = '';
    req.on('data', (part) => {
      first ??= String(part);
      all += part;
    });
    req.on('end', () => res.end(all));
  });
  const { port } = await openGateway(t, configOf(upstream.port));
  const client = new RawClient(t, port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n');
  await eventually('the first chunk is upstream', () => first !== undefined);
  assert.equal(first, 'one');
  client.send('3\r\ntwo\r\n0\r\n\r\n');
  await client.until((text) => text.includes('onetwo'));
});

test('a slow reader holds the upstream back instead of filling memory', async (t) => {
  const total = 64 * 1024 * 1024;
  let sent = 0;
  const upstream = await openHttp(t, (_req, res) => {
    res.setHeader('content-length', total);
    const chunk = Buffer.alloc(256 * 1024, 'x');
    const push = (): void => {
      while (sent < total) {
        sent += chunk.length;
        if (!res.write(chunk)) {
          res.once('drain', push);
          return;
        }
      }
      res.end();
    };
    push();
  });
  const { port } = await openGateway(t, configOf(upstream.port));
  const client = new RawClient(t, port);
  client.send(GET);
  await client.until((text) => text.length > 0);
  client.socket.pause();
  let before = -1;
  await eventually('the upstream is held back', () => {
    const still = sent === before;
    before = sent;
    return still;
  });
  assert.ok(sent < total, `${sent} bytes were taken from the upstream`);
  let received = client.text.length;
  client.socket.removeAllListeners('data');
  client.socket.on('data', (part) => {
    received += part.length;
  });
  client.socket.resume();
  await eventually('the rest has come', () => received >= total, 20_000);
});

test('pipelined requests are answered in order, one at a time upstream', async (t) => {
  let open = 0;
  let most = 0;
  const upstream = await openHttp(t, (req, res) => {
    open += 1;
    most = Math.max(most, open);
    setImmediate(() => {
      open -= 1;
      res.end(`<${req.url}>`);
    });
  });
  const { gateway, port } = await openGateway(t, configOf(upstream.port));
  const client = new RawClient(t, port);
  const paths = Array.from({ length: 50 }, (_, i) => `/p${i}`);
  client.send(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
  const text = await client.until((seen) => seen.includes('</p49>'));
  assert.deepEqual(
    text.match(/<\/p[0-9]+>/g),
    paths.map((path) => `<${path}>`),
  );
  assert.equal(most, 1);
  assert.equal(counted(gateway, 200), 50);
});

test('a head may come one byte at a time, and the body with the head of the next request', async (t) => {
  const upstream = await openHttp(t, (req, res) => {
    let all = '';
    req.on('data', (part) => {
      all += part;
    });
    req.on('end', () => res.end(`[${req.method} ${req.url} ${req.headers['x-long']} ${all}]`));
  });
  const { port } = await openGateway(t, configOf(upstream.port));
  const client = new RawClient(t, port);
  client.socket.setNoDelay(true);
  const long = 'v'.repeat(40);
  for (const byte of `POST /one HTTP/1.1\r\nHost: a\r\nX-Long: ${long}\r\nContent-Length: 3\r\n\r\n`) {
    client.send(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  client.send('abcGET /two HTTP/1.1\r\nHost: a\r\n\r\n');
  const text = await client.until((seen) => seen.includes('/two'));
  assert.ok(text.includes(`[POST /one ${long} abc]`), text);
});

test('HEAD, 204 and 304 have no body and keep the connection usable', async (t) => {
  const upstream = await openHttp(t, (req, res) => {
    if (req.url === '/204') res.writeHead(204).end();
    else if (req.url === '/304') res.writeHead(304, { etag: '"x"' }).end();
    else res.setHeader('content-length', 4).end('body');
  });
  const { gateway, port } = await openGateway(t, configOf(upstream.port));
  const client = new RawClient(t, port);
  client.send(
    'HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /204 HTTP/1.1\r\nHost: a\r\n\r\nGET /304 HTTP/1.1\r\nHost: a\r\n\r\nGET /end HTTP/1.1\r\nHost: a\r\n\r\n',
  );
  const text = await client.until((seen) => seen.endsWith('body'));
  assert.equal(text.match(/HTTP\/1\.1 (\d+)/g)?.join(), 'HTTP/1.1 200,HTTP/1.1 204,HTTP/1.1 304,HTTP/1.1 200');
  assert.match(text.split('\r\n\r\n')[0] as string, /content-length: 4/i);
  assert.equal(counted(gateway, 304), 1);
});

test('Expect: 100-continue reaches the upstream, and its 100 the client, before the body is sent', async (t) => {
  const upstream = await openHttp(t, (req, res) => {
    req.resume().on('end', () => res.end('got it'));
  });
  const { port } = await openGateway(t, configOf(upstream.port));
  const client = new RawClient(t, port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n');
  await client.until((text) => text.startsWith('HTTP/1.1 100 Continue\r\n\r\n'));
  client.send('body');
  await client.until((text) => text.endsWith('got it'));
});

test('an upstream that refuses an expected body is heard, and the connection is closed after it', async (t) => {
  const upstream = await openRaw(t, (socket) => socket.write('HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno'));
  const { gateway, port } = await openGateway(t, configOf(upstream.port));
  const client = new RawClient(t, port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n');
  assert.match(await client.untilEnd(), /^HTTP\/1\.1 413 .*no$/s);
  assert.equal(counted(gateway, 413), 1);
});

test('early hints (103) pass, and the final answer after them', async (t) => {
  const upstream = await openHttp(t, (_req, res) => {
    res.writeEarlyHints({ link: '</a.css>; rel=preload' });
    res.end('page');
  });
  const { gateway, port } = await openGateway(t, configOf(upstream.port));
  const client = new RawClient(t, port);
  client.send(GET);
  const text = await client.until((seen) => seen.endsWith('page'));
  assert.match(text, /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK/i);
  assert.equal(counted(gateway, 200), 1);
  assert.equal(counted(gateway, 103), 0);
});

test('trailers pass both ways, but for those that could frame or route a message', async (t) => {
  let trailers: NodeJS.Dict<string> = {};
  const upstream = await openHttp(t, (req, res) => {
    req.resume().on('end', () => {
      trailers = req.trailers;
      res.setHeader('trailer', 'x-sum');
      res.write('a');
      res.addTrailers({ 'x-sum': '42' });
      res.end();
    });
  });
  const { port } = await openGateway(t, configOf(upstream.port));
  const client = new RawClient(t, port);
  client.send(
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Check: ok\r\nAuthorization: x\r\nHost: evil\r\n\r\n',
  );
  const text = await client.until((seen) => seen.endsWith('\r\n\r\n') && seen.includes('\r\n0\r\n'));
  assert.match(text, /\r\n0\r\nx-sum: 42\r\n\r\n$/);
  assert.deepEqual({ ...trailers }, { 'x-check': 'ok' });
});

test('an HTTP/1.0 client gets its answer unchunked, ended by the close or kept alive when it asks', async (t) => {
  const upstream = await openHttp(t, (req, res) => {
    if (req.url === '/stream') res.write('one');
    res.end('two');
  });
  const { port } = await openGateway(t, configOf(upstream.port));
  const streaming = new RawClient(t, port);
  streaming.send('GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  const text = await streaming.untilEnd();
  assert.ok(text.endsWith('\r\n\r\nonetwo') && !/transfer-encoding/i.test(text), text);
  const kept = new RawClient(t, port);
  kept.send('GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  await kept.until((seen) => seen.endsWith('two'));
  assert.match(kept.text, /connection: keep-alive/i);
  kept.send('GET /b HTTP/1.0\r\n\r\n');
  assert.match(await kept.untilEnd(), /connection: close/i);
});

test('an upstream that ends its answer by closing is passed on in chunks', async (t) => {
  const upstream = await openRaw(t, (socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nuntil the end'));
  const { port } = await openGateway(t, configOf(upstream.port));
  const answer = await fetch(url(port));
  assert.equal(await answer.text(), 'until the end');
});

test('connections to the upstream are used again, and never by two requests at once', async (t) => {
  const upstream = await openRaw(t, answering(OK));
  const { port } = await openGateway(t, configOf(upstream.port));
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  t.after(() => agent.destroy());
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      [1, 2, 3, 4].map(
        () =>
          new Promise<void>((resolve, reject) => {
            request(url(port), { agent }, (res) => res.resume().on('end', resolve))
              .on('error', reject)
              .end();
          }),
      ),
    );
  }
  assert.ok(upstream.connections() <= 4, `${upstream.connections()} connections`);
});

test('IPv6: served on ::1, forwarded to ::1, and named in brackets in Forwarded', async (t) => {
  const upstream = await openHttp(t, (req, res) => res.end(String(req.headers.forwarded)), '::1');
  const config = configOf(1, {
    listen: { host: '::1', port: 0 },
    versions: [{ revision: 'stable-1', label: 'v1', endpoints: [{ host: '::1', port: upstream.port }] }],
  });
  const { port } = await openGateway(t, config);
  const answer = await fetch(`http://[::1]:${port}/`);
  assert.equal(await answer.text(), `for="[::1]";host="[::1]:${port}";proto=http`);
});

test('hundreds of requests through one connection leave the counts exact', async (t) => {
  const upstream = await openHttp(t, (req, res) => {
    res.statusCode = req.url === '/bad' ? 503 : 200;
    res.end('x');
  });
  const config = configOf(upstream.port, {
    routes: [
      { name: 'bad', pattern: '/bad' },
      { name: 'api', pattern: '/api/*' },
    ],
  });
  const { gateway, port } = await openGateway(t, config);
  const paths = ['/', '/bad', '/api/a?q=1', '/apix'];
  for (let i = 0; i < 400; i++) await (await fetch(url(port, paths[i % 4]))).text();
  const { snapshotOf } = await import('../../src/gateway/snapshot.ts');
  const { cells, latency } = snapshotOf(gateway);
  const plain = cells.map(({ route, method, ended, count }) => `${route} ${method} ${ended} ${count}`).sort();
  assert.deepEqual(plain, ['api GET 200 100', 'bad GET 503 100', 'other GET 200 200']);
  const timed = latency.flatMap((cell) => cell.counts).reduce((sum, [, count]) => sum + count, 0);
  assert.equal(timed, 400);
});
