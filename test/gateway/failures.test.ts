import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snapshotOf } from '../../src/gateway/snapshot.ts';
import {
  answering,
  configOf,
  counted,
  countedAll,
  eventually,
  GET,
  OK,
  openGateway,
  openHttp,
  openRaw,
  RawClient,
  STABLE,
  versionOf,
} from './harness.ts';

const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody';
const quick = { connectMs: 300, responseMs: 150, idleMs: 300, headMs: 200 };

test('a place that refuses connections is a 502, counted as connect-failed', async (t) => {
  const { gateway, port } = await openGateway(t, configOf(1));
  const client = new RawClient(t, port);
  client.send(GET);
  const text = await client.until((seen) => seen.includes('\n\n') || seen.includes('reached.'));
  assert.match(text, /^HTTP\/1\.1 502 .*haldane-gateway: connect-failed/s);
  assert.equal(counted(gateway, 'connect-failed'), 1);
  assert.deepEqual(snapshotOf(gateway).inFlight, { [STABLE]: 0 });
});

test('an answer that does not come is a 504, counted as timeout, and its time is in the histogram', async (t) => {
  const upstream = await openRaw(t, () => undefined);
  const { gateway, port } = await openGateway(t, configOf(upstream.port, { timeouts: quick }));
  const client = new RawClient(t, port);
  client.send(GET);
  assert.match(await client.until((seen) => seen.includes('in time.')), /^HTTP\/1\.1 504 /);
  assert.equal(counted(gateway, 'timeout'), 1);
  assert.equal(snapshotOf(gateway).latency[0]?.counts.length, 1);
});

test('interim answers do not buy a version more time', async (t) => {
  const upstream = await openRaw(t, (socket) => {
    const timer = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 20);
    socket.on('close', () => clearInterval(timer));
  });
  const { gateway, port } = await openGateway(t, configOf(upstream.port, { timeouts: quick }));
  const client = new RawClient(t, port);
  client.send(GET);
  assert.match(await client.until((seen) => seen.includes('in time.')), /^HTTP\/1\.1 102 .*HTTP\/1\.1 504 /s);
  assert.equal(counted(gateway, 'timeout'), 1);
});

test('an answer whose head never ends is cut off', async (t) => {
  const upstream = await openRaw(t, (socket) => socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(400_000)}`));
  const { gateway, port } = await openGateway(t, configOf(upstream.port));
  const client = new RawClient(t, port);
  client.send(GET);
  assert.match(await client.until((seen) => seen.includes('its answer.')), /^HTTP\/1\.1 502 /);
  assert.equal(counted(gateway, 'reset'), 1);
});

test('a response that stops half-way is cut off at the client and counted as timeout', async (t) => {
  const upstream = await openRaw(t, (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'));
  const { gateway, port } = await openGateway(t, configOf(upstream.port, { timeouts: quick }));
  const client = new RawClient(t, port);
  client.send(GET);
  assert.ok((await client.untilEnd()).endsWith('half'));
  assert.equal(counted(gateway, 'timeout'), 1);
  assert.equal(counted(gateway, 200), 0);
});

test('an upstream reset before, within and after the head is counted as reset, never as its status', async (t) => {
  const parts = ['', 'HTTP/1.1 200', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'];
  const upstream = await openRaw(t, (socket, text) => {
    socket.write(parts[Number(/\/(\d)/.exec(text)?.[1])] as string, () => socket.resetAndDestroy());
  });
  const { gateway, port } = await openGateway(t, configOf(upstream.port));
  for (const [i, part] of parts.entries()) {
    const client = new RawClient(t, port);
    client.send(`POST /${i} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`);
    const text = part.includes('half')
      ? await client.untilEnd()
      : await client.until((seen) => seen.includes('its answer.'));
    if (!part.includes('half')) assert.match(text, /^HTTP\/1\.1 502 .*haldane-gateway: reset/s);
    assert.equal(counted(gateway, 'reset'), i + 1);
  }
  assert.equal(countedAll(gateway), 3);
});

test('answers that are not HTTP, or whose length is unclear, are a 502 counted as reset', async (t) => {
  const bad = [
    'SSH-2.0-OpenSSH_9\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok',
    'HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\nSet-Cookie: x\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
  ];
  const upstream = await openRaw(t, (socket, text) => {
    socket.end(bad[Number(/\/(\d)/.exec(text)?.[1])] as string);
  });
  const { gateway, port } = await openGateway(t, configOf(upstream.port));
  for (const [i, answer] of bad.entries()) {
    const client = new RawClient(t, port);
    client.send(`GET /${i} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    const text = await client.untilEnd();
    assert.ok(!text.includes('\r\n\r\nok'), answer);
    assert.equal(counted(gateway, 'reset'), i + 1, answer);
  }
});

test('bytes after an answer are dropped with their connection, never taken for the next answer', async (t) => {
  const upstream = await openRaw(t, answering(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`));
  const { port } = await openGateway(t, configOf(upstream.port));
  for (let i = 0; i < 5; i++) assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'ok');
  assert.equal(upstream.connections(), 5);
});

test('a client that hangs up is counted as client-closed and its request is aborted upstream', async (t) => {
  let aborted = false;
  let arrived = 0;
  const upstream = await openHttp(t, (req, res) => {
    arrived += 1;
    res.on('close', () => {
      aborted = true;
    });
    if (req.url === '/half') res.write('x');
  });
  const { gateway, port } = await openGateway(t, configOf(upstream.port));
  for (const path of ['/never', '/half']) {
    aborted = false;
    const client = new RawClient(t, port);
    client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    if (path === '/half') await client.until((text) => text.includes('x'));
    else await eventually('it is upstream', () => arrived === 1);
    assert.deepEqual(snapshotOf(gateway).inFlight, { [STABLE]: 1 });
    client.socket.destroy();
    await eventually('the upstream knows', () => aborted);
  }
  assert.equal(counted(gateway, 'client-closed'), 2);
  assert.deepEqual(snapshotOf(gateway).inFlight, { [STABLE]: 0 });
});

test('a version that said 5xx is not excused by a client that hangs up in the middle of it', async (t) => {
  const upstream = await openHttp(t, (_req, res) => res.writeHead(500).write('trouble'));
  const { gateway, port } = await openGateway(t, configOf(upstream.port));
  const client = new RawClient(t, port);
  client.send(GET);
  await client.until((text) => text.includes('trouble'));
  client.socket.destroy();
  await eventually('counted', () => counted(gateway, 500) === 1);
  assert.equal(counted(gateway, 'client-closed'), 0);
});

test('an upstream that answers before the whole request has come is heard in full', async (t) => {
  const upstream = await openRaw(t, (socket) => socket.write('HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\nstop'));
  const { gateway, port } = await openGateway(t, configOf(upstream.port));
  const client = new RawClient(t, port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nbegin');
  const text = await client.untilEnd();
  assert.match(text, /^HTTP\/1\.1 403 .*stop$/s);
  assert.equal(counted(gateway, 403), 1);
});

test('an idle connection the server has closed costs no GET: it is sent once more on a fresh connection', async (t) => {
  const upstream = await openRaw(t, (socket, text, connection) => {
    const asked = text.split('\r\n\r\n').length - 1;
    // The first connection answers once, then resets in the moment of the second request.
    if (connection === 0 && asked === 2) socket.resetAndDestroy();
    else socket.write(OK);
  });
  const { gateway, port } = await openGateway(t, configOf(upstream.port));
  for (let i = 0; i < 2; i++) assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200);
  assert.equal(counted(gateway, 200), 2);
  assert.equal(gateway.versions.get(STABLE)?.resent, 1);
});

test('a request with a body is never sent twice', async (t) => {
  const upstream = await openRaw(t, (socket, text) => {
    if (text.includes('POST')) socket.resetAndDestroy();
    else socket.write(OK);
  });
  const { gateway, port } = await openGateway(t, configOf(upstream.port));
  assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200);
  const client = new RawClient(t, port);
  client.send(POST);
  assert.match(await client.until((text) => text.includes('its answer.')), /^HTTP\/1\.1 502 /);
  assert.equal(upstream.received.join('').split('POST').length - 1, 1);
  assert.equal(counted(gateway, 'reset'), 1);
});

test('a failing place is left out after three failures, each of them counted, and tried again later', async (t) => {
  const good = await openRaw(t, answering(OK));
  const config = configOf(1, { versions: [versionOf(STABLE, 1, good.port)] });
  const { gateway, port } = await openGateway(t, config);
  let ok = 0;
  for (let i = 0; i < 40; i++) if ((await fetch(`http://127.0.0.1:${port}/`)).status === 200) ok += 1;
  assert.equal(counted(gateway, 'connect-failed'), 3);
  assert.equal(counted(gateway, 200), 37);
  assert.equal(ok, 37);
  await eventually('seen as one of two', () => snapshotOf(gateway).endpoints[STABLE]?.healthy === 1);
  assert.equal(snapshotOf(gateway).endpoints[STABLE]?.total, 2);
});

test('with every place failing they are still tried: nobody is answered by nothing', async (t) => {
  const { gateway, port } = await openGateway(t, configOf(1));
  for (let i = 0; i < 10; i++) assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 502);
  assert.equal(counted(gateway, 'connect-failed'), 10);
});

test('limits: a head too large, too many fields, a body too large by length and by chunks', async (t) => {
  const upstream = await openHttp(t, (req, res) => req.resume().on('end', () => res.end('ok')));
  const limits = { headBytes: 2_000, bodyBytes: 10, connections: 100 };
  const { gateway, port } = await openGateway(t, configOf(upstream.port, { limits }));
  const cases: readonly (readonly [number, string])[] = [
    [431, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(2_000)}\r\n\r\n`],
    [431, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(4_000)}`],
    [431, `GET /${'x'.repeat(4_000)}`],
    [431, `GET / HTTP/1.1\r\nHost: a\r\n${'a:b\r\n'.repeat(200)}\r\n`],
    [413, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n'],
    [413, 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n0\r\n\r\n'],
  ];
  for (const [status, text] of cases) {
    const client = new RawClient(t, port);
    client.send(text);
    assert.match(
      await client.untilEnd(),
      new RegExp(`^HTTP/1\\.1 ${status} .*connection: close`, 's'),
      text.slice(0, 60),
    );
  }
  const fits = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: '1234567890' });
  assert.equal(fits.status, 200);
  assert.equal(gateway.runtime.refused.get('body-too-large'), 2);
});

test('slow clients: a head that dribbles in is a 408, a silent connection is closed, a body that stops is a 408', async (t) => {
  const upstream = await openHttp(t, (req, res) => req.resume().on('end', () => res.end('ok')));
  const { gateway, port } = await openGateway(
    t,
    configOf(upstream.port, { timeouts: { ...quick, responseMs: 1_000 } }),
  );
  const slow = new RawClient(t, port);
  slow.send('GET / HTTP/1.1\r\nHost: a\r\nX-');
  const silent = new RawClient(t, port);
  const stopped = new RawClient(t, port);
  stopped.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
  assert.match(await slow.untilEnd(), /^HTTP\/1\.1 408 /);
  assert.equal(await silent.untilEnd(), '');
  assert.match(await stopped.untilEnd(), /^HTTP\/1\.1 408 /);
  assert.equal(gateway.runtime.refused.get('head-timeout'), 1);
  assert.equal(counted(gateway, 'client-closed'), 1);
  assert.equal(countedAll(gateway), 1);
});

test('an idle kept-alive connection is closed after its time', async (t) => {
  const upstream = await openRaw(t, answering(OK));
  const { port } = await openGateway(t, configOf(upstream.port, { timeouts: quick }));
  const client = new RawClient(t, port);
  client.send(GET);
  assert.ok((await client.untilEnd()).endsWith('ok'));
});

test('one connection too many is told 503 and closed; the others live on', async (t) => {
  const upstream = await openRaw(t, answering(OK));
  const limits = { headBytes: 2_000, bodyBytes: 10, connections: 2 };
  const { gateway, port } = await openGateway(t, configOf(upstream.port, { limits }));
  const first = new RawClient(t, port);
  const second = new RawClient(t, port);
  await eventually('two are there', () => gateway.runtime.clients.size === 2);
  const third = new RawClient(t, port);
  assert.match(await third.untilEnd(), /^HTTP\/1\.1 503 .*haldane-gateway: connections/s);
  for (const client of [first, second]) {
    client.send(GET);
    await client.until((text) => text.endsWith('ok'));
  }
});

test('refused requests are no version’s: they are counted apart', async (t) => {
  const { gateway, port } = await openGateway(t, configOf(1));
  const client = new RawClient(t, port);
  client.send('GET / HTTP/1.1\r\n\r\n');
  assert.match(await client.untilEnd(), /^HTTP\/1\.1 400 /);
  assert.equal(countedAll(gateway), 0);
  assert.equal(gateway.runtime.refused.get('host'), 1);
});

test('repeats of a user request within a minute are counted once', async (t) => {
  const upstream = await openRaw(t, answering('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n'));
  const { gateway, port } = await openGateway(t, configOf(upstream.port, { retryHeader: 'X-Request-Id' }));
  const ids = ['a', 'a', 'b', 'a', '', ''];
  for (const id of ids) {
    await fetch(`http://127.0.0.1:${port}/`, id === '' ? {} : { headers: { 'x-request-id': id } });
  }
  assert.equal(counted(gateway, 500), 4);
  assert.equal(gateway.versions.get(STABLE)?.repeats, 2);
});
