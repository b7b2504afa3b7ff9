// A second, independent reckoning of "no worse than tolerated" from the windows that were really delivered
// (statistics 2.1, the no-harm side). Written apart from the statistics room on purpose: what checks must not be what
// is checked. It keeps no state between questions and is slow; it is asked only when weight rises.

export interface CountedWindow {
  readonly canaryTotal: number;
  readonly canaryBad: number;
  readonly stableTotal: number;
  readonly stableBad: number;
}

const BETS = [0, 0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95] as const;

interface Sums {
  readonly logs: number[];
  canary: number;
  requests: number;
  windows: number;
}

function logBet(bet: number, window: CountedWindow, ratio: number): number {
  const { canaryTotal, canaryBad, stableTotal, stableBad } = window;
  const stableBet = 1 + ratio * (canaryTotal / stableTotal) * (1 - bet);
  const canaryPart = canaryBad === 0 ? 0 : bet === 0 ? Number.NEGATIVE_INFINITY : canaryBad * Math.log(bet);
  return canaryPart + stableBad * Math.log(stableBet);
}

function logSum(values: readonly number[]): number {
  const top = Math.max(...values);
  if (top === Number.NEGATIVE_INFINITY) return top;
  return top + Math.log(values.reduce((sum, value) => sum + Math.exp(value - top), 0));
}

function logNoHarm(sums: Sums, margin: number): number {
  const terms = sums.logs.map((log, index) => log + margin * sums.canary * (1 - (BETS[index] ?? 0)));
  return logSum(terms) - Math.log(BETS.length);
}

/** Calls back with the sums over windows i..end for every start i: a warm-up may have left the first ones out. */
function overStarts(windows: readonly CountedWindow[], ratio: number, visit: (sums: Sums) => void): void {
  const sums: Sums = { logs: BETS.map(() => 0), canary: 0, requests: 0, windows: 0 };
  for (let start = windows.length - 1; start >= 0; start--) {
    const window = windows[start] as CountedWindow;
    if (window.canaryTotal === 0 || window.stableTotal === 0) continue;
    for (const [index, bet] of BETS.entries()) {
      sums.logs[index] = (sums.logs[index] ?? 0) + logBet(bet, window, ratio);
    }
    sums.canary += window.canaryTotal;
    sums.requests += window.canaryTotal + window.stableTotal;
    sums.windows += 1;
    visit(sums);
  }
}

/** The most evidence of no harm that any honest reading of these windows holds, as ln E. */
export function mostNoHarm(windows: readonly CountedWindow[], tolerance: { ratio: number; margin: number }): number {
  let most = Number.NEGATIVE_INFINITY;
  overStarts(windows, tolerance.ratio, (sums) => {
    most = Math.max(most, logNoHarm(sums, tolerance.margin));
  });
  return most;
}

/** The most weight whose risk fits the budget by any honest reading of these windows, in percent. */
export function mostWeight(
  windows: readonly CountedWindow[],
  ratio: number,
  { alpha, badPerInterval }: { readonly alpha: number; readonly badPerInterval: number },
): number {
  const line = -Math.log(alpha);
  let most = 0;
  overStarts(windows, ratio, (sums) => {
    let low = -1;
    let high = 1;
    // A rate cannot exceed another by more than 1: where nothing is refuted, that is the bound.
    for (let step = 0; step < 30; step++) {
      const middle = (low + high) / 2;
      if (logNoHarm(sums, middle) >= line) high = middle;
      else low = middle;
    }
    const risk = (high * sums.requests) / sums.windows;
    most = Math.max(most, risk <= 0 ? 100 : Math.min(100, (100 * badPerInterval) / risk));
  });
  return most;
}
