import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openMetrics } from '../../src/gateway/admin.ts';
import { parseConfig } from '../../src/gateway/config-schema.ts';
import { metricsText } from '../../src/gateway/metrics-text.ts';
import { snapshotOf } from '../../src/gateway/snapshot.ts';
import {
  answering,
  CANARY,
  configOf,
  counted,
  eventually,
  GET,
  OK,
  openGateway,
  openRaw,
  RawClient,
  STABLE,
  splitConfig,
  versionOf,
} from './harness.ts';

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'haldane-log-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function lines(path: string): Record<string, unknown>[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  } catch {
    return [];
  }
}

test('the access log has one JSON line per request, refused ones included, and survives being moved away', async (t) => {
  const upstream = await openRaw(t, answering(OK));
  const path = join(directory(t), 'access.log');
  const { port } = await openGateway(t, configOf(upstream.port, { accessLog: path }));
  const client = new RawClient(t, port);
  client.send('GET /a"b\\c?d HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.until((text) => text.endsWith('ok'));
  const bad = new RawClient(t, port);
  bad.send('GET / HTTP/1.1\r\n\r\n');
  await bad.untilEnd();
  await eventually('both are written', () => lines(path).length === 2);
  const [first, second] = lines(path) as [Record<string, unknown>, Record<string, unknown>];
  const { time, ms, ...rest } = first;
  assert.ok(!Number.isNaN(Date.parse(time as string)) && typeof ms === 'number');
  assert.deepEqual(rest, {
    client: '127.0.0.1',
    method: 'GET',
    target: '/a"b\\c?d',
    ended: 200,
    revision: STABLE,
    version: STABLE,
    why: 'chance',
    upstream: `127.0.0.1:${upstream.port}`,
    bodyBytes: 0,
  });
  assert.equal(second.refused, 'host');
  renameSync(path, `${path}.1`);
  await eventually(
    'a new file is begun',
    () => {
      client.text = '';
      client.send(GET);
      return lines(path).length > 0;
    },
    10_000,
  );
  assert.equal((lines(path).at(-1) as { target: string }).target, '/');
});

test('another listen address: the new one serves, the old one refuses, open connections live on', async (t) => {
  const upstream = await openRaw(t, answering(OK));
  const { gateway, port } = await openGateway(t, configOf(upstream.port));
  const kept = new RawClient(t, port);
  kept.send(GET);
  await kept.until((text) => text.endsWith('ok'));
  await gateway.apply({ ...configOf(upstream.port), generation: 2, listen: { host: '::1', port: 0 } });
  const moved = gateway.listening as { host: string; port: number };
  assert.equal((await fetch(`http://[::1]:${moved.port}/`)).status, 200);
  kept.text = '';
  kept.send(GET);
  await kept.until((text) => text.endsWith('ok'));
  const refused = await new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(false));
    socket.on('error', () => resolve(true));
    t.after(() => socket.destroy());
  });
  assert.equal(refused, true);
});

test('an address that cannot be had is refused, and everything stays as it was', async (t) => {
  const upstream = await openRaw(t, answering(OK));
  const { gateway, port } = await openGateway(t, configOf(upstream.port));
  const busy = { ...configOf(upstream.port), generation: 2, listen: { host: '127.0.0.1', port: upstream.port } };
  await assert.rejects(gateway.apply(busy), { code: 'gateway-listen-failed' });
  assert.equal(gateway.config?.generation, 1);
  assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200);
});

test('endpoints that stay keep their connections through a change; those that go are let go', async (t) => {
  const [one, two] = [await openRaw(t, answering(OK)), await openRaw(t, answering(OK))];
  const { gateway, port } = await openGateway(t, configOf(one.port));
  const ask = async (): Promise<void> => void (await (await fetch(`http://127.0.0.1:${port}/`)).text());
  await ask();
  await gateway.apply(configOf(one.port, { generation: 2, versions: [versionOf(STABLE, one.port, two.port)] }));
  await ask();
  await ask();
  assert.equal(one.connections(), 1);
  assert.equal(two.connections(), 1);
  await gateway.apply(configOf(one.port, { generation: 3, versions: [versionOf(STABLE, two.port)] }));
  for (let i = 0; i < 4; i++) await ask();
  assert.equal(one.received[0]?.split('GET').length, 3);
  assert.equal(counted(gateway, 200), 7);
});

test('a version without weight is probed, so that it is known to be reachable before anyone is sent there', async (t) => {
  const [stable, canary] = [await openRaw(t, answering(OK)), await openRaw(t, answering(OK))];
  const { gateway } = await openGateway(t, splitConfig(stable.port, canary.port, 0));
  await eventually('the canary is healthy', () => snapshotOf(gateway).endpoints[CANARY]?.healthy === 1);
  assert.equal(canary.connections(), 0, 'a probe sends nothing');
  canary.server.close();
  await eventually('it is seen to be gone', () => snapshotOf(gateway).endpoints[CANARY]?.healthy === 0, 10_000);
});

test('before the first request a snapshot is empty and names the generation in force', async (t) => {
  const { gateway } = await openGateway(t, configOf(1));
  assert.deepEqual(snapshotOf(gateway).cells, []);
  assert.deepEqual(snapshotOf(gateway).users, {});
  assert.equal(snapshotOf(gateway).generation, 1);
});

test('metrics: labels are escaped, buckets add up, and the open port shows nothing else', async (t) => {
  const upstream = await openRaw(t, answering(OK));
  const versions = [{ ...versionOf(STABLE, upstream.port), label: 'a"b\\c\nd' }];
  const { gateway, port } = await openGateway(t, configOf(upstream.port, { versions }));
  for (let i = 0; i < 5; i++) await (await fetch(`http://127.0.0.1:${port}/`)).text();
  const text = metricsText(gateway);
  assert.ok(text.includes('version="a\\"b\\\\c\\nd"'), text);
  const buckets = [...text.matchAll(/_bucket\{.*\} (\d+)$/gm)].map((found) => Number(found[1]));
  assert.deepEqual(
    buckets,
    [...buckets].sort((a, b) => a - b),
  );
  assert.equal(buckets.at(-1), 5);
  for (const line of text.split('\n'))
    assert.match(line, /^(?:# (?:HELP|TYPE) .+|haldane_gateway_[a-z_]+\{.*\} [0-9.e+-]+|)$/);
  const server = await openMetrics(gateway, { host: '127.0.0.1', port: 0 });
  t.after(() => server.close());
  const open = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  assert.equal(
    (await fetch(`${open}/metrics`)).headers.get('content-type'),
    'text/plain; version=0.0.4; charset=utf-8',
  );
  assert.equal((await fetch(`${open}/v1/snapshot`)).status, 404);
  assert.equal((await fetch(`${open}/metrics`, { method: 'POST' })).status, 405);
});

test('configurations with faults are refused with the path of the fault', () => {
  const good = splitConfig(1, 2, 10);
  assert.deepEqual(parseConfig(JSON.parse(JSON.stringify(good))), good);
  const cases: readonly (readonly [string, unknown])[] = [
    ['listen.port', { ...good, listen: { host: 'a', port: 65_536 } }],
    ['versions[0].endpoints[0].port', { ...good, versions: [versionOf(STABLE, 0), good.versions[1]] }],
    ['versions[0].revision', { ...good, versions: [{ ...good.versions[0], revision: 'a b' }, good.versions[1]] }],
    ['split.affinity.cookie', { ...good, split: { ...good.split, affinity: { cookie: 'a;b', ttlSeconds: 1 } } }],
    [
      'split.rules[0].header.value',
      { ...good, split: { ...good.split, rules: [{ header: { name: 'a', value: 'b\r\nc' }, revision: STABLE }] } },
    ],
    ['routes[0].name', { ...good, routes: [{ name: 'other', pattern: '/' }] }],
    [
      'routes[1].pattern',
      {
        ...good,
        routes: [
          { name: 'a', pattern: '/' },
          { name: 'b', pattern: '/' },
        ],
      },
    ],
    ['trustedProxies[0]', { ...good, trustedProxies: ['192.0.2.0/33'] }],
    ['limits.headBytes', { ...good, limits: { ...good.limits, headBytes: 1 } }],
    ['timeouts.connectMs', { ...good, timeouts: { ...good.timeouts, connectMs: 0.5 } }],
    ['split.userKey', { ...good, split: { ...good.split, userKey: {} } }],
    ['generation', { ...good, generation: '1' }],
  ];
  for (const [path, config] of cases) {
    assert.throws(
      () => parseConfig(config),
      (error: { path?: string }) => error.path === path,
      path,
    );
  }
});
