import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { askJson, HttpJsonError, type JsonQuestion } from './http-json.ts';

async function asked(listener: RequestListener, more: Partial<JsonQuestion> = {}): Promise<unknown> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    return await askJson({ method: 'GET', host: '127.0.0.1', port, path: '/x', timeoutMs: 5_000, ...more });
  } catch (error) {
    assert.ok(error instanceof HttpJsonError);
    return error.code;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('an answer is its status and its JSON; token and body are sent', async () => {
  const echo: RequestListener = async (request, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    response.writeHead(409).end(JSON.stringify({ token: request.headers.authorization, got: JSON.parse(text) }));
  };
  assert.deepEqual(await asked(echo, { method: 'PUT', token: 't', body: { a: 1 } }), {
    status: 409,
    body: { token: 'Bearer t', got: { a: 1 } },
  });
});

test('what is late, broken off or no JSON is an error with a code', async () => {
  assert.equal(await asked(() => {}, { timeoutMs: 30 }), 'http-timeout');
  assert.equal(await asked((request) => request.socket.destroy()), 'http-failed');
  assert.equal(await asked((_request, response) => response.end('<html>')), 'http-not-json');
  assert.deepEqual(await asked((_request, response) => response.end()), { status: 200, body: null });
});
