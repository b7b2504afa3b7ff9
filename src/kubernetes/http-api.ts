// The API server over HTTP. A call ends: with an answer, or with an error after its limit. A read that met a dead
// connection is tried once more; a write never is, since it may have been done. What is no answer of an API server (a
// page of a proxy, half a body) is refused as ApiUnreachable.
import { type Dispatcher, request } from 'undici';
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
import { Connections } from './connections.ts';
import type { Identity } from './credentials.ts';
import { ApiUnreachable, FencedOut, isGone, isNotFound, KubeError, type StatusBody } from './errors.ts';
import { readLines } from './lines.ts';
import { apiVersionOf, pathOf } from './resources.ts';
import type { KubeObject, ObjectName, Resource } from './types.ts';

export interface HttpKubeApiOptions {
  readonly config: ClusterConfig;
  readonly userAgent: string;
  /** Called right before every write, and again as its bytes go out; throws to refuse it (a lease that is not held). */
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
  readonly #connections: Connections;
  #underWay = 0;

  constructor(options: HttpKubeApiOptions) {
    this.#options = options;
    this.#connections = new Connections(options.config, options.fence);
  }

  /** Calls that were made and have no answer yet, those that wait for a connection among them. Watches are none. */
  get underWay(): number {
    return this.#underWay;
  }

  close(): Promise<void> {
    return this.#connections.close();
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
    try {
      for await (const line of readLines(response.body, { idleMs, signal })) {
        const event = JSON.parse(line) as { type: string; object: KubeObject };
        if (event.type === 'ERROR') throw errorOf(`watch ${resource.plural}`, 0, event.object);
        yield { type: event.type, object: { apiVersion, kind: resource.kind, ...event.object } } as WatchEvent;
      }
    } catch (error) {
      if (signal.aborted) return;
      throw error instanceof KubeError ? error : this.#unreachable(call, error);
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
    this.#underWay += 1;
    try {
      return await this.#answer(call);
    } finally {
      this.#underWay -= 1;
    }
  }

  async #answer(call: Call): Promise<unknown> {
    const response = await this.#send(call);
    try {
      const text = await response.body.text();
      return text === '' ? {} : JSON.parse(text);
    } catch (cause) {
      throw this.#unreachable(call, cause);
    }
  }

  async #send(call: Call): Promise<Dispatcher.ResponseData> {
    const first = await this.#attempt(call, false);
    if (first.statusCode !== 401) return this.#checked(call, first);
    await first.body.dump();
    return this.#checked(call, await this.#attempt(call, true));
  }

  async #attempt(call: Call, isRefused: boolean): Promise<Dispatcher.ResponseData> {
    const identity = await this.#options.config.credentials.get(isRefused);
    if (call.method !== 'GET') this.#options.fence?.();
    // One limit for the whole of a call, the wait for a connection and the last byte of the answer included.
    const limit = call.isWatch === true ? call.signal : AbortSignal.timeout(this.#limitMs);
    try {
      return await this.#request(call, identity, limit);
    } catch (error) {
      const isAgain = call.method === 'GET' && limit?.aborted !== true && isReset(error);
      if (!isAgain) throw this.#unreachable(call, error);
    }
    return this.#request(call, identity, limit).catch((error: unknown) => {
      throw this.#unreachable(call, error);
    });
  }

  get #limitMs(): number {
    return this.#options.callLimitMs ?? CALL_LIMIT_MS;
  }

  #unreachable(call: Call, cause: unknown): Error {
    if (cause instanceof FencedOut) return cause;
    this.#options.onCall?.(call.verb, call.resource, 0, 0);
    return new ApiUnreachable(`${call.verb} ${call.resource}`, this.#options.config.server, cause);
  }

  async #request(call: Call, identity: Identity, signal: AbortSignal | undefined): Promise<Dispatcher.ResponseData> {
    const { config, userAgent, onCall } = this.#options;
    const startedMs = performance.now();
    const response = await request(`${config.server}${call.path}`, {
      method: call.method,
      dispatcher: this.#connections.of(identity, call.isWatch === true ? 'watches' : 'calls'),
      headers: {
        accept: 'application/json',
        'user-agent': userAgent,
        ...(identity.token === undefined ? {} : { authorization: `Bearer ${identity.token}` }),
        ...(call.body === undefined ? {} : { 'content-type': call.contentType ?? 'application/json' }),
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      ...(signal === undefined ? {} : { signal }),
      headersTimeout: this.#limitMs,
      // A watch is silent for as long as nothing happens; its reader has its own limit.
      bodyTimeout: call.isWatch === true ? 0 : this.#limitMs,
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
}

const RESET = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** A connection that was dead before the answer began, as one kept alive for too long is. */
function isReset(error: unknown): boolean {
  return RESET.has((error as { readonly code?: string }).code ?? '');
}

function errorOf(what: string, status: number, body: unknown, retryAfterMs: number | null = null): KubeError {
  const parsed = typeof body === 'string' ? parsedBody(body) : (body as ReturnType<typeof parsedBody>);
  return new KubeError(what, status === 0 ? (parsed.code ?? 500) : status, parsed, retryAfterMs);
}

function parsedBody(text: string): StatusBody & { readonly code?: number } {
  try {
    return JSON.parse(text) as StatusBody;
  } catch {
    return text === '' ? {} : { message: text.trim().slice(0, 500) };
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
