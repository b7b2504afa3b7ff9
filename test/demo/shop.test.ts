import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { findPlaces } from '../../src/main/demo/places.ts';
import { UsersProcess } from '../../src/main/demo/users-process.ts';

const places = findPlaces();
const children = new Set<ChildProcess>();
const servers = new Set<Server>();

after(() => {
  for (const child of children) child.kill('SIGKILL');
  for (const server of servers) server.close();
});

async function startShop(env: Record<string, string>): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(process.execPath, [places.shop], {
    env: { PATH: process.env.PATH, PORT: '0', SHOP_VERSION: 'v9', LATENCY_MS: '3', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return { url: `http://127.0.0.1:${/(\d+)\s*$/.exec(line.toString())?.[1]}`, child };
}

async function startServer(server: Server): Promise<string> {
  servers.add(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Users until they have sent something, then their whole account. */
async function accountOf(url: string, close: boolean) {
  const users = new UsersProcess({ program: places.users, url, rate: 400, seed: '1', close });
  while ((users.counts?.sent ?? 0) < 100) await new Promise((resolve) => setTimeout(resolve, 20));
  return users.stop();
}

describe('the sample shop', () => {
  it('serves its pages, names its version, and refuses what it does not have', async () => {
    const { url, child } = await startShop({ BASE_ERRORS: '0', CONVERSION: '1' });
    const statuses = await Promise.all(
      ['/', '/products', '/products/lamp', '/cart', '/healthz', '/products/none', '/checkout'].map(async (path) => {
        const response = await fetch(url + path);
        assert.equal(response.headers.get('x-version'), 'v9');
        return response.status;
      }),
    );
    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 404, 404]);
    assert.equal((await fetch(`${url}/checkout`, { method: 'POST' })).status, 200);
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });

  it('breaks the route it is told to break, and no other', async () => {
    const { url, child } = await startShop({ BASE_ERRORS: '0', EXTRA_ERRORS: 'cart=1' });
    assert.equal((await fetch(`${url}/cart`)).status, 500);
    assert.equal((await fetch(`${url}/products`)).status, 200);
    child.kill('SIGTERM');
    await once(child, 'exit');
  });

  it('answers what it has taken before it ends', async () => {
    const { url, child } = await startShop({ BASE_ERRORS: '0', LATENCY_MS: '150', LATENCY_SPREAD: '0' });
    await (await fetch(`${url}/healthz`)).text();
    const answer = fetch(`${url}/products`);
    await new Promise((resolve) => setTimeout(resolve, 30));
    child.kill('SIGTERM');
    assert.equal((await answer).status, 200);
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });
});

describe('the account of its users', () => {
  it('is complete: what was sent was answered by a version, on kept connections and on single ones', async () => {
    const { url, child } = await startShop({ BASE_ERRORS: '0' });
    for (const close of [false, true]) {
      const account = await accountOf(url, close);
      assert.equal(account.lost, 0, JSON.stringify(account.losses));
      assert.equal(account.answered, account.sent);
      assert.equal(account.versions.v9?.requests, account.sent);
    }
    child.kill('SIGTERM');
    await once(child, 'exit');
  });

  it('counts as lost what is reset, cut off, or answered by no version', async () => {
    let asked = 0;
    const url = await startServer(
      createServer((request, response) => {
        asked += 1;
        if (asked % 4 === 0) request.socket.destroy();
        else if (asked % 4 === 1) response.writeHead(502).end();
        else if (asked % 4 === 2)
          response
            .writeHead(200, { 'x-version': 'v1', 'content-length': 9 })
            .end('short', () => request.socket.destroy());
        else response.writeHead(200, { 'x-version': 'v1' }).end('ok');
      }),
    );
    const account = await accountOf(url, false);
    const answered = account.versions.v1?.requests ?? 0;
    assert.equal(account.sent, account.answered + account.lost);
    assert.equal(answered, account.answered);
    assert.ok(account.lost > 2.5 * answered, JSON.stringify(account));
  });
});
