// What became of the requests at one place, in slices of ten seconds and at most an hour back: a ring of counters by
// status class, 16 KB. It refuses to know what an error is, and to be exact evidence: it tells places of one version apart.
import type { EndedClass, EndpointSlice } from '../core/model/gateway.ts';
import { Ended } from './counters.ts';

export const SLICE_MS = 10_000;
export const SLICES = 360;
/** The endings in the order of `Ended`. */
const CLASSES: readonly EndedClass[] = [
  '1xx',
  '2xx',
  '3xx',
  '4xx',
  '5xx',
  'connect-failed',
  'timeout',
  'reset',
  'client-closed',
];
const FIRST_ENDING_AT = 5;
/** Asked once: the getter costs more than all the rest. */
const ORIGIN_MS = performance.timeOrigin;
const WIDTH = CLASSES.length;

/** The slice a moment of performance.now() falls into, numbered from the start of Unix time. */
export function sliceAt(nowMs: number): number {
  return Math.floor((ORIGIN_MS + nowMs) / SLICE_MS);
}

export class EndpointPast {
  /** Which slice is where, so that a place in the ring is cleared when the next hour comes round to it. */
  readonly #slices = new Int32Array(SLICES);
  readonly #counts = new Uint32Array(SLICES * WIDTH);

  /** `ended`: a status code, or one of `Ended`. */
  count(nowMs: number, ended: number): void {
    const slice = sliceAt(nowMs);
    const at = slice % SLICES;
    if (this.#slices[at] !== slice) {
      this.#slices[at] = slice;
      this.#counts.fill(0, at * WIDTH, (at + 1) * WIDTH);
    }
    const index = at * WIDTH + classOf(ended);
    this.#counts[index] = (this.#counts[index] as number) + 1;
  }

  /** Oldest first; slices without a request are left out. */
  slices(nowMs: number): EndpointSlice[] {
    const oldest = sliceAt(nowMs) - SLICES;
    const found: EndpointSlice[] = [];
    for (let at = 0; at < SLICES; at++) {
      const slice = this.#slices[at] as number;
      if (slice > oldest) found.push({ slice, ended: this.#endedAt(at) });
    }
    return found.sort((left, right) => left.slice - right.slice);
  }

  #endedAt(at: number): [EndedClass, number][] {
    return CLASSES.map((name, index): [EndedClass, number] => [
      name,
      this.#counts[at * WIDTH + index] as number,
    ]).filter(([, count]) => count > 0);
  }
}

function classOf(ended: number): number {
  if (ended >= Ended.connectFailed) return Math.min(WIDTH - 1, FIRST_ENDING_AT + ended - Ended.connectFailed);
  // No status above 599 has a class; what a server says with one is its own fault.
  return Math.min(FIRST_ENDING_AT - 1, Math.floor(ended / 100) - 1);
}
