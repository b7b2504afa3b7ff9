import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { NotifyMessage } from '../../core/model/effect.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import type { Clock } from '../../ports/clock.ts';
import { WebhookNotifier } from './webhook.ts';

let folder: string;
let server: Server;
let url: string;
let got: { key: unknown; body: { sentence?: string } }[] = [];
let answers: number[] = [];
let silent = false;
let open: WebhookNotifier[] = [];

const clock: Clock = {
  now: () => ({ monotonicMs: performance.now(), epoch: 'test', wallTime: new Date().toISOString() }),
  sleep: (ms, signal) => delay(ms / 100, undefined, signal === undefined ? {} : { signal }).catch(() => {}),
};

function notifier(onGivenUp?: (given: { key: string; reason: string }) => void): WebhookNotifier {
  const made = new WebhookNotifier({ stateDir: folder, clock, ...(onGivenUp === undefined ? {} : { onGivenUp }) });
  open.push(made);
  return made;
}

const policy = () =>
  ({ name: 'shop', notify: [{ kind: 'webhook', url, timeoutMs: 1_000 }] }) as unknown as ReleasePolicy;
const news = (key: string): NotifyMessage => ({ key, kind: 'promoted', release: 'shop-1', sentence: `news ${key}` });

async function delivered(count: number): Promise<void> {
  while (got.length < count) await delay(5);
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'haldane-notify-'));
  got = [];
  answers = [];
  silent = false;
  open = [];
  server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    if (silent) return;
    const status = answers.shift() ?? 200;
    if (status === 200) got.push({ key: request.headers['idempotency-key'], body: JSON.parse(text) });
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterEach(() => {
  for (const made of open) made.close();
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the webhook notifier', () => {
  test('delivers in order, tries again after failures, and each key once', async () => {
    answers = [500, 503];
    const made = notifier();
    for (const key of ['a', 'b', 'a', 'c', 'b']) await made.notify(policy(), news(key));
    await delivered(3);
    assert.deepEqual(
      got.map(({ key }) => key),
      ['a', 'b', 'c'],
    );
    assert.equal(got[0]?.body.sentence, 'news a');
    while (made.waiting > 0) await delay(5);
    await made.notify(policy(), news('a'));
    assert.equal(made.waiting, 0);
  });

  test('a dead listener delays nobody (row 77), and what is owed survives a restart', async () => {
    silent = true;
    const made = notifier();
    await made.notify(policy(), news('a'));
    await made.notify(policy(), news('b'));
    assert.equal(made.waiting, 2);
    made.close();
    silent = false;
    const next = notifier();
    await delivered(2);
    assert.deepEqual(
      got.map(({ key }) => key),
      ['a', 'b'],
    );
    while (next.waiting > 0) await delay(5);
    next.close();
    await notifier().notify(policy(), news('a'));
    assert.equal(got.length, 2, 'a restart does not send it again');
  });

  test('a damaged file is set aside and said; it keeps nobody from starting', async () => {
    writeFileSync(join(folder, 'notify.json'), '{"schema":1,');
    const given: string[] = [];
    const made = notifier(({ reason }) => given.push(reason));
    assert.match(given[0] ?? '', /could not be read and was set aside/);
    assert.ok(readdirSync(folder).includes('notify.json.damaged'));
    await made.notify(policy(), news('a'));
    await delivered(1);
  });

  test('a refusal is final and said', async () => {
    answers = [410];
    const given: string[] = [];
    const made = notifier(({ key, reason }) => given.push(`${key}: ${reason}`));
    await made.notify(policy(), news('a'));
    await made.notify(policy(), news('b'));
    await delivered(1);
    assert.deepEqual(given, ['a: the hook answered 410']);
    assert.equal(got[0]?.key, 'b');
  });
});
