// The API server over HTTP. A call ends: with an answer, or with an error after its limit. A read that met a dead
// connection is tried once more; a write never is, since it may have been done.
import { Agent, type Dispatcher, request } from 'undici';
import type {
  DeleteOptions,
  KubeApi,
  KubeList,
  ListOptions,
  Patch,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './api.ts';
import type { ClusterConfig } from './config.ts';
import type { Identity } from './credentials.ts';
import { ApiUnreachable, isGone, isNotFound, KubeError } from './errors.ts';
import { readLines } from './lines.ts';
import { apiVersionOf, pathOf } from './resources.ts';
import type { KubeObject, ObjectName, Resource } from './types.ts';

export interface HttpKubeApiOptions {
  readonly config: ClusterConfig;
  readonly userAgent: string;
  /** Called right before every write; throws to refuse it (a lease that is not held). */
  readonly fence?: () => void;
  readonly onCall?: (verb: string, resource: string, status: number, ms: number) => void;
  readonly callLimitMs?: number;
}

interface Call {
  readonly verb: string;
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  readonly resource: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  readonly isWatch?: boolean;
}

const PAGE = 500;
const CALL_LIMIT_MS = 20_000;
const PATCH_TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

export class HttpKubeApi implements KubeApi {
  readonly #options: HttpKubeApiOptions;
  #agent: { readonly dispatcher: Agent; readonly certificate: string | undefined } | null = null;

  constructor(options: HttpKubeApiOptions) {
    this.#options = options;
  }

  async close(): Promise<void> {
    await this.#agent?.dispatcher.destroy();
    this.#agent = null;
  }

  async get<T extends KubeObject = KubeObject>(resource: Resource, at: ObjectName): Promise<T | null> {
    try {
      return (await this.#json('get', 'GET', resource, { path: pathOf(resource, at) })) as T;
    } catch (error) {
      if (isNotFound(error)) return null;
      throw error;
    }
  }

  async list<T extends KubeObject = KubeObject>(resource: Resource, options: ListOptions = {}): Promise<KubeList<T>> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#listOnce<T>(resource, options);
      } catch (error) {
        // The list grew too old between two of its pages: it starts over.
        if (!isGone(error) || tries >= 3) throw error;
      }
    }
  }

  async #listOnce<T extends KubeObject>(resource: Resource, options: ListOptions): Promise<KubeList<T>> {
    const items: T[] = [];
    let next: string | undefined;
    for (;;) {
      const query = queryOf({ ...selectors(options), limit: String(PAGE), continue: next });
      const path = `${pathOf(resource, { namespace: options.namespace })}${query}`;
      const page = (await this.#json('list', 'GET', resource, { path })) as unknown as {
        readonly items: readonly T[] | null;
        readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
      };
      const apiVersion = apiVersionOf(resource);
      for (const item of page.items ?? []) items.push({ apiVersion, kind: resource.kind, ...item });
      next = page.metadata.continue;
      if (!next) return { items, resourceVersion: page.metadata.resourceVersion };
    }
  }

  create<T extends KubeObject = KubeObject>(resource: Resource, object: KubeObject, options: WriteOptions = {}) {
    const { namespace } = object.metadata;
    const path = `${pathOf(resource, { namespace }, options.subresource)}${writeQuery(options)}`;
    return this.#json('create', 'POST', resource, { path, body: object }) as Promise<T>;
  }

  replace<T extends KubeObject = KubeObject>(resource: Resource, object: KubeObject, options: WriteOptions = {}) {
    const path = `${pathOf(resource, object.metadata, options.subresource)}${writeQuery(options)}`;
    return this.#json('update', 'PUT', resource, { path, body: object }) as Promise<T>;
  }

  patch<T extends KubeObject = KubeObject>(
    resource: Resource,
    at: ObjectName,
    patch: Patch,
    options: WriteOptions = {},
  ): Promise<T> {
    const force: Record<string, string> = patch.type === 'apply' && patch.force === true ? { force: 'true' } : {};
    const path = `${pathOf(resource, at, options.subresource)}${writeQuery(options, force)}`;
    const body = patch.type === 'json' ? patch.operations : patch.body;
    const contentType = PATCH_TYPES[patch.type];
    return this.#json('patch', 'PATCH', resource, { path, body, contentType }) as unknown as Promise<T>;
  }

  async delete(resource: Resource, at: ObjectName, options: DeleteOptions = {}): Promise<boolean> {
    const { uid, resourceVersion, propagation = 'Background', gracePeriodSeconds } = options;
    const preconditions =
      uid === undefined && resourceVersion === undefined ? {} : { preconditions: { uid, resourceVersion } };
    const body = {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      propagationPolicy: propagation,
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      ...preconditions,
    };
    try {
      await this.#json('delete', 'DELETE', resource, { path: pathOf(resource, at), body });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async *watch(resource: Resource, options: WatchOptions): AsyncIterable<WatchEvent> {
    const { namespace, labelSelector, resourceVersion, signal, idleMs, timeoutSeconds } = options;
    const query = queryOf({
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion,
      labelSelector,
      timeoutSeconds: String(timeoutSeconds),
    });
    const path = `${pathOf(resource, { namespace })}${query}`;
    const call: Call = { verb: 'watch', method: 'GET', path, resource: resource.plural, signal, isWatch: true };
    const response = await this.#send(call);
    const apiVersion = apiVersionOf(resource);
    for await (const line of readLines(response.body, { idleMs, signal })) {
      const event = JSON.parse(line) as { type: string; object: KubeObject };
      if (event.type === 'ERROR') throw errorOf(`watching ${resource.plural}`, 0, event.object);
      yield { type: event.type, object: { apiVersion, kind: resource.kind, ...event.object } } as WatchEvent;
    }
  }

  raw<T>(method: string, path: string, body?: object): Promise<T> {
    const call = { verb: method.toLowerCase(), method: method as Dispatcher.HttpMethod, path, resource: path, body };
    return this.#body(call) as Promise<T>;
  }

  async #json(
    verb: string,
    method: Dispatcher.HttpMethod,
    resource: Resource,
    rest: Pick<Call, 'path' | 'body' | 'contentType'>,
  ): Promise<KubeObject> {
    return (await this.#body({ verb, method, resource: resource.plural, ...rest })) as KubeObject;
  }

  async #body(call: Call): Promise<unknown> {
    const response = await this.#send(call);
    const text = await response.body.text().catch((cause: unknown) => {
      throw new ApiUnreachable(`${call.verb} ${call.resource}`, this.#options.config.server, cause);
    });
    return text === '' ? {} : JSON.parse(text);
  }

  async #send(call: Call): Promise<Dispatcher.ResponseData> {
    if (call.method !== 'GET') this.#options.fence?.();
    const first = await this.#attempt(call, false);
    if (first.statusCode !== 401) return this.#checked(call, first);
    await first.body.dump();
    return this.#checked(call, await this.#attempt(call, true));
  }

  async #attempt(call: Call, isRefused: boolean): Promise<Dispatcher.ResponseData> {
    const identity = await this.#options.config.credentials.get(isRefused);
    try {
      return await this.#request(call, identity);
    } catch (error) {
      if (call.signal?.aborted === true || call.method !== 'GET' || call.isWatch === true)
        throw this.#unreachable(call, error);
      return this.#request(call, identity).catch((again: unknown) => {
        throw this.#unreachable(call, again);
      });
    }
  }

  #unreachable(call: Call, cause: unknown): ApiUnreachable {
    this.#options.onCall?.(call.verb, call.resource, 0, 0);
    return new ApiUnreachable(`${call.verb} ${call.resource}`, this.#options.config.server, cause);
  }

  async #request(call: Call, identity: Identity): Promise<Dispatcher.ResponseData> {
    const { config, userAgent, onCall, callLimitMs = CALL_LIMIT_MS } = this.#options;
    const startedMs = performance.now();
    const response = await request(`${config.server}${call.path}`, {
      method: call.method,
      dispatcher: this.#dispatcher(identity),
      headers: {
        accept: 'application/json',
        'user-agent': userAgent,
        ...(identity.token === undefined ? {} : { authorization: `Bearer ${identity.token}` }),
        ...(call.body === undefined ? {} : { 'content-type': call.contentType ?? 'application/json' }),
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
      headersTimeout: callLimitMs,
      // A watch is silent for as long as nothing happens; its reader has its own limit.
      bodyTimeout: call.isWatch === true ? 0 : callLimitMs,
    });
    onCall?.(call.verb, call.resource, response.statusCode, performance.now() - startedMs);
    return response;
  }

  async #checked(call: Call, response: Dispatcher.ResponseData): Promise<Dispatcher.ResponseData> {
    if (response.statusCode < 300) return response;
    const text = await response.body.text().catch(() => '');
    const seconds = Number(response.headers['retry-after']);
    const what = `${call.verb} ${call.path.split('?')[0]}`;
    throw errorOf(what, response.statusCode, text, Number.isFinite(seconds) ? seconds * 1_000 : null);
  }

  /** Another client certificate means other connections. */
  #dispatcher({ certificate, key }: Identity): Agent {
    if (this.#agent !== null && this.#agent.certificate === certificate) return this.#agent.dispatcher;
    const { ca, insecure, tlsServerName } = this.#options.config;
    const dispatcher = new Agent({
      connections: 32,
      keepAliveTimeout: 30_000,
      connect: {
        timeout: 5_000,
        rejectUnauthorized: !insecure,
        ...(ca === undefined ? {} : { ca }),
        ...(certificate === undefined ? {} : { cert: certificate }),
        ...(key === undefined ? {} : { key }),
        ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
      },
    });
    void this.#agent?.dispatcher.close();
    this.#agent = { dispatcher, certificate };
    return dispatcher;
  }
}

function errorOf(what: string, status: number, body: unknown, retryAfterMs: number | null = null): KubeError {
  const parsed = typeof body === 'string' ? parsedBody(body) : (body as ReturnType<typeof parsedBody>);
  return new KubeError(what, status === 0 ? (parsed.code ?? 500) : status, parsed, retryAfterMs);
}

function parsedBody(text: string): { code?: number; message?: string; reason?: string } {
  try {
    return JSON.parse(text) as { code?: number };
  } catch {
    return text === '' ? {} : { message: text.slice(0, 500) };
  }
}

function selectors({ labelSelector, fieldSelector }: ListOptions) {
  return { labelSelector, fieldSelector };
}

function writeQuery({ fieldManager, dryRun }: WriteOptions, more: Readonly<Record<string, string>> = {}): string {
  return queryOf({ fieldManager, dryRun: dryRun === true ? 'All' : undefined, ...more });
}

function queryOf(parts: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parts)) if (value !== undefined && value !== '') query.set(name, value);
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}
