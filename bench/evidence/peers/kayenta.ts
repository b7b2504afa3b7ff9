// Kayenta's automated canary analysis as Spinnaker runs it: a baseline of stable's version as large as the canary, one value
// a minute and arm, a growing window judged by Mann-Whitney (NetflixACAJudge, at a69573b). The confidence interval of the
// shift comes from the normal approximation with corrections for ties and continuity, as there.
import { createRandom, type Random } from '../../../src/core/statistics/index.ts';
import type { ArmCounts, Contestant, Outcome, World } from '../contestant.ts';
import { Course } from './course.ts';
import { shiftInterval } from './mann-whitney.ts';
import { histogramQuantile } from './quantile.ts';

export interface KayentaSettings {
  readonly weightPercent: number;
  readonly judgements: number;
  readonly intervalSeconds: number;
  readonly confidence: number;
  /** High if the interval's lower end is beyond this part of the estimate. */
  readonly tolerance: number;
}

export const KAYENTA_DEFAULT: KayentaSettings = {
  weightPercent: 5,
  judgements: 3,
  intervalSeconds: 3600,
  confidence: 0.98,
  tolerance: 0.25,
};

const STEP_SECONDS = 60;

export function kayenta(name: string, settings: KayentaSettings): Contestant {
  return { name, run: (world, seed) => runKayenta(settings, world, createRandom(`${seed}/baseline`)) };
}

interface Series {
  readonly canary: number[];
  readonly baseline: number[];
}

function runKayenta(settings: KayentaSettings, world: World, random: Random): Outcome {
  const course = new Course(world, settings.weightPercent);
  const errors: Series = { canary: [], baseline: [] };
  const p99: Series = { canary: [], baseline: [] };
  for (let judgement = 1; judgement <= settings.judgements; judgement++) {
    for (let at = 0; at < settings.intervalSeconds && !course.isOver; at += STEP_SECONDS) {
      const { canary, stable } = course.pass(STEP_SECONDS);
      const baseline = thinned(stable, settings.weightPercent, random);
      push(errors, percentBad(canary), percentBad(baseline));
      if (world.boundaries !== null) {
        push(p99, histogramQuantile(0.99, canary, world) * 1000, histogramQuantile(0.99, baseline, world) * 1000);
      }
    }
    if (isHigh(errors, settings) || isHigh(p99, settings)) return course.end('aborted');
  }
  return course.end('promoted');
}

/** NaN is taken out of the series, as by the strategy "remove". */
function push({ canary, baseline }: Series, canaryValue: number, baselineValue: number): void {
  if (!Number.isNaN(canaryValue)) canary.push(canaryValue);
  if (!Number.isNaN(baselineValue)) baseline.push(baselineValue);
}

function percentBad({ total, bad }: ArmCounts): number {
  return total === 0 ? Number.NaN : (100 * bad) / total;
}

/** Of stable's requests as many as the canary's: a baseline is a copy of stable with the canary's weight. */
function thinned(stable: ArmCounts, weightPercent: number, random: Random): ArmCounts {
  const part = weightPercent / (100 - weightPercent);
  const bad = random.binomial(stable.bad, part);
  const good = random.binomial(stable.total - stable.bad, part);
  const latency = stable.latency?.map((count) => random.binomial(count, part)) ?? null;
  return { total: bad + good, bad, latency };
}

/** An arm without any value is Nodata, which passes unless all metrics are. */
function isHigh({ canary, baseline }: Series, { confidence, tolerance }: KayentaSettings): boolean {
  if (canary.length === 0 || baseline.length === 0) return false;
  const interval = shiftInterval(canary, baseline, confidence);
  return interval !== null && interval.lower > tolerance * Math.abs(interval.estimate);
}
