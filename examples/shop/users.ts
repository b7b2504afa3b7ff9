// The users of the sample shop: a process of its own, so that nothing it measures is slowed or hidden by what it
// measures. Open loop (arrivals do not wait for answers), steady identities in a cookie, seeded, and no retries: each
// request that is sent is accounted for once, as answered by a version, or lost.
//
//   node users.ts --url http://127.0.0.1:8080 --rate 600 [--seed 1] [--users 2000] [--connections 64] [--close]
//                 [--requests N | --seconds N] [--every-ms 1000]
//
// Writes one line of JSON per second, and {"kind":"summary"} at the end. Lines on standard input steer it:
// {"rate": 300}, {"stop": true}. SIGTERM ends it well: what is under way is waited for.
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { type Draw, seeded } from './seeded.ts';
import { Tally } from './tally.ts';

const PRODUCTS = ['lamp', 'chair', 'kettle', 'clock', 'rug', 'vase', 'shelf', 'mirror'];
/** No whole answer within this time is no answer. */
const ANSWER_WITHIN_MS = 10_000;
const BEAT_MS = 4;

interface Options {
  readonly url: URL;
  readonly seed: string;
  readonly users: number;
  readonly connections: number;
  readonly close: boolean;
  readonly requests: number;
  readonly seconds: number;
  readonly everyMs: number;
}

interface Step {
  readonly method: 'GET' | 'POST';
  readonly path: string;
}

const HOME: Step = { method: 'GET', path: '/' };
const LIST: Step = { method: 'GET', path: '/products' };
const CART: Step = { method: 'GET', path: '/cart' };
const CHECKOUT: Step = { method: 'POST', path: '/checkout' };

/** What a user does next: looks around, puts something in the cart, and mostly buys it. */
function nextStep(before: string, draw: Draw): Step {
  if (before === '/') return LIST;
  if (before === '/products') return { method: 'GET', path: `/products/${PRODUCTS[Math.floor(draw() * 8)]}` };
  if (before === '/cart') return draw() < 0.85 ? CHECKOUT : LIST;
  if (before.startsWith('/products/')) return draw() < 0.75 ? CART : LIST;
  return draw() < 0.4 ? HOME : LIST;
}

class Users {
  readonly #options: Options;
  readonly #draw: Draw;
  readonly #agent: Agent;
  readonly #where: string[];
  readonly tally = new Tally();
  #rate: number;
  #dueAt = performance.now();
  #beat: NodeJS.Timeout | null = null;
  #ended: (() => void) | null = null;

  constructor(options: Options, rate: number) {
    this.#options = options;
    this.#rate = rate;
    this.#draw = seeded(`users/${options.seed}`);
    this.#where = new Array<string>(options.users).fill('');
    this.#agent = new Agent({
      keepAlive: !options.close,
      maxSockets: options.connections,
      maxFreeSockets: options.connections,
    });
  }

  set rate(rate: number) {
    this.#rate = rate;
    this.#dueAt = performance.now();
  }

  start(): void {
    this.#dueAt = performance.now();
    this.#beat = setInterval(() => this.#sendDue(), BEAT_MS);
  }

  /** No more arrivals; resolves when nothing is under way any more. */
  stop(): Promise<void> {
    if (this.#beat !== null) clearInterval(this.#beat);
    this.#beat = null;
    return new Promise((resolve) => {
      this.#ended = () => {
        this.#agent.destroy();
        resolve();
      };
      if (this.tally.underWay === 0) this.#ended();
    });
  }

  /** Arrivals are a Poisson process: exponential gaps, whether or not earlier ones were answered. */
  #sendDue(): void {
    const now = performance.now();
    while (this.#rate > 0 && this.#dueAt <= now && this.#beat !== null) {
      this.#dueAt += (-Math.log(1 - this.#draw()) * 1_000) / this.#rate;
      this.#send();
      if (this.tally.sent >= this.#options.requests) stopSoon();
    }
  }

  #send(): void {
    const user = Math.floor(this.#draw() * this.#where.length);
    const step = nextStep(this.#where[user] ?? '', this.#draw);
    this.#where[user] = step.path;
    const startedAt = performance.now();
    let settled = false;
    const settle = (account: () => void): void => {
      if (settled) return;
      settled = true;
      account();
      if (this.#ended !== null && this.tally.underWay === 0) this.#ended();
    };
    this.tally.send();
    const asked: ClientRequest = request({
      host: this.#options.url.hostname,
      port: this.#options.url.port,
      method: step.method,
      path: step.path,
      agent: this.#agent,
      headers: { cookie: `user=u${user}`, ...(step.method === 'POST' ? { 'content-length': 0 } : {}) },
      timeout: ANSWER_WITHIN_MS,
    });
    asked.on('response', (response) => this.#receive(response, startedAt, settle));
    asked.on('timeout', () => asked.destroy(new Error('no answer in time')));
    asked.on('error', (error: NodeJS.ErrnoException) =>
      settle(() => this.tally.lose(error.code ?? error.message, asked.reusedSocket)),
    );
    asked.end();
  }

  #receive(response: IncomingMessage, startedAt: number, settle: (account: () => void) => void): void {
    const version = response.headers['x-version'];
    response.on('data', () => {});
    response.on('end', () => {
      settle(() => {
        // An answer that no version gave (a proxy's 502 or 503) is a request lost on the way.
        if (typeof version !== 'string') this.tally.lose(`answered ${response.statusCode} by no version`, false);
        else this.tally.answer(version, response.statusCode ?? 0, performance.now() - startedAt);
      });
    });
    response.on('close', () => {
      if (!response.complete) settle(() => this.tally.lose('closed before the end of the answer', false));
    });
  }
}

function readOptions(): { options: Options; rate: number } {
  const { values } = parseArgs({
    options: {
      url: { type: 'string' },
      rate: { type: 'string', default: '600' },
      seed: { type: 'string', default: '1' },
      users: { type: 'string', default: '2000' },
      connections: { type: 'string', default: '64' },
      close: { type: 'boolean', default: false },
      requests: { type: 'string', default: 'Infinity' },
      seconds: { type: 'string', default: 'Infinity' },
      'every-ms': { type: 'string', default: '1000' },
    },
  });
  if (values.url === undefined) throw new Error('--url is needed, e.g. --url http://127.0.0.1:8080');
  return {
    rate: Number(values.rate),
    options: {
      url: new URL(values.url),
      seed: values.seed,
      users: Number(values.users),
      connections: Number(values.connections),
      close: values.close,
      requests: Number(values.requests),
      seconds: Number(values.seconds),
      everyMs: Number(values['every-ms']),
    },
  };
}

const { options, rate } = readOptions();
const users = new Users(options, rate);
let stopping = false;

function write(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const reports = setInterval(() => write({ kind: 'counts', ...users.tally.report() }), options.everyMs);
process.stdout.on('error', () => process.exit(1));

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await users.stop();
  clearInterval(reports);
  write({ kind: 'summary', ...users.tally.report() });
  process.exit(0);
}

function stopSoon(): void {
  void stop();
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const wish = JSON.parse(line) as { rate?: number; stop?: boolean };
  if (wish.rate !== undefined) users.rate = wish.rate;
  if (wish.stop === true) stopSoon();
});
process.on('SIGTERM', stopSoon);
process.on('SIGINT', stopSoon);
if (Number.isFinite(options.seconds)) setTimeout(stopSoon, options.seconds * 1_000);
users.start();
