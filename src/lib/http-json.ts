/**
 * One JSON question over HTTP to a place that is known: a time limit, a size limit, no redirects.
 * It refuses to guess: what is not JSON, too large or late is an error with a code.
 */
import { type IncomingMessage, request } from 'node:http';
import { HaldaneError } from './errors.ts';

export class HttpJsonError extends HaldaneError {
  constructor(code: string, message: string, cause?: unknown) {
    super(message, { code, retry: 'later', cause });
  }
}

export interface JsonQuestion {
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly token?: string;
  readonly body?: unknown;
  readonly timeoutMs: number;
}

export interface JsonAnswer {
  readonly status: number;
  readonly body: unknown;
}

const LARGEST_BYTES = 32 * 1024 * 1024;

export function askJson(question: JsonQuestion): Promise<JsonAnswer> {
  const where = `${question.method} ${question.path} at ${question.host}:${question.port}`;
  const text = question.body === undefined ? undefined : JSON.stringify(question.body);
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        method: question.method,
        host: question.host,
        port: question.port,
        path: question.path,
        agent: false,
        headers: {
          accept: 'application/json',
          ...(question.token === undefined ? {} : { authorization: `Bearer ${question.token}` }),
          ...(text === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
        },
      },
      (response) => {
        readJson(response, where).then(
          (body) => end(() => resolve({ status: response.statusCode ?? 0, body })),
          (error: unknown) => end(() => reject(error)),
        );
      },
    );
    const timer = setTimeout(
      () =>
        end(() => reject(new HttpJsonError('http-timeout', `${where} gave no answer within ${question.timeoutMs} ms`))),
      question.timeoutMs,
    );
    const end = (settle: () => void) => {
      clearTimeout(timer);
      asked.destroy();
      settle();
    };
    asked.on('error', (error) =>
      end(() => reject(new HttpJsonError('http-failed', `${where} failed: ${error.message}`, error))),
    );
    asked.end(text);
  });
}

async function readJson(response: IncomingMessage, where: string): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > LARGEST_BYTES) throw new HttpJsonError('http-too-large', `${where} answered more than 32 MiB`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (text.trim() === '') return null;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HttpJsonError('http-not-json', `${where} did not answer JSON`, cause);
  }
}
