import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { GateRequest } from '../../core/model/effect.ts';
import type { GateAnswer } from '../../core/model/observed.ts';
import type { Gate } from '../../core/model/policy.ts';
import { identify, isRunning } from '../../lib/proc.ts';
import type { Clock } from '../../ports/clock.ts';
import { LocalGates } from './local.ts';

let folder: string;
let open: LocalGates[] = [];
let servers: Server[] = [];

/** Real time, hurried: waits for retries are cut to a hundredth. */
const clock: Clock = {
  now: () => ({ monotonicMs: performance.now(), epoch: 'test', wallTime: new Date().toISOString() }),
  sleep: (ms, signal) => delay(ms / 100, undefined, signal === undefined ? {} : { signal }).catch(() => {}),
};

function gates(): LocalGates {
  const made = new LocalGates({ stateDir: folder, clock });
  open.push(made);
  return made;
}

async function hook(
  listener: (request: IncomingMessage, response: ServerResponse, nth: number) => void,
): Promise<Gate> {
  let nth = 0;
  const server = createServer((request, response) => listener(request, response, nth++));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    kind: 'webhook',
    name: 'load-test',
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    timeoutMs: 2_000,
  };
}

const job = (script: string, timeoutMs = 600_000): Gate => ({
  kind: 'job',
  name: 'job',
  command: [process.execPath, '-e', script],
  timeoutMs,
});

const request = (gate: Gate, key = 'shop-1/0/g'): GateRequest => ({
  key,
  gate,
  release: 'shop-1',
  revision: 'r1',
  stage: 0,
});

async function settled(from: LocalGates, key = 'shop-1/0/g'): Promise<GateAnswer> {
  for (;;) {
    const answer = await from.answer(key);
    if (answer.status !== 'pending') return answer;
    await delay(5);
  }
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'haldane-gates-'));
  open = [];
  servers = [];
});

afterEach(() => {
  for (const made of open) made.close();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(folder, { recursive: true, force: true });
});

describe('webhook gates', () => {
  test('2xx is yes, another 4xx is no, a redirect is an error, and no answer ever shows the body', async () => {
    for (const [status, wanted] of [
      [200, 'yes'],
      [204, 'yes'],
      [403, 'no'],
      [302, 'error'],
    ] as const) {
      const gate = await hook((_request, response) =>
        response.writeHead(status).end(status === 204 ? '' : 'hush-hush'),
      );
      const key = `shop-1/0/${status}`;
      const made = gates();
      await made.run(request(gate, key));
      const answer = await settled(made, key);
      assert.equal(answer.status, wanted);
      assert.doesNotMatch(answer.message, /hush/);
    }
  });

  test('a failed connection, a 503 and "not yet" (202) are no answer: it is asked again, with the same key (row 39)', async () => {
    const keys: unknown[] = [];
    const gate = await hook((asked, response, nth) => {
      keys.push(asked.headers['idempotency-key']);
      if (nth === 0) asked.socket.destroy();
      else response.writeHead([0, 503, 202, 429, 200][nth] ?? 200).end();
    });
    const made = gates();
    await made.run(request(gate));
    assert.equal((await settled(made)).status, 'yes');
    assert.deepEqual(
      keys,
      Array.from({ length: 5 }, () => 'shop-1/0/g'),
    );
  });

  test('a key is asked once, however often it is run, and a restart does not forget its yes (rows 69, 76)', async () => {
    let asked = 0;
    const gate = await hook((_request, response) => {
      asked += 1;
      response.end();
    });
    const made = gates();
    await Promise.all([made.run(request(gate)), made.run(request(gate)), made.run(request(gate))]);
    await settled(made);
    await made.run(request(gate));
    made.close();
    const next = gates();
    await next.run(request(gate));
    assert.equal((await next.answer('shop-1/0/g')).status, 'yes');
    assert.equal(asked, 1);
  });

  test('one that was pending when the agent ended is asked again by the next', async () => {
    let asked = 0;
    const gate = await hook((_request, response, nth) => {
      asked += 1;
      if (nth > 0) response.end();
    });
    const first = gates();
    await first.run(request(gate));
    while (asked === 0) await delay(5);
    first.close();
    const next = gates();
    assert.equal((await next.answer('shop-1/0/g')).status, 'pending');
    await next.run(request(gate));
    assert.equal((await settled(next)).status, 'yes');
  });

  test('a metadata address is refused', async () => {
    const made = gates();
    await made.run(request({ kind: 'webhook', name: 'g', url: 'http://169.254.169.254/', timeoutMs: 1_000 }));
    const answer = await settled(made);
    assert.equal(answer.status, 'error');
    assert.match(answer.message, /not called/);
  });
});

describe('job gates', () => {
  test('exit code 0 is yes and another is no; the job is told what it is about', async () => {
    const made = gates();
    await made.run(request(job('process.exit(process.env.HALDANE_REVISION === "r1" ? 0 : 9)'), 'yes'));
    await made.run(request(job('process.exit(3)'), 'no'));
    assert.equal((await settled(made, 'yes')).status, 'yes');
    assert.deepEqual(await settled(made, 'no'), { status: 'no', message: 'exited with code 3' });
  });

  test('killed, out of time, or not to be started: an error, never a yes (rows 41, 42)', async () => {
    const made = gates();
    await made.run(request(job('process.kill(process.pid, "SIGKILL")'), 'killed'));
    await made.run(request(job('setInterval(() => {}, 1000)', 5_000), 'late'));
    await made.run(request({ kind: 'job', name: 'g', command: ['no-such-program'], timeoutMs: 1_000 }, 'missing'));
    assert.match((await settled(made, 'killed')).message, /killed by SIGKILL/);
    assert.match((await settled(made, 'late')).message, /longer than 5000 ms/);
    assert.match((await settled(made, 'missing')).message, /could not be started: ENOENT/);
    for (const key of ['killed', 'late', 'missing']) assert.equal((await made.answer(key)).status, 'error');
  });

  test('a job that ends itself with 0 when it is told to stop for lack of time has not said yes (row 41)', async () => {
    const made = gates();
    await made.run(request(job('process.on("SIGTERM", () => process.exit(0)); setInterval(() => {}, 1000)', 20_000)));
    assert.equal((await settled(made)).status, 'error');
  });

  test('cut short by a restart: ended, an error, and not run twice (rows 41, 76)', async () => {
    const counter = join(folder, 'runs');
    const script = `require("fs").appendFileSync(${JSON.stringify(counter)}, process.pid + "\\n"); setInterval(() => {}, 1000)`;
    const first = gates();
    await first.run(request(job(script)));
    let runs: string[] = [];
    while (runs.length === 0) {
      await delay(10);
      try {
        runs = readFileSync(counter, 'utf8').trim().split('\n');
      } catch {
        // It has not begun yet.
      }
    }
    const identity = identify(Number(runs[0]));
    assert.ok(identity);
    first.close();
    const next = gates();
    assert.equal((await next.answer('shop-1/0/g')).status, 'error');
    await next.run(request(job(script)));
    assert.match((await next.answer('shop-1/0/g')).message, /cut short by a restart/);
    while (isRunning(identity)) await delay(10);
    assert.equal(readFileSync(counter, 'utf8').trim().split('\n').length, 1);
  });

  test('an answer file that is damaged is an error, never a yes', async () => {
    const made = gates();
    await made.run(request(job('')));
    await settled(made);
    made.close();
    const path = join(folder, 'gates');
    const [name = ''] = readdirSync(path).filter((entry) => entry.endsWith('.json'));
    writeFileSync(join(path, name), '{"schema":1,"an');
    await assert.rejects(gates().answer('shop-1/0/g'));
  });

  test("approvals are people's: they are not run here", async () => {
    await assert.rejects(gates().run(request({ kind: 'approval', name: 'g', approvals: 1 })), /given by people/);
  });
});
