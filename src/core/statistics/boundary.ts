// Finds where evidence crosses a line, by bisection. Refuses to extrapolate: outside the bracket it answers with the
// bracket's end.

/** Halvings of the bracket: 2^-60 of its width is below anything a rate can mean. */
const STEPS = 60;

/**
 * The crossing of a function that rises with its argument: the smallest argument at which it is >= line, rounded up,
 * so that an upper bound never errs downwards. `high` if it never gets there.
 */
export function crossingFromBelow(rising: (at: number) => number, line: number, low: number, high: number): number {
  if (!(rising(high) >= line)) return high;
  if (rising(low) >= line) return low;
  let below = low;
  let above = high;
  for (let step = 0; step < STEPS; step++) {
    const middle = (below + above) / 2;
    if (middle === below || middle === above) break;
    if (rising(middle) >= line) above = middle;
    else below = middle;
  }
  return above;
}

/** The crossing of a falling function: the largest argument at which it is >= line, rounded down. `low` if none. */
export function crossingFromAbove(falling: (at: number) => number, line: number, low: number, high: number): number {
  return -crossingFromBelow((at) => falling(-at), line, -high, -low);
}
