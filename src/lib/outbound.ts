/**
 * One JSON message to an address a user named: the name is resolved, every address checked, and the call pinned to the
 * checked one; no redirects, a time limit, at most 64 KiB of the answer read and none of it kept.
 * Errors name the host only: paths and queries of hooks often are secrets.
 */
import { lookup } from 'node:dns/promises';
import { type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { HaldaneError, type Retry } from './errors.ts';
import { isSafeAddress } from './safe-address.ts';

export class OutboundError extends HaldaneError {
  constructor(code: string, message: string, options: { retry: Retry; cause?: unknown; fix?: string }) {
    super(message, { code, ...options });
  }
}

export interface OutboundMessage {
  readonly url: string;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** For tests: how names become addresses. */
  readonly resolve?: (name: string) => Promise<readonly string[]>;
}

export interface OutboundAnswer {
  readonly status: number;
  /** What the other side asked to wait before the next try; null if it did not say. */
  readonly retryAfterMs: number | null;
}

const LARGEST_BYTES = 64 * 1024;
const LONGEST_RETRY_AFTER_S = 3_600;

export async function postJson(message: OutboundMessage): Promise<OutboundAnswer> {
  const url = parse(message.url);
  const address = await resolveSafely(url, message.resolve ?? resolveName);
  return send(url, address, message);
}

function parse(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw refused('the URL cannot be read', 'write it as https://host/path');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refused(`${url.protocol} is not http: or https:`);
  if (url.username !== '' || url.password !== '') throw refused('the URL holds a user name or password');
  return url;
}

function refused(why: string, fix?: string): OutboundError {
  return new OutboundError('outbound-refused', `not called: ${why}`, {
    retry: 'never',
    ...(fix === undefined ? {} : { fix }),
  });
}

async function resolveName(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

/** All addresses of a name must be safe: of a mixed answer the next try could get the other one. */
async function resolveSafely(url: URL, resolve: (name: string) => Promise<readonly string[]>): Promise<string> {
  const name = url.hostname.replace(/^\[|\]$/g, '');
  let addresses: readonly string[];
  try {
    addresses = isIP(name) === 0 ? await resolve(name) : [name];
  } catch (cause) {
    throw new OutboundError('outbound-failed', `${name} cannot be resolved`, { retry: 'later', cause });
  }
  const [address] = addresses;
  if (address === undefined) throw new OutboundError('outbound-failed', `${name} has no address`, { retry: 'later' });
  if (!addresses.every(isSafeAddress)) {
    throw refused(`${name} is a link-local, metadata or otherwise special address`, 'name a host of your own');
  }
  return address;
}

function send(url: URL, address: string, message: OutboundMessage): Promise<OutboundAnswer> {
  const text = JSON.stringify(message.body);
  const options: RequestOptions = {
    method: 'POST',
    agent: false,
    lookup: pinnedTo(address),
    headers: {
      ...message.headers,
      'user-agent': 'haldane',
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    },
  };
  const ask = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const asked = ask(url, options, (response) => {
      let bytes = 0;
      const answered = () =>
        end(() =>
          resolve({ status: response.statusCode ?? 0, retryAfterMs: retryAfter(response.headers['retry-after']) }),
        );
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > LARGEST_BYTES) answered();
      });
      response.on('end', answered);
      response.on('error', (cause) => fail(`${url.host} broke off`, cause));
    });
    const end = (settle: () => void) => {
      clearTimeout(timer);
      message.signal?.removeEventListener('abort', stop);
      settle();
      asked.destroy();
    };
    const fail = (why: string, cause?: unknown) =>
      end(() => reject(new OutboundError('outbound-failed', why, { retry: 'later', cause })));
    const stop = () => fail(`the call to ${url.host} was stopped`);
    const timer = setTimeout(
      () => fail(`${url.host} gave no answer within ${message.timeoutMs} ms`),
      message.timeoutMs,
    );
    asked.on('error', (cause: NodeJS.ErrnoException) =>
      fail(`${url.host}: ${cause.code ?? 'connection failed'}`, cause),
    );
    message.signal?.addEventListener('abort', stop, { once: true });
    if (message.signal?.aborted) stop();
    else asked.end(text);
  });
}

function pinnedTo(address: string): LookupFunction {
  const family = isIP(address);
  return (_name, options, callback) => {
    if (options.all) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };
}

/** Seconds only: a date would need the other side's clock. */
function retryAfter(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,6}$/.test(header)
    ? Math.min(Number(header), LONGEST_RETRY_AFTER_S) * 1_000
    : null;
}
