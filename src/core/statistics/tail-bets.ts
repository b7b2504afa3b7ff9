// The bets on harm at each line of a latency comparison. How large a change can be depends on how many requests are
// slower than the line anyway: at the middle, odds of 2.2 are a service half as fast; beyond the far tail, a hang of 2 %
// multiplies them by hundreds. So each line has the bets of its part of the tail, as stable's past shows it. Refuses to
// look at what is compared: the parts are fixed before.

import { type BetGrid, makeBetGrid } from './mixture.ts';

/** Where lines lie by the share of stable's requests beyond them, and their bets as multiples of the tolerated odds. */
const PARTS: readonly { readonly above: number; readonly grid: BetGrid; readonly stake: number }[] = [
  { above: 0.2, grid: makeBetGrid(3, 1.3, 2.2, 0), stake: 1 },
  { above: 0.02, grid: makeBetGrid(4, 1.5, 6, 1 / 4), stake: 1 },
  { above: 0.0005, grid: makeBetGrid(5, 1.7, 20, 1 / 4), stake: 1 },
  // What only hangs cross: the one line that sees them has the stake of two.
  { above: 0, grid: makeBetGrid(4, 4, 100, 0), stake: 2 },
];

/** For a line of which nothing is known. */
const UNKNOWN = { grid: makeBetGrid(5, 1.4, 40, 1 / 4), stake: 1 };
const UNKNOWN_PART = PARTS.length;

/** The part of the tail a line lies in, as a number that states keep. */
export function partOf(tail: number | undefined): number {
  if (tail === undefined) return UNKNOWN_PART;
  if (!(tail >= 0 && tail <= 1)) throw new RangeError(`a line's tail must be a share from 0 to 1, but got ${tail}`);
  const part = PARTS.findIndex(({ above }) => tail > above);
  return part < 0 ? PARTS.length - 1 : part;
}

function betsOf(part: number): { readonly grid: BetGrid; readonly stake: number } {
  return PARTS[part] ?? UNKNOWN;
}

export function gridOfPart(part: number): BetGrid {
  return betsOf(part).grid;
}

const GRIDS = new Map<string, BetGrid>();

/** The bets of all lines in a row, with what is staked on each of them. */
export function gridOfParts(parts: readonly number[]): BetGrid {
  const key = parts.join(' ');
  const known = GRIDS.get(key);
  if (known !== undefined) return known;
  const bets = parts.map(betsOf);
  const stakes = bets.reduce((sum, { stake }) => sum + stake, 0);
  const grid = {
    ratios: bets.flatMap(({ grid: { ratios } }) => ratios),
    logRatios: bets.flatMap(({ grid: { logRatios } }) => logRatios),
    logWeights: bets.flatMap(({ grid: { logWeights }, stake }) =>
      logWeights.map((log) => log + Math.log(stake / stakes)),
    ),
  };
  GRIDS.set(key, grid);
  return grid;
}

/** Where the bets of a line begin in that row. */
export function firstBet(parts: readonly number[], line: number): number {
  return parts.slice(0, line).reduce((sum, part) => sum + gridOfPart(part).ratios.length, 0);
}

/** ln of a line's part of the whole stake. */
export function logStakeOfLine(parts: readonly number[], line: number): number {
  const stakes = parts.reduce((sum, part) => sum + betsOf(part).stake, 0);
  return Math.log(betsOf(parts[line] ?? 0).stake / stakes);
}
