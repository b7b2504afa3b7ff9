// W3C Trace Context: a valid traceparent passes unchanged, one that is missing or invalid is replaced by a new one.
// The gateway is not a participant with spans of its own; it only makes sure that every request has a trace.
import { randomFillSync } from 'node:crypto';

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;
const TRACE_CHARS = 32;
const SPAN_CHARS = 16;
const POOL_BYTES = ((TRACE_CHARS + SPAN_CHARS) / 2) * 256;

export function isTraceparent(value: string): boolean {
  if (!TRACEPARENT.test(value)) return false;
  // Version 00 has exactly four parts.
  return value.length === 55 || !value.startsWith('00');
}

const pool = Buffer.alloc(POOL_BYTES);
let digits = '';
let used = 0;

/** A new trace, marked as sampled, so that tracers below that follow their parent do not fall silent. */
export function newTraceparent(): string {
  if (used === digits.length) {
    digits = randomFillSync(pool).toString('hex');
    used = 0;
  }
  const span = used + TRACE_CHARS;
  const end = span + SPAN_CHARS;
  const text = `00-${digits.slice(used, span)}-${digits.slice(span, end)}-01`;
  used = end;
  return text;
}
