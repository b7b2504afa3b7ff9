import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { answersOf, totalOf } from './account.ts';
import { type Kind, Load } from './load.ts';

async function usersOf(listener: RequestListener, kind: Kind) {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const load = new Load({ url, host: 'shop.test', kinds: [kind], patienceMs: 500 });
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const slices = (await load.stop()).get(kind.connections) ?? [];
  server.closeAllConnections();
  server.close();
  return slices;
}

test('every request is counted once, with the version that answered and what was bad of it', async () => {
  let asked = 0;
  const slices = await usersOf(
    (request, response) => {
      asked += 1;
      assert.equal(request.headers.host, 'shop.test');
      response.writeHead(asked % 10 === 0 ? 500 : 200, { 'x-version': 'v1' }).end('{}');
    },
    { connections: 'keep', rate: 100 },
  );
  const total = totalOf(slices);
  assert.equal(total.sent, asked);
  assert.equal(total.answered, asked);
  assert.equal(total.bad, Math.floor(asked / 10));
  assert.equal(total.lost, 0);
  assert.ok(answersOf(slices, 'v1').fresh < asked);
});

test('an answer that no version gave, one cut short and none in time are lost, by cause', async () => {
  let asked = 0;
  const slices = await usersOf(
    (_request, response) => {
      asked += 1;
      if (asked % 3 === 0) response.writeHead(503).end();
      else if (asked % 3 === 1) response.socket?.destroy();
    },
    { connections: 'close', rate: 30 },
  );
  const total = totalOf(slices);
  assert.equal(total.sent, asked);
  assert.equal(total.lost, asked);
  assert.deepEqual(Object.keys(total.causes).sort(), ['ECONNRESET', 'answered 503 by no version', 'no answer in time']);
  assert.equal(total.firstLost, slices[0]?.second);
});

test('users that open a connection for each request have no answer on one that served before', async () => {
  const slices = await usersOf((_request, response) => response.writeHead(200, { 'x-version': 'v1' }).end(), {
    connections: 'close',
    rate: 50,
  });
  const { all, fresh } = answersOf(slices, 'v1');
  assert.equal(fresh, all);
});
