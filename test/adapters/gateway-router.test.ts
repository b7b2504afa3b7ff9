import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { systemClock } from '../../src/adapters/clock/system.ts';
import { GatewayRouter } from '../../src/adapters/routers/gateway.ts';
import type { Backend } from '../../src/core/model/effect.ts';
import type { Split } from '../../src/core/model/split.ts';
import { policyFor, temporaryFolder, until } from './support.ts';

const GATEWAY = new URL('../../src/main/gateway.ts', import.meta.url).pathname;
const policy = policyFor();

let folder: { path: string; remove: () => void };
let routers: GatewayRouter[] = [];
const servers: Server[] = [];
/** Requests to /slow that wait to be answered. */
let held: (() => void)[] = [];
let v1: Backend;
let v2: Backend;

function router(version = '0.1.0'): GatewayRouter {
  const made = new GatewayRouter({
    stateDir: folder.path,
    clock: systemClock,
    command: [process.execPath, GATEWAY],
    version,
  });
  routers.push(made);
  return made;
}

async function backend(label: string): Promise<Backend> {
  const server = createServer((request, response) => {
    if (request.url === '/slow') held.push(() => response.end(label));
    else response.end(label);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    revision: `${label}-rev`,
    label,
    endpoints: [{ host: '127.0.0.1', port: (server.address() as AddressInfo).port }],
  };
}

function split(canaryPercent: number): Split {
  return {
    weights: [
      { revision: 'v1-rev', weightPercent: 100 - canaryPercent },
      { revision: 'v2-rev', weightPercent: canaryPercent },
    ],
    rules: [],
    salt: 'salt',
    userKey: null,
    affinity: null,
  };
}

async function ask(from: GatewayRouter, path = '/'): Promise<string> {
  const at = await from.listening(policy.name);
  assert.ok(at);
  return (await fetch(`http://${at.host}:${at.port}${path}`, { headers: { connection: 'close' } })).text();
}

before(async () => {
  v1 = await backend('v1');
  v2 = await backend('v2');
});

after(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

beforeEach(() => {
  folder = temporaryFolder();
  routers = [];
  held = [];
});

afterEach(async () => {
  const last = router();
  await last.release(policy.name);
  await until('the gateway has ended', async () => (await last.observe(policy)).state === 'absent', 40_000);
  for (const made of routers) made.close();
  folder.remove();
});

describe('the gateway router', () => {
  test('starts a gateway when first asked, and what is observed is what was asked', async () => {
    const shop = router();
    assert.equal((await shop.observe(policy)).state, 'absent');
    assert.deepEqual(await shop.ensure(policy, split(0), [v1, v2]), { kind: 'converged' });
    const seen = await shop.observe(policy);
    assert.equal(seen.state, 'converged');
    assert.deepEqual(seen.split, split(0));
    assert.deepEqual(seen.endpoints, { 'v1-rev': v1.endpoints, 'v2-rev': v2.endpoints });
    assert.equal(await ask(shop), 'v1');
    assert.deepEqual(await shop.ensure(policy, split(100), [v1, v2]), { kind: 'converged' });
    assert.equal(await ask(shop), 'v2');
  });

  test('refuses a split that sends anyone to a version without endpoints; the last good one stays (row 17, I1)', async () => {
    const shop = router();
    await shop.ensure(policy, split(0), [v1, v2]);
    const refused = await shop.ensure(policy, split(5), [v1, { ...v2, endpoints: [] }]);
    assert.equal(refused.kind, 'rejected');
    assert.match(refused.kind === 'rejected' ? refused.reason : '', /v2 has no ready endpoint/);
    const seen = await shop.observe(policy);
    assert.deepEqual([seen.state, seen.split], ['converged', split(0)]);
    assert.equal(await ask(shop), 'v1');
    const rule = { ...split(0), rules: [{ header: { name: 'canary', value: 'true' }, revision: 'v2-rev' }] };
    assert.equal((await shop.ensure(policy, rule, [v1, { ...v2, endpoints: [] }])).kind, 'rejected');
    assert.equal((await shop.ensure(policy, split(0), [v1, { ...v2, endpoints: [] }])).kind, 'converged');
    assert.equal((await shop.observe(policy)).state, 'converged');
  });

  test('the next agent finds the gateway, its split, and goes on from its generation', async () => {
    const first = router();
    await first.ensure(policy, split(0), [v1, v2]);
    await first.ensure(policy, split(10), [v1, v2]);
    first.close();
    const next = router();
    const seen = await next.observe(policy);
    assert.deepEqual(seen.split, split(10));
    const [instance] = seen.instances;
    assert.deepEqual(await next.ensure(policy, split(10), [v1, v2]), { kind: 'converged' });
    assert.deepEqual(await next.ensure(policy, split(0), [v1, v2]), { kind: 'converged' });
    assert.deepEqual((await next.observe(policy)).instances, [instance]);
  });

  test('two agents asking at once end with one gateway', async () => {
    const [one, two] = [router(), router()];
    await Promise.all([one.ensure(policy, split(0), [v1, v2]), two.ensure(policy, split(0), [v1, v2])]);
    assert.equal((await one.observe(policy)).instances.length, 1);
  });

  test('a gateway that dies is started again with the split it had', async () => {
    const shop = router();
    await shop.ensure(policy, split(100), [v1, v2]);
    const unwatch = shop.watch(policy, () => {});
    const [before = ''] = (await shop.observe(policy)).instances;
    process.kill(Number(/pid (\d+)/.exec(before)?.[1]), 'SIGKILL');
    const after = await until('another one serves', async () => {
      const seen = await shop.observe(policy);
      return seen.state === 'converged' && seen.instances[0] !== before ? seen : null;
    });
    assert.deepEqual(after.split, split(100));
    assert.equal(await ask(shop), 'v2');
    unwatch();
  });

  test('a newer program takes over without losing the requests in flight', async () => {
    const old = router();
    await old.ensure(policy, split(0), [v1, v2]);
    const at = await old.listening(policy.name);
    const [before] = (await old.observe(policy)).instances;
    const slow = ask(old, '/slow');
    await until('the slow request is in flight', async () => ((await old.inFlight(policy))['v1-rev'] ?? 0) > 0);
    const newer = router('9.9.9');
    const unwatch = newer.watch(policy, () => {});
    const seen = await until('two processes', async () => {
      const now = await newer.observe(policy);
      return now.instances.length === 2 ? now : null;
    });
    unwatch();
    assert.equal(seen.inFlight['v1-rev'], 1, 'what the old process still answers counts as in flight');
    for (const answer of held) answer();
    assert.equal(await slow, 'v1');
    assert.deepEqual(await newer.listening(policy.name), at);
    assert.equal(await ask(newer), 'v1');
    const last = await until('only the new one is left', async () => {
      const now = await newer.observe(policy);
      return now.instances.length === 1 ? now : null;
    });
    assert.notEqual(last.instances[0], before);
  });

  test('a newer program that cannot take over is left alone: the old one serves on, and changes go through', async () => {
    const old = router();
    await old.ensure(policy, split(0), [v1, v2]);
    const [before] = (await old.observe(policy)).instances;
    const events: string[] = [];
    const broken = new GatewayRouter({
      stateDir: folder.path,
      clock: systemClock,
      command: [process.execPath, '-e', 'process.exit(1)'],
      version: '9.9.9',
      onEvent: ({ message }) => events.push(message),
    });
    routers.push(broken);
    broken.watch(policy, () => {});
    await until('it was tried', () => events.some((message) => message.includes('could not be replaced')));
    assert.deepEqual(await broken.ensure(policy, split(100), [v1, v2]), { kind: 'converged' });
    assert.equal(await ask(broken), 'v2');
    assert.deepEqual((await broken.observe(policy)).instances, [before]);
    assert.equal(events.length, 1, 'and not again at once');
  });

  test('an endpoint is in use while it is named or its version has requests in flight', async () => {
    const shop = router();
    const [endpoint] = v1.endpoints;
    assert.ok(endpoint);
    assert.equal(await shop.isInUse(policy.name, v1.revision, endpoint), false);
    await shop.ensure(policy, split(0), [v1, v2]);
    assert.equal(await shop.isInUse(policy.name, v1.revision, endpoint), true);
    const slow = ask(shop, '/slow');
    await until('the slow request is in flight', async () => ((await shop.inFlight(policy))['v1-rev'] ?? 0) > 0);
    await shop.ensure(policy, split(100), [v2]);
    assert.equal(await shop.isInUse(policy.name, v1.revision, endpoint), true, 'a request is still in flight');
    for (const answer of held) answer();
    assert.equal(await slow, 'v1');
    await until('it is let go', async () => !(await shop.isInUse(policy.name, v1.revision, endpoint)));
  });
});
