// The admin API of one gateway process: on loopback only, every call but /healthz with a bearer token. It refuses to
// grow into a second way of deciding anything: it takes what is wanted and tells what is.
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Endpoint } from '../core/model/gateway.ts';
import { HaldaneError } from '../lib/errors.ts';
import { parseConfig } from './config-schema.ts';
import type { Gateway } from './gateway.ts';
import { metricsText } from './metrics-text.ts';
import { pastOf, snapshotOf } from './snapshot.ts';

const BODY_BYTES = 8 * 1024 * 1024;
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** What the admin API asks of the process around the gateway. */
export interface AdminActions {
  /** Puts it in force, then keeps it on disk. */
  configure(input: ReturnType<typeof parseConfig>): Promise<{ changed: boolean; persisted: boolean }>;
  drain(limitMs: number | undefined): void;
  /** Resolves with the id of the new instance once it serves. */
  takeover(command: readonly string[]): Promise<string>;
}

export class AdminRefused extends HaldaneError {
  readonly status: number;

  constructor(status: number, message: string, code = 'gateway-admin-refused') {
    super(message, { code });
    this.status = status;
  }
}

export interface AdminOptions {
  readonly gateway: Gateway;
  readonly actions: AdminActions;
  readonly token: string;
}

interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly body: unknown;
}

export async function openAdmin(options: AdminOptions): Promise<{ server: Server; address: Endpoint }> {
  const server = createServer((request, response) => void serve(options, request, response));
  await listen(server, '127.0.0.1', 0);
  return { server, address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port } };
}

/** A second, fixed port for scrapers: /metrics and /healthz only, and without a token. */
export async function openMetrics(gateway: Gateway, at: Endpoint): Promise<Server> {
  const server = createServer((request, response) => {
    const path = pathOf(request);
    if (request.method !== 'GET') send(response, { status: 405, body: { message: 'GET only' } });
    else if (path === '/metrics') send(response, { status: 200, type: METRICS_TYPE, body: metricsText(gateway) });
    else if (path === '/healthz') send(response, health(gateway));
    else send(response, { status: 404, body: { message: 'not found' } });
  });
  await listen(server, at.host, at.port);
  return server;
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function serve(options: AdminOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    if (pathOf(request) === '/healthz') send(response, health(options.gateway));
    else if (!isAuthorized(request, options.token)) {
      send(response, { status: 401, body: { code: 'gateway-unauthorized', message: 'a bearer token is needed' } });
    } else send(response, await answer(options, request));
  } catch (error) {
    send(response, failure(error));
  }
}

async function answer({ gateway, actions }: AdminOptions, request: IncomingMessage): Promise<Answer> {
  switch (`${request.method} ${pathOf(request)}`) {
    case 'PUT /v1/config': {
      const config = parseConfig(await readJson(request));
      const { changed, persisted } = await actions.configure(config);
      return ok({ generation: config.generation, changed, persisted, listening: gateway.listening });
    }
    case 'GET /v1/config':
      return ok({ config: gateway.config, listening: gateway.listening });
    case 'GET /v1/snapshot':
      return ok(snapshotOf(gateway));
    case 'GET /v1/past':
      return ok(pastOf(gateway));
    case 'GET /metrics':
      return { status: 200, type: METRICS_TYPE, body: metricsText(gateway) };
    case 'POST /v1/drain': {
      const body = (await readJson(request)) as { limitMs?: unknown } | null;
      actions.drain(typeof body?.limitMs === 'number' ? body.limitMs : undefined);
      return { status: 202, body: { draining: true } };
    }
    case 'POST /v1/takeover':
      return ok({ instance: await actions.takeover(commandOf(await readJson(request))) });
    default:
      throw new AdminRefused(404, `there is no ${request.method} ${pathOf(request)}`);
  }
}

function health(gateway: Gateway): Answer {
  const serving = gateway.listening !== null && !gateway.runtime.draining;
  return {
    status: serving ? 200 : 503,
    body: { serving, draining: gateway.runtime.draining, instance: gateway.instance },
  };
}

function commandOf(body: unknown): string[] {
  const command = (body as { command?: unknown } | null)?.command;
  if (Array.isArray(command) && command.length > 0 && command.every((part) => typeof part === 'string')) return command;
  throw new AdminRefused(422, 'command must be a list of strings: the program and its arguments');
}

function ok(body: unknown): Answer {
  return { status: 200, body };
}

function failure(error: unknown): Answer {
  if (error instanceof AdminRefused) return { status: error.status, body: error.toJSON() };
  if (error instanceof HaldaneError) {
    return { status: error.code === 'gateway-config-stale' ? 409 : 422, body: error.toJSON() };
  }
  return {
    status: 500,
    body: { code: 'gateway-failed', message: error instanceof Error ? error.message : String(error) },
  };
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
  const text = typeof body === 'string' ? body : `${JSON.stringify(body)}\n`;
  response.writeHead(status, { 'content-type': type ?? 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] as string;
}

function isAuthorized(request: IncomingMessage, token: string): boolean {
  const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > BODY_BYTES) throw new AdminRefused(413, 'the body is too large');
    parts.push(part);
  }
  const text = Buffer.concat(parts).toString('utf8');
  if (text.trim() === '') return null;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AdminRefused(400, `the body is not JSON: ${(cause as Error).message}`);
  }
}
