// What a judgement in Kayenta's way is asked: its metrics with their settings, group weights and score thresholds, under
// Kayenta's own defaults (NetflixACAJudge.scala of spinnaker/kayenta, a69573b). Refuses what Kayenta lets pass in
// silence: an unknown direction, strategy or measure is an error here, never a fallback.

export interface KayentaMetric {
  readonly name: string;
  /** A metric in several groups counts in each; in none, in no score. */
  readonly groups: readonly string[];
  /** Which way is harm. Default either. */
  readonly direction?: 'increase' | 'decrease' | 'either';
  /** Values that are no number are taken out, or become 0. Default remove. */
  readonly nanStrategy?: 'remove' | 'replace';
  /** Default keep; the factor of the interquartile range is 3. */
  readonly outliers?: { readonly strategy: 'keep' | 'remove'; readonly factor?: number };
  /** A harmful shift, or no data, makes the whole score 0. */
  readonly critical?: boolean;
  /** Not critical, and no data counts as a failed metric instead of being left out. */
  readonly mustHaveData?: boolean;
  /** Judged and shown, but in no score. */
  readonly muted?: boolean;
  readonly effectSize?: KayentaEffectSize;
}

export interface KayentaEffectSize {
  /** Ratio of means (default), or the chance that a canary value is the larger one (Vargha & Delaney). */
  readonly measure?: 'meanRatio' | 'cles';
  /** Defaults: 1 for meanRatio, 0.5 for cles, so that any size of a significant shift counts. */
  readonly allowedIncrease?: number;
  readonly allowedDecrease?: number;
  readonly criticalIncrease?: number;
  readonly criticalDecrease?: number;
}

export interface KayentaConfig {
  readonly metrics: readonly KayentaMetric[];
  /** Percent by group; groups without one share what is left of 100. */
  readonly groupWeights?: Readonly<Record<string, number>>;
  readonly thresholds: KayentaThresholds;
  /** Part of the estimated shift that the interval must stay clear of. Kayenta fixes it at 0.25. */
  readonly toleranceFraction?: number;
  /** Of the interval of the shift. Kayenta fixes it at 0.98. */
  readonly confidence?: number;
  /** Standard normal draws: where both arms are constants Kayenta adds noise. By default a fixed stream. */
  readonly noise?: () => number;
}

export interface KayentaThresholds {
  readonly pass: number;
  readonly marginal: number;
}

/** One arm's points beside the other's; not a number where a point has no value. */
export interface KayentaSeries {
  readonly name: string;
  readonly control: readonly number[];
  readonly experiment: readonly number[];
}

const KINDS: readonly (readonly [string, (metric: KayentaMetric) => string | undefined, readonly string[]])[] = [
  ['direction', ({ direction }) => direction, ['increase', 'decrease', 'either']],
  ['nanStrategy', ({ nanStrategy }) => nanStrategy, ['remove', 'replace']],
  ['outliers.strategy', ({ outliers }) => outliers?.strategy, ['keep', 'remove']],
  ['effectSize.measure', ({ effectSize }) => effectSize?.measure, ['meanRatio', 'cles']],
];

/** Throws a RangeError that says which setting of which metric is none. */
export function checkKayentaConfig({ metrics, groupWeights = {}, thresholds }: KayentaConfig): void {
  for (const metric of metrics) {
    for (const [setting, read, known] of KINDS) {
      const value = read(metric);
      if (value === undefined || known.includes(value)) continue;
      throw new RangeError(`metric "${metric.name}": ${setting} must be ${known.join(', ')}, but is "${value}"`);
    }
    const factor = metric.outliers?.factor ?? 3;
    if (!(factor > 0))
      throw new RangeError(`metric "${metric.name}": outliers.factor must be above 0, but is ${factor}`);
  }
  for (const [group, weight] of Object.entries(groupWeights)) {
    if (!(weight >= 0)) throw new RangeError(`the weight of group "${group}" must be a number >= 0, but is ${weight}`);
  }
  const { pass, marginal } = thresholds;
  if (!Number.isFinite(pass) || !Number.isFinite(marginal)) {
    throw new RangeError(`score thresholds must be numbers, but are pass ${pass} and marginal ${marginal}`);
  }
}
