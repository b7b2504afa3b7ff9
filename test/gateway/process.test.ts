import assert from 'node:assert/strict';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { GatewaySnapshot } from '../../src/core/model/gateway.ts';
import { answering, configOf, eventually, GET, OK, openHttp, openRaw, RawClient, splitConfig } from './harness.ts';
import {
  admin,
  answered,
  commandFor,
  configure,
  instances,
  savedSnapshot,
  startGateway,
  stateDirectory,
  Users,
} from './process-harness.ts';

async function okUpstream(t: TestContext, delayMs = 0): Promise<number> {
  const { port } = await openHttp(t, (req, res) => {
    req.resume().on('end', () => (delayMs === 0 ? res.end('ok') : setTimeout(() => res.end('ok'), delayMs)));
  });
  return port;
}

test('the admin API wants its token, and its file is for the owner only', async (t) => {
  const directory = stateDirectory(t);
  const { file } = await startGateway(t, directory);
  assert.equal(statSync(join(directory, `gateway-${file.instance}.json`)).mode & 0o777, 0o600);
  const url = `http://${file.admin.host}:${file.admin.port}`;
  for (const authorization of ['', 'Bearer ', 'Bearer wrong', `Basic ${file.token}`]) {
    for (const path of ['/v1/snapshot', '/v1/config', '/metrics', '/nothing']) {
      assert.equal((await fetch(url + path, { headers: { authorization } })).status, 401, `${authorization} ${path}`);
    }
  }
  assert.equal((await fetch(`${url}/healthz`)).status, 503);
  const port = await configure(file, configOf(await okUpstream(t)));
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'ok');
  const metrics = (await admin(file, 'GET', '/metrics')).body as string;
  assert.match(
    metrics,
    /haldane_gateway_requests_total\{service="shop",revision="stable-1",version="stable-1",route="other",method="GET",ended="200"\} 1\n/,
  );
  assert.match(metrics, /haldane_gateway_request_duration_seconds_bucket\{[^}]*le="\+Inf"\} 1\n/);
  const bad = await admin(file, 'PUT', '/v1/config', { generation: 2 });
  assert.equal(bad.status, 422);
  assert.equal((bad.body as { code: string }).code, 'gateway-config-invalid');
  assert.equal((await admin(file, 'PUT', '/v1/config', { ...configOf(1), generation: 1 })).status, 409);
});

test('killed with SIGKILL, the next process serves the same split on the same port without the agent', async (t) => {
  const directory = stateDirectory(t);
  const stable = await okUpstream(t);
  const { child, file } = await startGateway(t, directory);
  const port = await configure(file, splitConfig(stable, stable, 12.34));
  await fetch(`http://127.0.0.1:${port}/`);
  await eventually('the counts are on disk', () => answered(savedSnapshot(directory, 'snapshot', file.instance)) === 1);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const next = await startGateway(t, directory);
  assert.notEqual(next.file.instance, file.instance);
  assert.deepEqual(next.file.listening, { host: '127.0.0.1', port });
  const { config } = (await admin(next.file, 'GET', '/v1/config')).body as { config: { split: { weights: unknown } } };
  assert.deepEqual(config.split.weights, splitConfig(1, 1, 12.34).split.weights);
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'ok');
  assert.equal(
    answered(savedSnapshot(directory, 'snapshot', file.instance)),
    1,
    'the counts of the one before are kept',
  );
  assert.deepEqual(
    instances(directory).map((one) => one.instance),
    [next.file.instance],
  );
});

test('SIGTERM drains: requests in flight end, idle connections get one more answer with "Connection: close"', async (t) => {
  const directory = stateDirectory(t);
  const upstream = await openRaw(t, (socket, text) => {
    if (!text.includes('/slow')) answer(socket, text);
    else if (text.endsWith('\r\n\r\n')) release = () => socket.write(OK);
  });
  const answer = answering(OK);
  let release = (): void => undefined;
  const { child, file } = await startGateway(t, directory);
  const port = await configure(file, configOf(upstream.port));
  const idle = new RawClient(t, port);
  idle.send(GET);
  await idle.until((text) => text.endsWith('ok'));
  const slow = new RawClient(t, port);
  slow.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
  await eventually('in flight', () => upstream.received.some((text) => text.includes('/slow')));
  child.kill('SIGTERM');
  let draining = false;
  while (!draining) draining = ((await admin(file, 'GET', '/v1/snapshot')).body as GatewaySnapshot).draining;
  assert.equal(idle.ended, false, 'an idle connection is not closed under its client');
  idle.text = '';
  idle.send(GET);
  assert.match(await idle.untilEnd(), /connection: close\r\n\r\nok$/i);
  release();
  assert.match(await slow.untilEnd(), /ok$/);
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
  assert.equal(answered(savedSnapshot(directory, 'final', file.instance)), 3);
  assert.deepEqual(instances(directory), []);
});

test('POST /v1/drain ends at its limit even if a client never lets go', async (t) => {
  const directory = stateDirectory(t);
  const { child, file } = await startGateway(t, directory);
  const port = await configure(file, configOf(await okUpstream(t)));
  const client = new RawClient(t, port);
  client.send(GET);
  await client.until((text) => text.endsWith('ok'));
  assert.equal((await admin(file, 'POST', '/v1/drain', { limitMs: 200 })).status, 202);
  await once(child, 'exit');
  assert.equal(answered(savedSnapshot(directory, 'final', file.instance)), 1);
});

/** More for a longer look: GATEWAY_TAKEOVERS=50. */
const TAKEOVERS = Number(process.env.GATEWAY_TAKEOVERS ?? 3);

test('the binary is replaced again and again under load and no request is lost or uncounted', async (t) => {
  const directory = stateDirectory(t);
  const stable = await okUpstream(t, 2);
  const first = await startGateway(t, directory);
  const port = await configure(first.file, splitConfig(stable, stable, 20));
  const users = new Users(port, 16);
  const seen = [first.file.instance];
  let current = first.file;
  for (let i = 0; i < TAKEOVERS; i++) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { status, body } = await admin(current, 'POST', '/v1/takeover', { command: commandFor(directory) });
    assert.equal(status, 200, JSON.stringify(body));
    const { instance } = body as { instance: string };
    current = instances(directory).find((file) => file.instance === instance) as typeof current;
    seen.push(instance);
  }
  await new Promise((resolve) => setTimeout(resolve, 300));
  await users.stop();
  assert.deepEqual(users.lost, []);
  assert.ok(users.sent > 500, `${users.sent} requests`);
  await eventually('those replaced have ended', () => instances(directory).length === 1);
  const last = (await admin(current, 'GET', '/v1/snapshot')).body as GatewaySnapshot;
  const before = seen
    .slice(0, -1)
    .reduce((sum, instance) => sum + answered(savedSnapshot(directory, 'final', instance)), 0);
  assert.equal(before + answered(last), users.sent);
  assert.equal(last.generation, 1);
});

test('a new binary that does not come up changes nothing', async (t) => {
  const directory = stateDirectory(t);
  const { file } = await startGateway(t, directory);
  const port = await configure(file, configOf(await okUpstream(t)));
  for (const command of [[process.execPath, '-e', 'process.exit(3)'], ['/does/not/exist']]) {
    const { status, body } = await admin(file, 'POST', '/v1/takeover', { command });
    assert.equal(status, 502, JSON.stringify(body));
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'ok');
  }
  assert.equal((await admin(file, 'POST', '/v1/takeover', { command: [] })).status, 422);
});
