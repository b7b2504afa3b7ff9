import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { snapshotOf } from '../../src/gateway/snapshot.ts';
import { configOf, counted, eventually, openGateway, openHttp, RawClient, STABLE } from './harness.ts';

const ASK =
  'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

/** A server that upgrades and sends back what it gets. */
async function echo(t: TestContext): Promise<{ port: number; open: () => number }> {
  let open = 0;
  const { server, port } = await openHttp(t, (_req, res) => res.writeHead(426).end('upgrade'));
  server.on('upgrade', (req, socket) => {
    open += 1;
    const accept = createHash('sha1')
      .update(`${req.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\nhi`,
    );
    socket.on('data', (part) => socket.write(part));
    socket.on('end', () => socket.end());
    socket.on('error', () => undefined);
    socket.on('close', () => {
      open -= 1;
    });
  });
  return { port, open: () => open };
}

test('a WebSocket opens, carries bytes both ways, and is in flight until it closes', async (t) => {
  const upstream = await echo(t);
  const { gateway, port } = await openGateway(t, configOf(upstream.port));
  const client = new RawClient(t, port);
  client.send(ASK);
  const head = await client.until((text) => text.endsWith('hi'));
  assert.match(
    head,
    /^HTTP\/1\.1 101 .*Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=.*connection: upgrade\r\nupgrade: websocket\r\n\r\nhi$/s,
  );
  const big = 'x'.repeat(300_000);
  client.send(big);
  await client.until((text) => text.length >= head.length + big.length);
  assert.equal(counted(gateway, 101), 1);
  assert.equal(snapshotOf(gateway).inFlight[STABLE], 1);
  client.socket.end();
  await client.untilEnd();
  await eventually('closed upstream', () => upstream.open() === 0);
  await eventually('no longer in flight', () => snapshotOf(gateway).inFlight[STABLE] === 0);
  assert.equal(counted(gateway, 101), 1);
});

test('bytes sent before the switch wait for it', async (t) => {
  const upstream = await echo(t);
  const { port } = await openGateway(t, configOf(upstream.port));
  const client = new RawClient(t, port);
  client.send(`${ASK}early`);
  await client.until((text) => text.endsWith('hiearly') || text.endsWith('earlyhi'));
});

test('an upstream that does not switch answers as usual, and the connection lives on', async (t) => {
  const upstream = await openHttp(t, (req, res) => res.end(`no ${req.headers.upgrade} ${req.url}`));
  const { port } = await openGateway(t, configOf(upstream.port));
  const client = new RawClient(t, port);
  client.send(`${ASK}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`);
  const text = await client.until((seen) => seen.endsWith('/next'));
  assert.match(text, /no websocket \/chat/);
});

test('a client that vanishes takes its tunnel with it', async (t) => {
  const upstream = await echo(t);
  const { gateway, port } = await openGateway(t, configOf(upstream.port));
  const client = new RawClient(t, port);
  client.send(ASK);
  await client.until((text) => text.endsWith('hi'));
  client.socket.resetAndDestroy();
  await eventually('closed upstream', () => upstream.open() === 0);
  assert.equal(snapshotOf(gateway).inFlight[STABLE], 0);
});

test('a server that ends the tunnel is heard to the last byte', async (t) => {
  const { server, port: upstreamPort } = await openHttp(t, () => undefined);
  server.on('upgrade', (_req, socket) => {
    socket.end(`HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${'z'.repeat(200_000)}`);
  });
  const { gateway, port } = await openGateway(t, configOf(upstreamPort));
  const client = new RawClient(t, port);
  client.send(ASK);
  const text = await client.untilEnd();
  assert.equal(text.length - text.indexOf('\r\n\r\n') - 4, 200_000);
  client.socket.end();
  await eventually('no longer in flight', () => snapshotOf(gateway).inFlight[STABLE] === 0);
});
