// Questions to Prometheus: who we are told apart by, what is refused, how long and how much is taken. A secret is read when it
// is needed, again every minute and after a refusal, and never shown; what the server answers is either its answer or an
// error with its words. It refuses redirects, and addresses at which machines hand out their credentials.
import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, type Dispatcher, request } from 'undici';
import type { PrometheusAccess, SecretKey } from '../../../core/model/policy.ts';
import { HaldaneError } from '../../../lib/errors.ts';
import { isSafeAddress } from '../../../lib/safe-address.ts';

export interface SecretAt extends SecretKey {
  readonly namespace: string;
}

/** null: there is no such Secret, or no such key in it. */
export type ReadSecret = (at: SecretAt) => Promise<string | null>;

export class PrometheusRefused extends HaldaneError {}

interface Tls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

interface Credentials {
  readonly tls: Tls;
  readonly headers: Readonly<Record<string, string>>;
}

const SECRETS_AGE_MS = 60_000;
const POOL_IDLE_MS = 600_000;
const MOST_BYTES = 64 * 1024 * 1024;

export interface Question {
  readonly access: PrometheusAccess;
  /** Of the Secrets. */
  readonly namespace: string;
  readonly timeoutMs: number;
  readonly path: string;
  readonly form: Readonly<Record<string, string>>;
}

export class PrometheusConnections {
  readonly #readSecret: ReadSecret;
  readonly #nowMs: () => number;
  readonly #credentials = new Map<string, { readonly atMs: number; readonly read: Promise<Credentials> }>();
  readonly #pools = new Map<string, { readonly agent: Agent; usedMs: number }>();

  constructor(readSecret: ReadSecret, nowMs: () => number) {
    this.#readSecret = readSecret;
    this.#nowMs = nowMs;
  }

  /** The parsed body of an answer. */
  async ask(question: Question): Promise<unknown> {
    const first = await this.#send(question, false);
    const response = isRefused(first) ? await this.#again(question, first) : first;
    const text = await bodyOf(response);
    if (response.statusCode !== 200) throw refusal(response.statusCode, text);
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new PrometheusRefused('its answer is not JSON', { code: 'prometheus-answer', cause });
    }
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map(({ agent }) => agent.destroy()));
  }

  async #again(question: Question, first: Dispatcher.ResponseData): Promise<Dispatcher.ResponseData> {
    await first.body.dump();
    return this.#send(question, true);
  }

  async #send(
    { access, namespace, timeoutMs, path, form }: Question,
    isAnew: boolean,
  ): Promise<Dispatcher.ResponseData> {
    refuseUnsafe(access.address);
    const { tls, headers } = await this.#credentialsOf(access, namespace, isAnew);
    try {
      return await request(`${access.address.replace(/\/$/, '')}${path}`, {
        method: 'POST',
        dispatcher: this.#pool(access.address, tls),
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: new URLSearchParams(form).toString(),
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (cause) {
      throw unanswered('it did not answer', cause);
    }
  }

  /** One for each address and what is shown there. */
  #pool(address: string, tls: Tls): Agent {
    const nowMs = this.#nowMs();
    for (const [key, { agent, usedMs }] of this.#pools) {
      if (nowMs - usedMs <= POOL_IDLE_MS) continue;
      this.#pools.delete(key);
      void agent.close();
    }
    const key = JSON.stringify([new URL(address).origin, tls]);
    const known = this.#pools.get(key);
    if (known !== undefined) {
      known.usedMs = nowMs;
      return known.agent;
    }
    const agent = new Agent({ connections: 8, connect: { timeout: 5_000, lookup: safeLookup, ...tls } });
    this.#pools.set(key, { agent, usedMs: nowMs });
    return agent;
  }

  async #credentialsOf(access: PrometheusAccess, namespace: string, isAnew: boolean): Promise<Credentials> {
    const nowMs = this.#nowMs();
    for (const [key, { atMs }] of this.#credentials) if (nowMs - atMs > SECRETS_AGE_MS) this.#credentials.delete(key);
    const key = JSON.stringify([namespace, access]);
    const known = this.#credentials.get(key);
    if (known !== undefined && !isAnew) return known.read;
    const read = this.#read(access, namespace);
    this.#credentials.set(key, { atMs: nowMs, read });
    try {
      return await read;
    } catch (error) {
      this.#credentials.delete(key);
      throw error;
    }
  }

  async #read(access: PrometheusAccess, namespace: string): Promise<Credentials> {
    const [ca, cert, key, bearer, password] = await Promise.all(
      [
        access.ca,
        access.clientCertificate?.certificate,
        access.clientCertificate?.key,
        access.bearer,
        access.basic?.password,
      ].map((secret) => this.#secret(namespace, secret ?? null)),
    );
    const basic =
      access.basic === null
        ? null
        : `Basic ${Buffer.from(`${access.basic.username}:${(password ?? '').replace(/\r?\n$/, '')}`).toString('base64')}`;
    const authorization = bearer == null ? basic : `Bearer ${bearer.trim()}`;
    return {
      tls: { ...given('ca', ca), ...given('cert', cert), ...given('key', key) },
      headers: { ...access.headers, ...given('authorization', authorization) },
    };
  }

  async #secret(namespace: string, secret: SecretKey | null): Promise<string | null> {
    if (secret === null) return null;
    const value = await this.#readSecret({ namespace, ...secret });
    if (value !== null) return value;
    throw new PrometheusRefused(`there is no key ${secret.key} in the Secret ${namespace}/${secret.name}`, {
      code: 'secret-missing',
      path: 'spec.metrics.prometheus',
      fix: 'create it, or name another',
    });
  }
}

function given<K extends string>(key: K, value: string | null | undefined): { [P in K]?: string } {
  return value == null ? {} : ({ [key]: value } as { [P in K]?: string });
}

function isRefused({ statusCode }: Dispatcher.ResponseData): boolean {
  return statusCode === 401 || statusCode === 403;
}

function refuseUnsafe(address: string): void {
  const host = new URL(address).hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !isSafeAddress(host)) throw unanswered('it is not asked', unsafe(host));
}

const unsafe = (host: string) => new Error(`${host} is a link-local, metadata or otherwise special address`);

/** Addresses in the cluster are private ones, and are asked; those of a machine's own credentials are not. */
const safeLookup: LookupFunction = (host, options, callback) => {
  lookup(host, { ...options, all: true }, (error, addresses) => {
    const [first] = addresses ?? [];
    if (error !== null || first === undefined) callback(error ?? new Error(`${host} has no address`), '', 0);
    else if (!addresses.every(({ address }) => isSafeAddress(address))) callback(unsafe(host), '', 0);
    else if (options.all) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};

async function bodyOf({ body }: Dispatcher.ResponseData): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > MOST_BYTES) throw new Error('it is longer than 64 MiB');
      chunks.push(chunk);
    }
  } catch (cause) {
    throw unanswered('its answer broke off', cause);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function unanswered(what: string, cause: unknown): PrometheusRefused {
  const { code, message } = cause as { readonly code?: string; readonly message?: string };
  const why = message || code || String(cause);
  return new PrometheusRefused(`${what} (${why})`, { code: 'prometheus-unreachable', retry: 'later', cause });
}

function refusal(status: number, text: string): PrometheusRefused {
  const words = errorWords(text);
  return new PrometheusRefused(`it answered with status ${status}${words === '' ? '' : `: ${words}`}`, {
    code: `prometheus-${status}`,
    ...(status === 401 || status === 403 ? { fix: 'check the credentials of spec.metrics.prometheus' } : {}),
  });
}

/** Only what Prometheus says of itself: other bodies are not repeated. */
function errorWords(text: string): string {
  try {
    const { error } = JSON.parse(text) as { readonly error?: unknown };
    return typeof error === 'string' ? error.slice(0, 300) : '';
  } catch {
    return '';
  }
}
