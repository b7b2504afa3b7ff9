// The API server in memory behind HTTP, for tests of what is only seen on a wire: pages, streams, tokens, and every way an
// answer can go wrong. It speaks of the kinds in resources.ts, and refuses paths it does not know as the real one does.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DeleteOptions, KubeList, Patch, WriteOptions } from '../api.ts';
import { KubeError } from '../errors.ts';
import * as kinds from '../resources.ts';
import type { KubeObject, ObjectName, Resource } from '../types.ts';
import { MemoryKubeApi } from './memory-kube-api.ts';

export type FakeVerb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';
/** Answers in place of the server, in whatever way it likes; or not at all. */
export type Fault = (response: ServerResponse, request: IncomingMessage) => void;

export interface Asked {
  readonly verb: FakeVerb;
  readonly resource: string;
  readonly query: URLSearchParams;
  readonly token: string | undefined;
}

interface Call extends Asked {
  readonly of: Resource;
  readonly at: { readonly namespace?: string; readonly name: string };
  readonly options: WriteOptions;
}

export const answers = (status: number, headers: Record<string, string> = {}): Fault => {
  return (response) => response.writeHead(status, headers).end();
};
export const resets: Fault = (_response, request) => request.socket.resetAndDestroy();
export const hangs: Fault = () => {};
/** The head of an answer, these chunks, and then nothing, an end, or a reset. */
export const streams = (chunks: readonly (string | Buffer)[], then: 'silence' | 'end' | 'reset'): Fault => {
  return async (response, request) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    for (const chunk of chunks) {
      response.write(chunk);
      // Each chunk is a packet of its own.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    if (then === 'end') response.end();
    if (then === 'reset') request.socket.resetAndDestroy();
  };
};

export class FakeApiServer {
  readonly memory: MemoryKubeApi;
  readonly asked: Asked[] = [];
  /** Anything else is answered with 401; null: nobody is asked. */
  token: string | null = null;
  /** Watches from before this version are too old. */
  oldest = 0;
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  readonly #faults: { readonly verb: FakeVerb; readonly fault: Fault }[] = [];
  readonly #watches = new Set<{ readonly response: ServerResponse; readonly of: Resource }>();
  #pages = new Map<string, KubeList<KubeObject>>();

  constructor(memory = new MemoryKubeApi()) {
    this.memory = memory;
  }

  /** Returns its address. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** What the next call of this verb meets; several are met one after another. */
  failNext(verb: FakeVerb, fault: Fault, times = 1): void {
    for (let i = 0; i < times; i += 1) this.#faults.push({ verb, fault });
  }

  countOf(verb: FakeVerb): number {
    return this.asked.filter((asked) => asked.verb === verb).length;
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  /** Cuts every watch that is open. */
  cutWatches(): void {
    for (const { response } of this.#watches) response.socket?.resetAndDestroy();
  }

  bookmark(resourceVersion: string): void {
    for (const { response, of } of this.#watches) {
      const object = { apiVersion: kinds.apiVersionOf(of), kind: of.kind, metadata: { resourceVersion } };
      response.write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
    }
  }

  /** Lists that are half read cannot be read on. */
  forgetPages(): void {
    this.#pages = new Map();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const call = callOf(request);
      if (call === null) return send(response, 404, null);
      this.asked.push(call);
      const index = this.#faults.findIndex(({ verb }) => verb === call.verb);
      const [met] = index < 0 ? [] : this.#faults.splice(index, 1);
      if (met !== undefined) return met.fault(response, request);
      if (this.token !== null && call.token !== this.token) return send(response, 401, statusOf(unauthorized()));
      if (call.verb === 'watch') return await this.#watch(call, response);
      send(response, call.verb === 'create' ? 201 : 200, await this.#answer(call, await bodyOf(request), request));
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      send(response, error.status, statusOf(error));
    }
  }

  async #answer(call: Call, body: unknown, request: IncomingMessage): Promise<unknown> {
    const { memory } = this;
    const { of, at, options, verb } = call;
    if (verb === 'list') return this.#list(call);
    if (verb === 'create') return memory.create(of, body as KubeObject, options);
    if (verb === 'update') return memory.replace(of, body as KubeObject, options);
    if (verb === 'patch') return memory.patch(of, at, patchOf(request, body), options);
    if (verb === 'delete') {
      const { preconditions, propagationPolicy } = body as {
        readonly preconditions?: DeleteOptions;
        readonly propagationPolicy?: DeleteOptions['propagation'];
      };
      const propagation = propagationPolicy === undefined ? {} : { propagation: propagationPolicy };
      if (!(await memory.delete(of, at, { ...preconditions, ...propagation }))) throw notFound(of, at);
      return { kind: 'Status', status: 'Success' };
    }
    const found = await memory.get(of, at);
    if (found === null) throw notFound(of, at);
    return found;
  }

  async #list({ of, at, query }: Call): Promise<object> {
    const [token, from] = (query.get('continue') ?? '').split(':');
    const { namespace } = at;
    const labelSelector = query.get('labelSelector') ?? undefined;
    const whole = token
      ? this.#pages.get(token)
      : await this.memory.list(of, {
          ...(namespace === undefined ? {} : { namespace }),
          ...(labelSelector === undefined ? {} : { labelSelector }),
        });
    if (whole === undefined) throw tooOld();
    const start = Number(from ?? 0);
    const end = start + Number(query.get('limit') ?? whole.items.length);
    const name = token || `page${this.asked.length}`;
    this.#pages.set(name, whole);
    const more = end < whole.items.length ? { continue: `${name}:${end}` } : {};
    // Items of a list do not repeat what they are.
    const items = whole.items.slice(start, end).map(({ apiVersion: _version, kind: _kind, ...item }) => item);
    return { kind: `${of.kind}List`, metadata: { resourceVersion: whole.resourceVersion, ...more }, items };
  }

  async #watch({ of, at, query }: Call, response: ServerResponse): Promise<void> {
    const over = new AbortController();
    const watch = { response, of };
    response.on('close', () => over.abort());
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const resourceVersion = query.get('resourceVersion') ?? '0';
    if (Number(resourceVersion) < this.oldest) {
      response.end(`${JSON.stringify({ type: 'ERROR', object: statusOf(tooOld()) })}\n`);
      return;
    }
    this.#watches.add(watch);
    const timeoutSeconds = Number(query.get('timeoutSeconds') ?? 300);
    const timer = setTimeout(() => over.abort(), timeoutSeconds * 1_000).unref();
    const labelSelector = query.get('labelSelector') ?? undefined;
    const scope = { ...(at.namespace === undefined ? {} : { namespace: at.namespace }), resourceVersion };
    const selected = labelSelector === undefined ? scope : { ...scope, labelSelector };
    const events = this.memory.watch(of, { ...selected, signal: over.signal, idleMs: 0, timeoutSeconds });
    for await (const event of events) response.write(`${JSON.stringify(event)}\n`);
    clearTimeout(timer);
    this.#watches.delete(watch);
    response.end();
  }
}

const PATH =
  /^\/(?:api|apis\/([^/]+))\/(v[^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/(status|scale))?$/;
const VERBS: Readonly<Record<string, FakeVerb>> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

function callOf({ url = '/', method = 'GET', headers }: IncomingMessage): Call | null {
  const { pathname, searchParams: query } = new URL(url, 'http://fake');
  const [, group = '', version, namespace, plural, name, subresource] = PATH.exec(pathname) ?? [];
  const of = Object.values(kinds).find(
    (kind): kind is Resource =>
      typeof kind === 'object' && kind.group === group && kind.version === version && kind.plural === plural,
  );
  if (of === undefined) return null;
  const looks = name !== undefined ? 'get' : query.get('watch') === 'true' ? 'watch' : 'list';
  const token = headers.authorization?.replace('Bearer ', '');
  const space = namespace === undefined ? {} : { namespace: decodeURIComponent(namespace) };
  const at = { ...space, name: decodeURIComponent(name ?? '') };
  const options = {
    ...(subresource === undefined ? {} : { subresource: subresource as 'status' | 'scale' }),
    ...(query.has('fieldManager') ? { fieldManager: query.get('fieldManager') ?? '' } : {}),
    dryRun: query.get('dryRun') === 'All',
  };
  return { verb: VERBS[method] ?? looks, resource: of.plural, query, token, of, at, options };
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

function patchOf({ headers }: IncomingMessage, body: unknown): Patch {
  const type = headers['content-type'] ?? '';
  if (type.startsWith('application/json-patch')) return { type: 'json', operations: body as never };
  return { type: type.startsWith('application/apply') ? 'apply' : 'merge', body: body as object };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': body === null ? 'text/plain' : 'application/json' });
  response.end(body === null ? '404 page not found\n' : JSON.stringify(body));
}

function statusOf({ status: code, reason, message }: KubeError): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
}

function notFound({ plural }: Resource, { name }: ObjectName): KubeError {
  return new KubeError(plural, 404, { reason: 'NotFound', message: `"${name}" not found` });
}

const unauthorized = () => new KubeError('asked', 401, { reason: 'Unauthorized', message: 'Unauthorized' });
const tooOld = () => new KubeError('asked', 410, { reason: 'Expired', message: 'too old resource version' });
