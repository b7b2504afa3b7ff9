// Which lines of a latency histogram are compared: from the tails stable left in its past, before the release. Refuses to
// look at what is then compared; and takes none that stable's past says nothing about.

import { MOST_LINES } from './tail-comparison.ts';

/**
 * Tails at which differences show: shifts near the middle, changed tails further out (p50, p90, p99 and p99.9 do as well
 * as eight; without the far tail a hang of 2 % takes three times as long).
 */
const WANTED_TAILS = [0.5, 0.25, 0.1, 0.04, 0.01, 0.003, 0.001, 0.75] as const;
/** Beyond this tail lie the lines that only hangs cross. */
const FAR_TAIL = 0.0005;

/**
 * Positions in `tails` (shares of requests slower than each line, falling), ascending, at most eight: the `musts`, those
 * nearest to the wanted tails, and the first beyond the far one.
 *
 * @example chooseLines([0.9, 0.5, 0.1, 0.01, 0], [3]) // [0, 1, 2, 3, 4]
 */
export function chooseLines(tails: readonly number[], musts: readonly number[]): number[] {
  for (const must of musts) {
    if (!(Number.isSafeInteger(must) && must >= 0 && must < tails.length)) {
      throw new RangeError(`a line that must be taken has to be one of ${tails.length}, but got ${must}`);
    }
  }
  const far = tails.findIndex((tail) => tail < FAR_TAIL);
  const chosen = new Set(musts);
  if (far >= 0) chosen.add(far);
  for (const wanted of WANTED_TAILS) {
    const nearest = nearestTail(tails, wanted);
    if (nearest >= 0 && chosen.size < MOST_LINES) chosen.add(nearest);
  }
  return [...chosen].sort((a, b) => a - b);
}

function nearestTail(tails: readonly number[], wanted: number): number {
  let best = -1;
  let distance = Number.POSITIVE_INFINITY;
  for (let i = 0; i < tails.length; i++) {
    const tail = tails[i] ?? 0;
    if (!(tail > 0 && tail < 1)) continue;
    const away = Math.abs(Math.log(tail / wanted));
    if (away < distance) [best, distance] = [i, away];
  }
  // A line far from what was wanted stands for nothing: a coarse histogram simply has fewer of them.
  return distance < Math.LN2 * 1.5 ? best : -1;
}
