// Users of the service as a process of their own: a constant rate, arrivals that do not wait for answers, no retries. Every
// request is counted once, in the second in which it was sent: as answered by a version, or as lost. An answer that no
// version gave (a router's own 404 or 503) is lost. It refuses to average anything away.
//
//   node users.ts --url http://127.0.0.1 --host shop.test --rate 100 --connections keep|short|close [--patience 10000]
//
// keep: connections are kept for ever; short: for two seconds at most, ended by the user; close: one per request.
// Standard input: {"rate": 20} changes the rate, {"stop": true} ends it; then one line of JSON holds the whole account.
import { Agent, type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { Account } from './account.ts';

const BEAT_MS = 5;
const SHORT_MS = 2_000;
const CONNECTIONS = 16;

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    host: { type: 'string', default: '' },
    rate: { type: 'string', default: '100' },
    connections: { type: 'string', default: 'keep' },
    patience: { type: 'string', default: '10000' },
  },
});
const url = new URL(values.url ?? '');
const patienceMs = Number(values.patience);
const account = new Account();
const now = () => performance.timeOrigin + performance.now();

/** Where a kept connection would be older than users of this kind keep one, it is ended and never used again. */
class ShortAgent extends Agent {
  readonly #openedAt = new WeakMap<Socket, number>();
  override keepSocketAlive(socket: Socket): boolean {
    const openedAt = this.#openedAt.get(socket);
    if (openedAt === undefined) {
      this.#openedAt.set(socket, now());
      socket.setTimeout(SHORT_MS, () => socket.destroy());
      return true;
    }
    return now() - openedAt < SHORT_MS;
  }
}

const agent =
  values.connections === 'close'
    ? new Agent({ keepAlive: false, maxSockets: 4_096 })
    : values.connections === 'short'
      ? new ShortAgent({ keepAlive: true, maxSockets: 4_096, maxFreeSockets: CONNECTIONS })
      : new Agent({ keepAlive: true, maxSockets: 4_096, maxFreeSockets: CONNECTIONS });

let rate = Number(values.rate);
let dueAt = now();
let isStopping = false;

function send(): void {
  const slice = account.send(now());
  let isSettled = false;
  const settle = (count: () => void) => {
    if (isSettled) return;
    isSettled = true;
    count();
    if (isStopping && account.underWay === 0) finish();
  };
  const asked = request({
    host: url.hostname,
    port: url.port === '' ? 80 : Number(url.port),
    path: '/',
    agent,
    headers: values.host === '' ? {} : { host: values.host },
  });
  const timer = setTimeout(() => asked.destroy(new Error('no answer in time')), patienceMs);
  asked.on('response', (response) => receive(response, !asked.reusedSocket));
  asked.on('error', (error: NodeJS.ErrnoException) => settle(() => account.lose(slice, error.code ?? error.message)));
  asked.on('close', () => clearTimeout(timer));
  asked.end();

  function receive(response: IncomingMessage, isFresh: boolean): void {
    const version = response.headers['x-version'];
    const status = response.statusCode ?? 0;
    response.resume();
    response.on('end', () =>
      settle(() => {
        if (typeof version === 'string') account.answer(slice, { version, isBad: status >= 500, isFresh });
        else account.lose(slice, `answered ${status} by no version`);
      }),
    );
    response.on('close', () => settle(() => account.lose(slice, 'closed before the end of the answer')));
  }
}

const beat = setInterval(() => {
  const at = now();
  while (rate > 0 && dueAt <= at && !isStopping) {
    dueAt += 1_000 / rate;
    send();
  }
}, BEAT_MS);

function finish(): void {
  process.stdout.write(`${JSON.stringify(account.slices())}\n`, () => process.exit(0));
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const wish = JSON.parse(line) as { readonly rate?: number; readonly stop?: boolean };
    if (wish.rate !== undefined) {
      rate = wish.rate;
      dueAt = now();
    }
    if (wish.stop !== true) return;
    isStopping = true;
    clearInterval(beat);
    if (account.underWay === 0) finish();
  })
  .on('close', () => process.exit(1));
