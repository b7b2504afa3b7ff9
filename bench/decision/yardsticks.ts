// Work whose speed is known from elsewhere, timed in the same rounds, so that a figure of this machine can be carried to
// another: the release's own trip through JSON, and the test that a spreadsheet would do on the same counts.

export function jsonRoundTrip(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

export interface Pair {
  readonly canaryTotal: number;
  readonly canaryBad: number;
  readonly stableTotal: number;
  readonly stableBad: number;
}

/** z of the pooled two-proportion test: fast, and wrong as soon as it is looked at twice. */
export function naiveZ({ canaryTotal, canaryBad, stableTotal, stableBad }: Pair): number {
  const pooled = (canaryBad + stableBad) / (canaryTotal + stableTotal);
  const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / canaryTotal + 1 / stableTotal));
  return (canaryBad / canaryTotal - stableBad / stableTotal) / deviation;
}
