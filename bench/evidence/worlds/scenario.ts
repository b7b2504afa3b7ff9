// What is true in one row of the benchmark, as plain data: it can be drawn from a seed, sent to a worker and printed.

export type Shape =
  /** Rates do not change. */
  | { readonly kind: 'constant' }
  /** The canary becomes bad at this second. */
  | { readonly kind: 'onset'; readonly atSeconds: number }
  /** Traffic and error rates swing by 80 % over a period. */
  | { readonly kind: 'diurnal'; readonly periodSeconds: number }
  /** Both arms fail at this rate for a while; the canary's counts may come from a scrape `shiftSeconds` older. */
  | {
      readonly kind: 'outage';
      readonly atSeconds: number;
      readonly seconds: number;
      readonly rate: number;
      readonly shiftSeconds: number;
    }
  /** Error rates of every 10 s are multiplied by a gamma variable of mean 1: the same in both arms, or one each. */
  | { readonly kind: 'noise'; readonly cv: number; readonly isCommon: boolean }
  /** Bad requests come in clusters of 1 to `most`. */
  | { readonly kind: 'clusters'; readonly most: number }
  /** Each replica has a rate of its own: log-normal with this deviation. */
  | { readonly kind: 'pods'; readonly sd: number; readonly canary: number; readonly stable: number }
  /** The canary fails `factor` times as often while it is young. */
  | { readonly kind: 'cold-start'; readonly factor: number; readonly seconds: number }
  /** From this second on nothing is heard of the canary: it is dead, and its requests are lost, or its metrics alone are. */
  | { readonly kind: 'silent'; readonly atSeconds: number; readonly isDead: boolean }
  /** The splitter gives the canary this many times what was asked. */
  | { readonly kind: 'shares'; readonly factor: number };

/** Log-normal latencies in seconds, and what the canary does to them. */
export interface LatencyTruth {
  readonly medianSeconds: number;
  readonly sigma: number;
  readonly change:
    | { readonly kind: 'same' }
    | { readonly kind: 'shift'; readonly factor: number }
    /** The slowest `part` of requests take `factor` times as long. */
    | { readonly kind: 'tail'; readonly part: number; readonly factor: number }
    /** This part of requests takes `factor` times as long, the others are quicker, so that the mean stays. */
    | { readonly kind: 'bimodal'; readonly part: number; readonly factor: number }
    | { readonly kind: 'hang'; readonly part: number; readonly seconds: number }
    /** `factor` times as slow after an hour, evenly. */
    | { readonly kind: 'leak'; readonly factor: number };
}

export interface Scenario {
  readonly id: string;
  readonly title: string;
  /** equal: the versions are alike. harmful: beyond the tolerance. inside: worse, within the tolerance; either answer. */
  readonly truth: 'equal' | 'harmful' | 'inside';
  readonly requestsPerSecond: number;
  readonly stableRate: number;
  readonly canaryRate: number;
  readonly shape: Shape;
  readonly latency: LatencyTruth | null;
  readonly horizonSeconds: number;
  /** Healthy metrics beside the one that matters. */
  readonly extraChecks?: number;
}
