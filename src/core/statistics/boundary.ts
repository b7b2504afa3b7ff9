// Finds where evidence crosses a line, by bisection hurried along by secants. Refuses to extrapolate: outside the
// bracket it answers with the bracket's end.

/** The bracket is closed to this part of its first width: below anything a rate can mean. */
const PRECISION = 2 ** -52;

/** Every third step halves the bracket, so 3 × 52 steps always suffice; evidence takes about 30, a plain bisection 53. */
const MOST_STEPS = 200;

/** below < crossing <= above, and how far the function is over the line at each end (weighted, see Illinois). */
interface Bracket {
  below: number;
  above: number;
  overBelow: number;
  overAbove: number;
}

/**
 * The crossing of a function that rises with its argument: the smallest argument at which it is >= line, rounded up,
 * so that an upper bound never errs downwards. `high` if it never gets there.
 *
 * Between the halvings: false position with the Illinois correction (Dowell & Jarratt 1971, BIT 11): an end that stays
 * twice running loses half of its weight.
 */
export function crossingFromBelow(rising: (at: number) => number, line: number, low: number, high: number): number {
  const bracket: Bracket = { below: low, above: high, overBelow: rising(low) - line, overAbove: rising(high) - line };
  if (!(bracket.overAbove >= 0)) return high;
  if (bracket.overBelow >= 0) return low;
  const closeEnough = (high - low) * PRECISION;
  let last = 0;
  for (let step = 1; step < MOST_STEPS && bracket.above - bracket.below > closeEnough; step++) {
    const guess = step % 3 === 0 ? halve(bracket) : secant(bracket, closeEnough / 2);
    if (guess <= bracket.below || guess >= bracket.above) break;
    const over = rising(guess) - line;
    const side = over >= 0 ? 1 : -1;
    narrow(bracket, guess, over, side === last);
    last = side;
  }
  return bracket.above;
}

function halve({ below, above }: Bracket): number {
  return (below + above) / 2;
}

/** Where the chord crosses the line, kept a hair inside the bracket so that its far end can close in as well. */
function secant(bracket: Bracket, hair: number): number {
  const { below, above, overBelow, overAbove } = bracket;
  const rise = overAbove - overBelow;
  if (!Number.isFinite(rise)) return halve(bracket);
  return Math.min(above - hair, Math.max(below + hair, below - ((above - below) * overBelow) / rise));
}

function narrow(bracket: Bracket, guess: number, over: number, sameSideAgain: boolean): void {
  if (over >= 0) {
    bracket.above = guess;
    bracket.overAbove = over;
    if (sameSideAgain) bracket.overBelow /= 2;
  } else {
    bracket.below = guess;
    bracket.overBelow = over;
    if (sameSideAgain) bracket.overAbove /= 2;
  }
}

/** The crossing of a falling function: the largest argument at which it is >= line, rounded down. `low` if none. */
export function crossingFromAbove(falling: (at: number) => number, line: number, low: number, high: number): number {
  return -crossingFromBelow((at) => falling(-at), line, -high, -low);
}
