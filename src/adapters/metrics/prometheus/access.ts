// Questions to Prometheus: who we are told apart by, what is refused, how long and how much is taken. A secret is read when it
// is needed and never shown; what the server answers is either its answer or an error with its words.
import { Agent, type Dispatcher, request } from 'undici';
import type { PrometheusAccess, SecretKey } from '../../../core/model/policy.ts';
import { HaldaneError } from '../../../lib/errors.ts';

export interface SecretAt extends SecretKey {
  readonly namespace: string;
}

/** null: there is no such Secret, or no such key in it. */
export type ReadSecret = (at: SecretAt) => Promise<string | null>;

export class PrometheusRefused extends HaldaneError {}

interface Connection {
  readonly dispatcher: Agent;
  readonly headers: Readonly<Record<string, string>>;
  readonly madeMs: number;
}

const SECRETS_AGE_MS = 60_000;
const MOST_BYTES = 64 * 1024 * 1024;

export interface Question {
  readonly access: PrometheusAccess;
  readonly namespace: string;
  readonly timeoutMs: number;
  readonly path: string;
  readonly form: Readonly<Record<string, string>>;
}

export class PrometheusConnections {
  readonly #readSecret: ReadSecret;
  readonly #nowMs: () => number;
  readonly #known = new Map<string, Connection>();

  constructor(readSecret: ReadSecret, nowMs: () => number) {
    this.#readSecret = readSecret;
    this.#nowMs = nowMs;
  }

  /** The parsed body of an answer. */
  async ask(question: Question): Promise<unknown> {
    const first = await this.#send(question, false);
    const response = isRefused(first) ? await this.#again(question, first) : first;
    const text = await bodyOf(response, question);
    if (response.statusCode !== 200) throw this.#refusal(question, response.statusCode, text);
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new PrometheusRefused('its answer is not JSON', {
        code: 'prometheus-answer',
        path: question.access.address,
        cause,
      });
    }
  }

  async #again(question: Question, first: Dispatcher.ResponseData): Promise<Dispatcher.ResponseData> {
    await first.body.dump();
    return this.#send(question, true);
  }

  async #send(
    { access, namespace, timeoutMs, path, form }: Question,
    isAnew: boolean,
  ): Promise<Dispatcher.ResponseData> {
    const { dispatcher, headers } = await this.#connection(access, namespace, isAnew);
    try {
      return await request(`${access.address.replace(/\/$/, '')}${path}`, {
        method: 'POST',
        dispatcher,
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: new URLSearchParams(form).toString(),
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new PrometheusRefused(`it did not answer (${why})`, {
        code: 'prometheus-unreachable',
        retry: 'later',
        path: access.address,
        cause,
      });
    }
  }

  async #connection(access: PrometheusAccess, namespace: string, isAnew: boolean): Promise<Connection> {
    const key = JSON.stringify([namespace, access]);
    const known = this.#known.get(key);
    if (known !== undefined && !isAnew && this.#nowMs() - known.madeMs < SECRETS_AGE_MS) return known;
    const [ca, certificate, clientKey, bearer, password] = await Promise.all(
      [
        access.ca,
        access.clientCertificate?.certificate,
        access.clientCertificate?.key,
        access.bearer,
        access.basic?.password,
      ].map((secret) => this.#secret(namespace, secret ?? null)),
    );
    const connect = { ...given('ca', ca), ...given('cert', certificate), ...given('key', clientKey) };
    const basic =
      access.basic === null
        ? undefined
        : `Basic ${Buffer.from(`${access.basic.username}:${password ?? ''}`).toString('base64')}`;
    const authorization = bearer == null ? basic : `Bearer ${bearer.trim()}`;
    const made = {
      dispatcher: new Agent({ connections: 8, connect: { timeout: 5_000, ...connect } }),
      headers: { ...access.headers, ...given('authorization', authorization) },
      madeMs: this.#nowMs(),
    };
    void known?.dispatcher.close();
    this.#known.set(key, made);
    return made;
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

  #refusal({ access }: Question, status: number, text: string): PrometheusRefused {
    const words = errorWords(text);
    return new PrometheusRefused(`it answered with status ${status}${words === '' ? '' : `: ${words}`}`, {
      code: `prometheus-${status}`,
      path: access.address,
      ...(status === 401 || status === 403 ? { fix: 'check the credentials of spec.metrics.prometheus' } : {}),
    });
  }
}

function given<K extends string>(key: K, value: string | null | undefined): { [P in K]?: string } {
  return value == null ? {} : ({ [key]: value } as { [P in K]?: string });
}

function isRefused({ statusCode }: Dispatcher.ResponseData): boolean {
  return statusCode === 401 || statusCode === 403;
}

async function bodyOf({ body }: Dispatcher.ResponseData, { access }: Question): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > MOST_BYTES) throw new Error('its answer is too long');
      chunks.push(chunk);
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PrometheusRefused(`its answer broke off (${why})`, {
      code: 'prometheus-answer',
      path: access.address,
      retry: 'later',
      cause,
    });
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Only what Prometheus says of itself: other bodies are not repeated. */
function errorWords(text: string): string {
  try {
    const { error } = JSON.parse(text) as { readonly error?: string };
    return typeof error === 'string' ? error.slice(0, 300) : '';
  } catch {
    return '';
  }
}
