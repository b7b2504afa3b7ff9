import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import { OutboundError, postJson } from './outbound.ts';

const servers: Server[] = [];

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

after(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

const message = (url: string, more: object = {}) => ({ url, body: { a: 1 }, headers: {}, timeoutMs: 5_000, ...more });

async function codeOf(asked: Promise<unknown>): Promise<string> {
  const error = await asked.then(
    () => assert.fail('it was called'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof OutboundError);
  return error.code;
}

describe('outbound calls', () => {
  test('dangerous addresses are refused however they are written, names that resolve to them too', async () => {
    const spellings = [
      'http://169.254.169.254/latest/meta-data',
      'http://2852039166/',
      'http://0xa9fea9fe/',
      'http://0251.0376.0251.0376/',
      'http://169.254.43518/',
      'http://[::ffff:169.254.169.254]/',
      'http://[::ffff:a9fe:a9fe]/',
      'http://[64:ff9b::a9fe:a9fe]/',
      'http://[2002:a9fe:a9fe::]/',
      'http://[fe80::1]/',
      'http://[fd00:ec2::254]/',
      'http://0.0.0.0/',
      'http://0/',
      'http://[::]/',
      'http://user:secret@example.org/',
      'ftp://example.org/',
      'file:///etc/passwd',
      'gopher://example.org/',
      'not a url',
    ];
    for (const url of spellings) assert.equal(await codeOf(postJson(message(url))), 'outbound-refused', url);
    for (const addresses of [['169.254.169.254'], ['127.0.0.1', '169.254.169.254']]) {
      const resolve = async () => addresses;
      assert.equal(await codeOf(postJson(message('http://hook.example/', { resolve }))), 'outbound-refused');
    }
  });

  test('a name is resolved once and the call pinned to that address (rebinding)', async () => {
    const base = await serve((_request, response) => response.end('{}'));
    let asked = 0;
    const resolve = async () => {
      asked += 1;
      return asked === 1 ? ['127.0.0.1'] : ['169.254.169.254'];
    };
    const { status } = await postJson(message(base.replace('127.0.0.1', 'rebinding.example'), { resolve }));
    assert.deepEqual([status, asked], [200, 1]);
  });

  test('a redirect is an answer, not a way', async () => {
    let followed = false;
    const base = await serve((request, response) => {
      if (request.url === '/elsewhere') followed = true;
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    assert.equal((await postJson(message(base))).status, 307);
    assert.equal(followed, false);
  });

  test('an endless answer is cut at 64 KiB; a silent one at its time limit', async () => {
    const endless = await serve((_request, response) => {
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
      };
      response.on('drain', more);
      more();
    });
    assert.equal((await postJson(message(endless))).status, 200);
    const silent = await serve(() => {});
    assert.equal(await codeOf(postJson(message(silent, { timeoutMs: 50 }))), 'outbound-failed');
  });

  test('errors name the host only, never path or query', async () => {
    const silent = await serve((request) => request.socket.destroy());
    const error = await postJson(message(`${silent}/secret-path?token=hush`)).then(
      () => assert.fail('it answered'),
      (thrown: Error) => thrown,
    );
    assert.doesNotMatch(error.message, /secret-path|hush/);
  });
});
