import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { configOf, openGateway, openHttp, openRaw, RawClient } from './harness.ts';

/** Sends raw field lines and returns what the upstream was told, in lower case, as [name, value]. */
async function told(t: TestContext, lines: string, trustedProxies?: readonly string[]): Promise<[string, string][]> {
  const upstream = await openHttp(t, (req, res) => res.end(JSON.stringify(req.rawHeaders)));
  const { port } = await openGateway(
    t,
    configOf(upstream.port, trustedProxies === undefined ? {} : { trustedProxies }),
  );
  const client = new RawClient(t, port);
  client.send(`GET / HTTP/1.1\r\nHost: shop.example:8080\r\n${lines}\r\n`);
  const text = await client.until((seen) => seen.endsWith(']'));
  const raw = JSON.parse(text.slice(text.indexOf('['))) as string[];
  const pairs: [string, string][] = [];
  for (let i = 0; i < raw.length; i += 2) pairs.push([(raw[i] as string).toLowerCase(), raw[i + 1] as string]);
  return pairs;
}

function value(pairs: readonly (readonly [string, string])[], name: string): string | undefined {
  return pairs
    .filter(([found]) => found === name)
    .map(([, text]) => text)
    .join(' | ');
}

test('hop-by-hop fields, and those Connection names, end at the gateway (RFC 9110 section 7.6.1)', async (t) => {
  const pairs = await told(
    t,
    'Connection: X-Private, close\r\nX-Private: 1\r\nKeep-Alive: timeout=9\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: x\r\nProxy: http://evil\r\nTE: gzip\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\nX-Kept: yes\r\nAccept: a\r\nAccept: b\r\n',
  );
  const names = pairs.map(([name]) => name);
  for (const gone of [
    'connection',
    'x-private',
    'keep-alive',
    'proxy-connection',
    'proxy-authorization',
    'proxy',
    'te',
    'upgrade',
    'http2-settings',
  ]) {
    assert.ok(!names.includes(gone), gone);
  }
  assert.equal(value(pairs, 'x-kept'), 'yes');
  assert.equal(value(pairs, 'accept'), 'a | b');
});

test('lines that pass keep their order, spelling and bytes', async (t) => {
  const upstream = await openRaw(t, (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  const { port } = await openGateway(t, configOf(upstream.port));
  const client = new RawClient(t, port);
  const lines = 'X-Up: \xe4\xff\r\nx-down:no-space\r\nX-MiXed: a  b\r\n';
  client.send(`GET /p%20q?a=%2F HTTP/1.1\r\nHost: a\r\n${lines}\r\n`);
  await client.until((text) => text.endsWith('\r\n\r\n'));
  assert.ok(upstream.received[0]?.startsWith('GET /p%20q?a=%2F HTTP/1.1\r\nhost: a\r\n'));
  assert.ok(upstream.received[0]?.includes(`\r\n${lines}`), upstream.received[0]);
});

test('an unknown peer cannot pass itself off: what it says of earlier hops is dropped', async (t) => {
  const pairs = await told(
    t,
    'X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nForwarded: for=9.9.9.9\r\n',
    [],
  );
  assert.equal(value(pairs, 'x-forwarded-for'), '127.0.0.1');
  assert.equal(value(pairs, 'x-forwarded-proto'), 'http');
  assert.equal(value(pairs, 'x-forwarded-host'), 'shop.example:8080');
  assert.equal(value(pairs, 'forwarded'), 'for=127.0.0.1;host="shop.example:8080";proto=http');
});

test('a trusted proxy is continued: TLS in front stays https, hops are added (RFC 7239)', async (t) => {
  const pairs = await told(
    t,
    'X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-For: 198.51.100.1\r\nX-Forwarded-Proto: https\r\nForwarded: for=203.0.113.7;proto=https\r\n',
  );
  assert.equal(value(pairs, 'x-forwarded-for'), '203.0.113.7, 198.51.100.1, 127.0.0.1');
  assert.equal(value(pairs, 'x-forwarded-proto'), 'https');
  assert.equal(
    value(pairs, 'forwarded'),
    'for=203.0.113.7;proto=https, for=127.0.0.1;host="shop.example:8080";proto=http',
  );
});

test('Via names the gateway to both sides', async (t) => {
  const pairs = await told(t, 'Via: 1.1 edge\r\n');
  assert.equal(value(pairs, 'via'), '1.1 edge | 1.1 haldane');
});

test('a valid traceparent passes unchanged with its tracestate; a missing one is made', async (t) => {
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const passed = await told(t, `traceparent: ${trace}\r\ntracestate: a=b\r\n`);
  assert.equal(value(passed, 'traceparent'), trace);
  assert.equal(value(passed, 'tracestate'), 'a=b');
  assert.match(value(await told(t, ''), 'traceparent') as string, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
});

test('an invalid traceparent is replaced, and its tracestate dropped', async (t) => {
  const trace = '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331';
  for (const bad of [
    `00-${trace}`,
    `ff-${trace}-01`,
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-${trace}-01-x`,
    `00-${trace.toUpperCase()}-01`,
  ]) {
    const pairs = await told(t, `Traceparent: ${bad}\r\nTracestate: a=b\r\nX-After: 1\r\n`);
    assert.match(value(pairs, 'traceparent') as string, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/, bad);
    assert.equal(value(pairs, 'tracestate'), '', bad);
    assert.equal(value(pairs, 'x-after'), '1');
  }
});

test('a response loses what ended at its hop and keeps the rest, repeated fields included', async (t) => {
  const upstream = await openRaw(t, (socket) =>
    socket.write(
      'HTTP/1.1 200 Fine by me\r\nSet-Cookie: a=1\r\nConnection: X-Internal, keep-alive\r\nKeep-Alive: timeout=5\r\nX-Internal: 1\r\nSet-Cookie: b=2\r\nProxy-Authenticate: x\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nok',
    ),
  );
  const { port } = await openGateway(t, configOf(upstream.port));
  const client = new RawClient(t, port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const text = await client.until((seen) => seen.endsWith('ok'));
  assert.equal(
    text,
    'HTTP/1.1 200 Fine by me\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\nvia: 1.1 haldane\r\n\r\nok',
  );
});

test('a reason phrase no one may pass on is left out', async (t) => {
  const upstream = await openRaw(t, (socket) => socket.write('HTTP/1.1 200 a\0b\r\nContent-Length: 0\r\n\r\n'));
  const { port } = await openGateway(t, configOf(upstream.port));
  const client = new RawClient(t, port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.match(await client.until((seen) => seen.endsWith('\r\n\r\n')), /^HTTP\/1\.1 200 \r\n/);
});

test('heads split over reads at every byte mean the same', async (t) => {
  const upstream = await openHttp(t, (req, res) =>
    res.end(`${req.url} ${req.headers['x-a']} ${req.headers['x-empty']} ${req.headers.host}`),
  );
  const { port } = await openGateway(t, configOf(upstream.port));
  const text = 'GET /path HTTP/1.1\r\nHost: shop\r\nX-Empty:\r\nX-A: value\r\nConnection: close\r\n\r\n';
  for (let cut = 1; cut < text.length; cut++) {
    const client = new RawClient(t, port);
    client.socket.setNoDelay(true);
    client.send(text.slice(0, cut));
    await new Promise((resolve) => setTimeout(resolve, 1));
    client.send(text.slice(cut));
    assert.ok((await client.untilEnd()).includes('/path value  shop'), `cut at ${cut}`);
  }
});

test('an empty value at the end of a head stays within the head, both ways', async (t) => {
  const upstream = await openRaw(t, (socket) =>
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Last:\r\n\r\nok'),
  );
  const { port } = await openGateway(t, configOf(upstream.port));
  const client = new RawClient(t, port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\nX-Last: \r\n\r\n');
  const text = await client.until((seen) => seen.endsWith('ok'));
  for (const head of [text, upstream.received[0] as string]) assert.equal(head.split('\r\n\r\n').length, 2, head);
});
