// Checks what comes into this room. Refuses counts that cannot be counts: evidence from impossible numbers would be
// carried along for the rest of a release.

const LARGEST = Number.MAX_SAFE_INTEGER;

/** Fewer requests than this are none: it keeps ratios of weighted counts far from overflow. */
export const NO_TRAFFIC = 1e-9;

/** What both arms did in one tick, from the same scrape. */
export interface TickCounts {
  readonly canaryTotal: number;
  readonly canaryBad: number;
  readonly stableTotal: number;
  readonly stableBad: number;
}

/** One arm's counts in one tick; they may be weighted, so they need not be whole. */
export function checkCounts(arm: string, total: number, bad: number): void {
  if (!(total >= 0 && total <= LARGEST)) {
    throw new RangeError(`${arm} total must be a finite count >= 0 (at most 2^53), but got ${total}`);
  }
  if (!(bad >= 0)) throw new RangeError(`${arm} bad count must be a finite count >= 0, but got ${bad}`);
  if (bad > total) throw new RangeError(`${arm} bad count ${bad} is larger than its total ${total}`);
}

/** Both arms' counts in one tick. */
export function checkTick({ canaryTotal, canaryBad, stableTotal, stableBad }: TickCounts): void {
  checkCounts('canary', canaryTotal, canaryBad);
  checkCounts('stable', stableTotal, stableBad);
}

export function checkAlpha(alpha: number): void {
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`alpha must lie between 0 and 1, but got ${alpha}`);
}

/** How evidence is taken in, tick by tick. None of these touches the hypotheses, so each may change between ticks. */
export interface EvidenceOptions {
  /** Length of a tick, for the mixture over onset times. */
  readonly tickMs: number;
  /** The false-alarm budget the per-tick cap is made from. Default 0.01. */
  readonly alpha?: number;
  /** One tick may add at most this fraction of ln(1/alpha). Default 0.65; Infinity takes the cap away. */
  readonly capFraction?: number;
  /** Overdispersion φ >= 1 measured on stable replicas before the release; evidence is divided by it. Default 1. */
  readonly dispersion?: number;
  /** The most bad events that one independent unit (session, retry chain) can cause, >= 1. Default 1. */
  readonly clusterCap?: number;
  /** Whether harm may begin late (half of the weight). Default true. */
  readonly lateOnset?: boolean;
  /**
   * ln of the line at which this evidence is acted on: it stops there, and gains what would have gone beyond it
   * (truncation.ts). Default: no line is known and nothing is gained.
   */
  readonly logLine?: number;
}

export interface CheckedEvidence {
  readonly tickMs: number;
  readonly capNats: number;
  /** Evidence is divided by this: φ · c. */
  readonly temper: number;
  readonly lateOnset: boolean;
  readonly logLine: number;
}

export function checkEvidence(options: EvidenceOptions): CheckedEvidence {
  const { tickMs, alpha = 0.01, capFraction = 0.65, dispersion = 1, clusterCap = 1, lateOnset = true } = options;
  const { logLine = Number.POSITIVE_INFINITY } = options;
  if (!(logLine > 0)) throw new RangeError(`logLine must be above 0, but got ${logLine}`);
  if (!(tickMs > 0 && tickMs <= LARGEST)) throw new RangeError(`tickMs must be a positive length, but got ${tickMs}`);
  checkAlpha(alpha);
  if (!(capFraction > 0)) throw new RangeError(`capFraction must be above 0, but got ${capFraction}`);
  if (!(dispersion >= 1 && dispersion <= LARGEST)) {
    throw new RangeError(`dispersion must be a finite number >= 1, but got ${dispersion}`);
  }
  if (!(clusterCap >= 1 && clusterCap <= LARGEST)) {
    throw new RangeError(`clusterCap must be a finite number >= 1, but got ${clusterCap}`);
  }
  return { tickMs, capNats: -capFraction * Math.log(alpha), temper: dispersion * clusterCap, lateOnset, logLine };
}
