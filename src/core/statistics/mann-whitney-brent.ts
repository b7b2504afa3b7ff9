// Brent's search for a zero, with the stopping rule of Kayenta's BrentSolver (spinnaker/kayenta, a69573b), itself R's
// zeroin: an ABSOLUTE tolerance of 1e-4, whatever the unit of the numbers. Kept because judgements must come out as
// Kayenta's do, faults included. Refuses other uses: for bounds that must be honest there is boundary.ts.
//
// Brent 1973, "Algorithms for Minimization without Derivatives", chapter 4.

const TOLERANCE = 1e-4;
const MOST_STEPS = 1001;

export interface Bracket {
  readonly low: number;
  readonly high: number;
  readonly atLow: number;
  readonly atHigh: number;
}

/** Nearest known point (b), the point before it (a), and the other side of the zero (c), with their values. */
interface Points {
  readonly a: number;
  readonly fa: number;
  readonly b: number;
  readonly fb: number;
  readonly c: number;
  readonly fc: number;
}

/** Where `f` is zero between low and high. Without a change of sign it ends somewhere in the bracket, as Kayenta's does. */
export function brentZero(f: (x: number) => number, { low, high, atLow, atHigh }: Bracket): number {
  if (isZero(atLow)) return low;
  if (isZero(atHigh)) return high;
  let [a, fa, b, fb, c, fc] = [low, atLow, high, atHigh, low, atLow];
  for (let step = 0; step < MOST_STEPS; step++) {
    const before = b - a;
    if (Math.abs(fc) < Math.abs(fb)) [a, fa, b, fb, c, fc] = [b, fb, c, fc, b, fb];
    const least = 2 * Number.EPSILON * Math.abs(b) + TOLERANCE / 2;
    if (Math.abs((c - b) / 2) <= least || isZero(fb)) return b;
    const move = nextMove({ a, fa, b, fb, c, fc }, before, least);
    [a, fa] = [b, fb];
    b += move;
    fb = f(b);
    if ((fb > 0 && fc > 0) || (fb < 0 && fc < 0)) [c, fc] = [a, fa];
  }
  return b;
}

/** Interpolated if that is safe, else half the bracket; at least one tolerance. */
function nextMove(points: Points, before: number, least: number): number {
  const half = (points.c - points.b) / 2;
  const worth = Math.abs(before) >= least && Math.abs(points.fa) > Math.abs(points.fb);
  const move = worth ? (interpolated(points, before, least) ?? half) : half;
  if (Math.abs(move) >= least) return move;
  return move > 0 ? least : -least;
}

function interpolated({ a, fa, b, fb, c, fc }: Points, before: number, least: number): number | undefined {
  const gap = c - b;
  let p: number;
  let q: number;
  if (a === c) {
    const ratio = fb / fa;
    p = gap * ratio;
    q = 1 - ratio;
  } else {
    const [u, v, w] = [fa / fc, fb / fc, fb / fa];
    p = w * (gap * u * (u - v) - (b - a) * (v - 1));
    q = (u - 1) * (v - 1) * (w - 1);
  }
  if (p > 0) q = -q;
  else p = -p;
  const safe = p < 0.75 * gap * q - Math.abs(least * q) / 2 && p < Math.abs((before * q) / 2);
  return safe ? p / q : undefined;
}

/** Zero or the smallest double: what "equal within one unit in the last place" means at zero. */
function isZero(value: number): boolean {
  return Math.abs(value) <= Number.MIN_VALUE;
}
