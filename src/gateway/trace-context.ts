// W3C Trace Context: a valid traceparent passes unchanged, one that is missing or invalid is replaced by a new one.
// The gateway is not a participant with spans of its own; it only makes sure that every request has a trace.
import { randomFillSync } from 'node:crypto';

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;
const POOL_BYTES = 24 * 256;

export function isTraceparent(value: string): boolean {
  if (!TRACEPARENT.test(value)) return false;
  // Version 00 has exactly four parts.
  return value.length === 55 || !value.startsWith('00');
}

const pool = Buffer.alloc(POOL_BYTES);
let used = POOL_BYTES;

/** A new trace, marked as sampled, so that tracers below that follow their parent do not fall silent. */
export function newTraceparent(): string {
  if (used === POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const trace = pool.toString('hex', used, used + 16);
  const span = pool.toString('hex', used + 16, used + 24);
  used += 24;
  return `00-${trace}-${span}-01`;
}
