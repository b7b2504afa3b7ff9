// Real sockets for the gateway's tests: a gateway on an ephemeral port, upstreams that record, raw clients. Everything
// opened here is closed by the test that opened it.
import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { Ending, GatewayConfig, GatewayVersion } from '../../src/core/model/gateway.ts';
import { Gateway } from '../../src/gateway/gateway.ts';
import { snapshotOf } from '../../src/gateway/snapshot.ts';

export const STABLE = 'stable-1';
export const CANARY = 'canary-1';

type Overrides = { readonly [Key in keyof GatewayConfig]?: Partial<GatewayConfig[Key]> | GatewayConfig[Key] };

/** A configuration with only stable; objects given are laid over it. */
export function configOf(stable: number, overrides: Overrides = {}): GatewayConfig {
  const base: GatewayConfig = {
    generation: 1,
    service: 'shop',
    listen: { host: '127.0.0.1', port: 0 },
    versions: [versionOf(STABLE, stable)],
    split: {
      weights: [{ revision: STABLE, weightPercent: 100 }],
      rules: [],
      salt: 'release-1',
      userKey: null,
      affinity: null,
    },
    routes: [],
    retryHeader: null,
    timeouts: { connectMs: 1_000, responseMs: 5_000, idleMs: 10_000, headMs: 5_000 },
    limits: { headBytes: 16_384, bodyBytes: 64 * 1024 * 1024, connections: 1_000 },
    accessLog: null,
  };
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(overrides)) {
    const before = merged[key];
    const isPlain = value !== null && typeof value === 'object' && !Array.isArray(value) && before !== null;
    merged[key] = isPlain ? { ...(before as object), ...value } : value;
  }
  return merged as unknown as GatewayConfig;
}

export function versionOf(revision: string, ...ports: readonly number[]): GatewayVersion {
  return { revision, label: revision, endpoints: ports.map((port) => ({ host: '127.0.0.1', port })) };
}

/** Stable and canary with a weight for the canary. */
export function splitConfig(
  stable: number,
  canary: number,
  weightPercent: number,
  overrides: Overrides = {},
): GatewayConfig {
  const { split, ...others } = overrides;
  return configOf(stable, {
    versions: [versionOf(STABLE, stable), versionOf(CANARY, canary)],
    split: {
      weights: [
        { revision: STABLE, weightPercent: 100 - weightPercent },
        { revision: CANARY, weightPercent },
      ],
      ...split,
    },
    ...others,
  });
}

/** mulberry32: a small seeded source, so that a failing run can be repeated. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export interface Opened {
  readonly gateway: Gateway;
  readonly port: number;
}

export async function openGateway(t: TestContext, config: GatewayConfig, random = seeded(1)): Promise<Opened> {
  const gateway = new Gateway({ instance: 'test', random });
  t.after(() => gateway.close());
  await gateway.apply(config);
  return { gateway, port: gateway.listening?.port as number };
}

/** How many requests of a version ended this way. */
export function counted(gateway: Gateway, ended: number | Ending, revision = STABLE): number {
  return snapshotOf(gateway)
    .cells.filter((cell) => cell.revision === revision && cell.ended === ended)
    .reduce((sum, cell) => sum + cell.count, 0);
}

export function countedAll(gateway: Gateway): number {
  return snapshotOf(gateway).cells.reduce((sum, cell) => sum + cell.count, 0);
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** A node:http upstream. */
export async function openHttp(
  t: TestContext,
  listener: RequestListener,
  host = '127.0.0.1',
): Promise<{ server: HttpServer; port: number }> {
  const server = createHttpServer(listener);
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return { server, port: portOf(server) };
}

/** A raw upstream: `onData` sees everything that came on a connection so far. */
export async function openRaw(
  t: TestContext,
  onData: (socket: Socket, text: string, connection: number) => void,
): Promise<{ port: number; connections: () => number; received: string[]; server: Server }> {
  const received: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let mine = -1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('end', () => socket.end());
    socket.on('data', (chunk) => {
      // A connection that never says anything is a probe.
      if (mine < 0) {
        mine = connections++;
        received[mine] = '';
      }
      received[mine] += chunk.toString('latin1');
      onData(socket, received[mine] as string, mine);
    });
  });
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: portOf(server), connections: () => connections, received, server };
}

/** A raw client that remembers everything it is told. */
export class RawClient {
  readonly socket: Socket;
  text = '';
  ended = false;
  #waiters: (() => void)[] = [];

  constructor(t: TestContext, port: number, host = '127.0.0.1') {
    this.socket = connect({ port, host, allowHalfOpen: true });
    t.after(() => this.socket.destroy());
    this.socket.on('data', (chunk) => {
      this.text += chunk.toString('latin1');
      this.#wake();
    });
    this.socket.on('end', () => this.#finish());
    this.socket.on('close', () => this.#finish());
    this.socket.on('error', () => this.#finish());
  }

  #finish(): void {
    this.ended = true;
    this.#wake();
  }

  #wake(): void {
    for (const waiter of this.#waiters.splice(0)) waiter();
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  async until(done: (text: string) => boolean): Promise<string> {
    while (!done(this.text)) {
      if (this.ended) throw new Error(`the connection ended after ${JSON.stringify(this.text.slice(0, 2_000))}`);
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
    return this.text;
  }

  async untilEnd(): Promise<string> {
    while (!this.ended) await new Promise<void>((resolve) => this.#waiters.push(resolve));
    return this.text;
  }
}

/** Waits for a condition that nothing announces; fails loudly instead of hanging. */
export async function eventually(what: string, holds: () => boolean, withinMs = 5_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const GET = 'GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n';
export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Answers every complete bodiless request on a connection with `answer`. */
export function answering(answer: string): (socket: Socket, text: string) => void {
  const answered = new WeakMap<Socket, number>();
  return (socket, text) => {
    const asked = text.split('\r\n\r\n').length - 1;
    for (let i = answered.get(socket) ?? 0; i < asked; i++) socket.write(answer, 'latin1');
    answered.set(socket, asked);
  };
}
