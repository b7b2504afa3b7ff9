// The outcome of a check, never a bare boolean: outcome + reason + sentence + numbers.
export type Outcome = 'pass' | 'fail' | 'undecided' | 'no-data' | 'error';

/** An answer to one of a check's two questions. Only `pass` lets anything advance. */
export interface Answer {
  readonly outcome: Outcome;
  /** PascalCase code, e.g. "WithinTolerance". */
  readonly reason: string;
  readonly message: string;
}

/** Fractions, counts and natural logs; null where the question does not arise. */
export interface VerdictNumbers {
  readonly canary: { readonly total: number; readonly bad: number };
  readonly stable: { readonly total: number; readonly bad: number };
  /**
   * p_canary - r p_stable, and what it is above and below, each valid at any moment with confidence 1 - alpha_P: the
   * promotion question passes exactly when `upper` is below the tolerance.
   */
  readonly excess: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
  /** The line: margin against stable, or the absolute limit. */
  readonly tolerance: number | null;
  /** ln of the evidence that it harms / that it does not; and ln of the line each must reach. */
  readonly logHarm: number;
  readonly logNoHarm: number;
  readonly logHarmLine: number;
  readonly logNoHarmLine: number;
  /** Latency: the line of its quantile, in seconds. Gauge: the worst value. */
  readonly value: number | null;
  /** Latency: the line with the most evidence of harm, in seconds, where it is another one; else null. */
  readonly elsewhere: number | null;
  /** Harm beyond the wider margin that is enough at the deadline is refuted; null if none is declared. */
  readonly isAcceptable: boolean | null;
  /** What would change the answer, at the pace so far; null where it cannot be said. */
  readonly toPass: number | null;
  /** Bad requests of the canary in one window, beyond those expected, that would show harm. */
  readonly toFail: number | null;
}

export interface Verdict {
  readonly check: string;
  /** The word people see: fail if harm is shown, else pass if no harm is shown, else why not. */
  readonly outcome: Outcome;
  readonly reason: string;
  readonly message: string;
  /** May weight rise? */
  readonly exposure: Answer;
  /** May it be promoted? */
  readonly promotion: Answer;
  readonly numbers: VerdictNumbers;
}
