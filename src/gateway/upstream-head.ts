// Writes the head the upstream gets: the client's lines as they came, in runs, without those that end at this hop,
// and with what this hop has to say. It refuses to change a line it passes on.
import { MAX_HEADERS, spans } from './llhttp.ts';
import type { RequestHead } from './request-head.ts';
import { isTraceparent, newTraceparent } from './trace-context.ts';

/** Lines i with drop[i] = 0, each with its line end, in the order and spelling received. */
export function keptLines(text: string, count: number, drop: Uint8Array): string {
  let out = '';
  let i = 0;
  while (i < count) {
    if (drop[i] !== 0) {
      i += 1;
      continue;
    }
    const first = i;
    while (i < count && drop[i] === 0) i += 1;
    const start = spans[4 + 4 * first] as number;
    // Up to where the next line starts, which includes the CRLF.
    out += i < count ? text.slice(start, spans[4 + 4 * i]) : `${text.slice(start, lastLineEnd(i - 1))}\r\n`;
  }
  return out;
}

/** Where line i ends. The position of an empty value lies behind the line end; then the line ends at its colon. */
function lastLineEnd(i: number): number {
  const valueStart = spans[4 * i + 6] as number;
  const valueEnd = spans[4 * i + 7] as number;
  return valueEnd > valueStart ? valueEnd : (spans[4 * i + 5] as number) + 1;
}

/** Whether a head ends where it should, and nowhere before: what is written must be one head, whatever went wrong. */
export function isOneHead(text: string): boolean {
  return text.indexOf('\r\n\r\n') === text.length - 4;
}

/** `hopLines`: the forwarding fields; `fallbackHost` only serves HTTP/1.0 requests that name no host. */
export function upstreamHead(head: RequestHead, hopLines: string, fallbackHost: string): string {
  let lines = '';
  if (!head.hasTrace) lines = `traceparent: ${newTraceparent()}\r\n`;
  else if (!isTraceparent(head.traceparent)) lines = replaceTrace(head);
  if (head.chunked) lines += 'transfer-encoding: chunked\r\n';
  else if (head.hasLength) lines += `content-length: ${head.contentLength}\r\n`;
  if (head.expectsContinue) lines += 'expect: 100-continue\r\n';
  if (head.websocket) lines += 'connection: upgrade\r\nupgrade: websocket\r\n';
  else if (head.acceptsTrailers) lines += 'connection: te\r\nte: trailers\r\n';
  return (
    `${head.method} ${head.target} HTTP/1.1\r\nhost: ${head.host === '' ? fallbackHost : head.host}\r\n` +
    `${keptLines(head.text, head.headerCount, head.drop)}${lines}${hopLines}` +
    `via: ${head.isHttp10 ? '1.0' : '1.1'} haldane\r\n\r\n`
  );
}

/** An invalid traceparent goes, and tracestate with it (W3C Trace Context section 3.3). */
function replaceTrace(head: RequestHead): string {
  for (let i = 0; i < Math.min(head.headerCount, MAX_HEADERS); i++) {
    const name = head.text.slice(spans[4 + 4 * i], spans[5 + 4 * i]).toLowerCase();
    if (name === 'traceparent' || name === 'tracestate') head.drop[i] = 1;
  }
  return `traceparent: ${newTraceparent()}\r\n`;
}
