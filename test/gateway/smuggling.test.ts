// Every vector of the table through the gateway, to a recording node server and to a real nginx in front of one. What
// is accepted must arrive exactly once and mean the same, and the very next request on the same connection must be
// answered as itself; what is refused must not arrive at all.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { configOf, eventually, openGateway, openHttp, RawClient } from './harness.ts';
import { VECTORS, type Vector } from './smuggling-vectors.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly body: string;
}

interface Recorder {
  readonly port: number;
  readonly seen: Seen[];
  /** Bytes an upstream could not read as HTTP. */
  readonly broken: string[];
}

/** Notes complete requests only: what breaks off in the middle never was a request. */
async function openRecorder(t: TestContext): Promise<Recorder> {
  const seen: Seen[] = [];
  const broken: string[] = [];
  const { server, port } = await openHttp(t, (req, res) => {
    const parts: Buffer[] = [];
    req.on('data', (part) => parts.push(part));
    req.on('error', () => undefined);
    req.on('end', () => {
      seen.push({
        method: req.method as string,
        url: req.url as string,
        body: Buffer.concat(parts).toString('latin1'),
      });
      res.end(`${req.method} ${req.url}`);
    });
  });
  server.on('clientError', (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket) => {
    if (error.code !== 'ECONNRESET') broken.push(`${error.code} ${error.rawPacket?.toString('latin1')}`);
    socket.destroy();
  });
  return { port, seen, broken };
}

const quick = { connectMs: 1_000, responseMs: 3_000, idleMs: 400, headMs: 400 };

function target(i: number): string {
  return `/v${i}`;
}

/** Final answers in what a client has heard. */
function answers(text: string): string[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)]
    .map((found) => found[1] as string)
    .filter((status) => status !== '100');
}

async function send(t: TestContext, port: number, vector: Vector, i: number): Promise<void> {
  const client = new RawClient(t, port);
  client.send(vector.bytes.replaceAll('/@', target(i)));
  if (vector.expect === 'refused') {
    const text = await client.untilEnd();
    const heard = answers(text);
    assert.ok(
      heard.length <= 1 && heard.every((status) => Number(status) >= 400),
      `${vector.name}: ${JSON.stringify(text)}`,
    );
    return;
  }
  const { method } = vector.expect;
  const done = `${method} ${target(i)}`;
  await client
    .until((text) => text.endsWith(done))
    .catch((error: Error) => assert.fail(`${vector.name}: ${error.message}`));
  if (/connection: close/i.test(client.text)) return;
  client.send(`GET /after${i} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const text = await client.until((seen) => seen.endsWith(`/after${i}`));
  assert.deepEqual(answers(text), ['200', '200'], vector.name);
}

/** The vectors refused for being slow cost a time-out each, so all are sent side by side. */
async function sendAll(t: TestContext, port: number): Promise<void> {
  await Promise.all(VECTORS.map((vector, i) => send(t, port, vector, i)));
}

function check(seen: readonly Seen[]): void {
  assert.deepEqual(
    seen.filter(({ url }) => url.includes('smuggled')),
    [],
    'nothing was smuggled',
  );
  for (const [i, vector] of VECTORS.entries()) {
    const mine = seen.filter(({ url }) => url.split('?')[0] === target(i));
    const expected = vector.expect === 'refused' ? [] : [{ ...vector.expect, url: target(i) }];
    assert.deepEqual(
      mine,
      expected.map(({ method, url, body }) => ({ method, url, body })),
      `${vector.name} (${vector.rule})`,
    );
  }
  const known = seen.filter(({ url }) => /^\/(?:v|after)\d+$/.test(url));
  assert.equal(known.length, seen.length, 'nothing else arrived');
}

test('the table has at least 60 vectors, each with a name of its own and its rule', () => {
  assert.ok(VECTORS.length >= 60, `${VECTORS.length}`);
  assert.equal(new Set(VECTORS.map((vector) => vector.name)).size, VECTORS.length);
});

test('against a node server: each vector is refused, or arrives as exactly one request that means the same', async (t) => {
  const recorder = await openRecorder(t);
  const { port } = await openGateway(t, configOf(recorder.port, { timeouts: quick }));
  await sendAll(t, port);
  check(recorder.seen);
  assert.deepEqual(recorder.broken, []);
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** nginx reads whole requests and passes them on; its log holds one line for each. */
async function openNginx(t: TestContext, behind: number): Promise<{ port: number; log: () => string[] }> {
  const directory = mkdtempSync(join(tmpdir(), 'haldane-nginx-'));
  const port = await freePort();
  writeFileSync(
    join(directory, 'nginx.conf'),
    `daemon off; master_process off; worker_processes 1; pid ${directory}/pid; error_log ${directory}/error.log;
events { worker_connections 1024; }
http {
  log_format seen '$status $request_method $request_uri';
  access_log ${directory}/access.log seen;
  client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/f;
  uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  upstream behind { server 127.0.0.1:${behind}; keepalive 16; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}`,
  );
  const nginx: ChildProcess = spawn(
    'nginx',
    ['-c', join(directory, 'nginx.conf'), '-e', join(directory, 'error.log')],
    { stdio: 'ignore' },
  );
  t.after(() => {
    nginx.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });
  const log = (): string[] =>
    readFileSync(join(directory, 'access.log'), 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  for (let open = false; !open; ) {
    open = await fetch(`http://127.0.0.1:${port}/up`).then(
      () => true,
      () => new Promise<false>((resolve) => setTimeout(() => resolve(false), 20)),
    );
  }
  return { port, log };
}

const hasNginx = spawnSync('nginx', ['-v'], { stdio: 'ignore' }).status === 0;

test('against nginx: each vector is refused, or arrives as exactly one request that means the same', {
  skip: hasNginx ? false : 'nginx is not installed',
}, async (t) => {
  const recorder = await openRecorder(t);
  const nginx = await openNginx(t, recorder.port);
  const { port } = await openGateway(t, configOf(nginx.port, { timeouts: quick }));
  recorder.seen.length = 0;
  await sendAll(t, port);
  check(recorder.seen);
  const accepted = recorder.seen.length;
  await eventually(
    'nginx has written its log',
    () => nginx.log().filter((line) => line.startsWith('200 ')).length >= accepted,
  );
  const lines = nginx.log().filter((line) => !line.endsWith('/up'));
  assert.equal(lines.filter((line) => line.startsWith('200 ')).length, accepted);
  // A body that breaks off is a 400 or 499 at nginx too, and went no further.
  assert.deepEqual(
    lines.filter((line) => line.includes('smuggled')),
    [],
  );
  const refusedByNginx = lines.filter((line) => !line.startsWith('200 '));
  assert.deepEqual(refusedByNginx, [], 'the gateway passes nothing on that nginx refuses');
});
