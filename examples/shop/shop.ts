// A small shop over HTTP, to be released: a few routes, log-normal latency, a tiny error rate, a checkout that converts.
// Everything that can be wrong with a version of it is said by its environment, and drawn from a seed. It refuses to
// burn processor time: latency is waited, not computed.
//
//   PORT, HOST          where it listens
//   SHOP_VERSION        what it calls itself in the header x-version (HALDANE_VERSION if that is not set)
//   SEED                of all its draws
//   BASE_ERRORS         share of requests answered 500, e.g. 0.002
//   EXTRA_ERRORS        more of them on one route, e.g. checkout=0.015; "all=0.01" means every route
//   LATENCY_MS          median latency; LATENCY_SPREAD is the sigma of its logarithm
//   LATENCY_TAIL        the slowest 5 % take this many times as long, and so does the 99th percentile
//   MEMORY_LEAK         bytes kept per request
//   CONVERSION          share of checkouts that end in an order (the others are declined with 402)
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { normalQuantile, seeded } from './seeded.ts';

type Route = 'home' | 'products' | 'product' | 'cart' | 'checkout';

interface Settings {
  readonly version: string;
  readonly seed: string;
  readonly baseErrors: number;
  readonly extraErrors: { readonly route: string; readonly share: number };
  readonly latencyMs: number;
  readonly latencySpread: number;
  readonly latencyTail: number;
  readonly leakBytes: number;
  readonly conversion: number;
}

const PRODUCTS = ['lamp', 'chair', 'kettle', 'clock', 'rug', 'vase', 'shelf', 'mirror'];
/** Of the requests, the share that LATENCY_TAIL slows down: those that are the slowest anyway. */
const TAIL_FROM = 0.95;
/** Some pages do more work than others. */
const EFFORT: Readonly<Record<Route, number>> = { home: 0.8, products: 1, product: 0.9, cart: 0.9, checkout: 1.3 };

function numberOf(name: string, otherwise: number): number {
  const value = Number(process.env[name] ?? otherwise);
  if (!Number.isFinite(value) || value < 0) throw new Error(`${name} must be a number of at least 0`);
  return value;
}

function readSettings(): Settings {
  const [route = '', share = '0'] = (process.env.EXTRA_ERRORS ?? '').split('=');
  return {
    version: process.env.SHOP_VERSION ?? process.env.HALDANE_VERSION ?? 'dev',
    seed: process.env.SEED ?? '1',
    baseErrors: numberOf('BASE_ERRORS', 0.002),
    extraErrors: { route, share: Number(share) },
    latencyMs: numberOf('LATENCY_MS', 20),
    latencySpread: numberOf('LATENCY_SPREAD', 0.45),
    latencyTail: numberOf('LATENCY_TAIL', 1),
    leakBytes: numberOf('MEMORY_LEAK', 0),
    conversion: numberOf('CONVERSION', 0.9),
  };
}

function routeOf(method: string, path: string): Route | null {
  if (method === 'POST') return path === '/checkout' ? 'checkout' : null;
  if (path === '/') return 'home';
  if (path === '/products') return 'products';
  if (path === '/cart') return 'cart';
  return path.startsWith('/products/') && PRODUCTS.includes(path.slice('/products/'.length)) ? 'product' : null;
}

function bodyOf(route: Route, path: string, draw: () => number): unknown {
  switch (route) {
    case 'home':
      return { shop: 'Furnishings', see: '/products' };
    case 'products':
      return { products: PRODUCTS };
    case 'product': {
      const name = path.slice('/products/'.length);
      return { product: name, priceCents: 1_900 + 700 * PRODUCTS.indexOf(name) };
    }
    case 'cart':
      return { items: [PRODUCTS[Math.floor(draw() * PRODUCTS.length)]] };
    case 'checkout':
      return { order: Math.floor(draw() * 1e9).toString(36) };
  }
}

class Shop {
  readonly #settings: Settings;
  readonly #draw: () => number;
  readonly #leaked: Buffer[] = [];
  /** Set on SIGTERM: whoever is answered now is told not to come again on this connection. */
  isStopping = false;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#draw = seeded(`${settings.seed}/${settings.version}`);
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    // The body of an order is not read, but it must be taken off the connection before the next request.
    request.resume();
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    response.setHeader('x-version', this.#settings.version);
    response.setHeader('content-type', 'application/json');
    if (path === '/healthz') {
      response.end('{"ok":true}');
      return;
    }
    const route = routeOf(request.method ?? 'GET', path);
    if (route === null) {
      this.#end(response, 404, { error: 'there is no such page' });
      return;
    }
    if (this.#settings.leakBytes > 0) this.#leaked.push(Buffer.alloc(this.#settings.leakBytes, 1));
    setTimeout(() => this.#serve(route, path, response), this.#latencyMs(route));
  }

  #serve(route: Route, path: string, response: ServerResponse): void {
    const { baseErrors, extraErrors, conversion } = this.#settings;
    const isHit = extraErrors.route === route || extraErrors.route === 'all';
    if (this.#draw() < baseErrors + (isHit ? extraErrors.share : 0)) {
      this.#end(response, 500, { error: 'something broke' });
    } else if (route === 'checkout' && this.#draw() >= conversion) {
      this.#end(response, 402, { error: 'the card was declined' });
    } else {
      this.#end(response, 200, bodyOf(route, path, this.#draw));
    }
  }

  #latencyMs(route: Route): number {
    const { latencyMs, latencySpread, latencyTail } = this.#settings;
    const u = this.#draw();
    const usual = latencyMs * EFFORT[route] * Math.exp(latencySpread * normalQuantile(u));
    return u > TAIL_FROM ? usual * latencyTail : usual;
  }

  #end(response: ServerResponse, status: number, body: unknown): void {
    const text = JSON.stringify(body);
    if (this.isStopping) response.setHeader('connection', 'close');
    response.writeHead(status, { 'content-length': Buffer.byteLength(text) });
    response.end(text);
  }
}

const shop = new Shop(readSettings());
const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => shop.answer(request, response));
server.listen(numberOf('PORT', 0), process.env.HOST ?? '127.0.0.1', () => {
  process.stdout.write(`shop listens on ${(server.address() as AddressInfo).port}\n`);
});

// What is being answered is answered to the end; idle connections are closed; then nothing keeps the process.
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    shop.isStopping = true;
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}
