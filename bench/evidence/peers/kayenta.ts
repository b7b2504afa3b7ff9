// Kayenta's automated canary analysis as Spinnaker runs it: a baseline of stable's version as large as the canary, one value
// a minute and arm, a growing window judged every interval. Judge and run are the product's own port
// (src/core/analysis/kayenta). A canary without any value is Nodata, which scores 0 and aborts.
import {
  judgeKayenta,
  type KayentaConfig,
  type KayentaRunSettings,
  type KayentaSeries,
  kayentaStep,
  nextKayentaWindow,
  startKayentaRun,
} from '../../../src/core/analysis/kayenta/index.ts';
import { createRandom, type Random } from '../../../src/core/statistics/index.ts';
import type { ArmCounts, Contestant, Outcome, World } from '../contestant.ts';
import { Course, p99Seconds } from './course.ts';

export interface KayentaSettings {
  readonly weightPercent: number;
  readonly judgements: number;
  readonly intervalSeconds: number;
  readonly confidence: number;
  /** High if the interval's lower end is beyond this part of the estimate. */
  readonly tolerance: number;
}

/** Three judgements an hour apart, and the judge's own confidence and tolerance. */
export const KAYENTA_DEFAULT: KayentaSettings = {
  weightPercent: 5,
  judgements: 3,
  intervalSeconds: 3600,
  confidence: 0.98,
  tolerance: 0.25,
};

/** Score thresholds of Spinnaker's guide to best practices. */
const THRESHOLDS = { pass: 95, marginal: 75 };
const STEP_SECONDS = 60;

export function kayenta(name: string, settings: KayentaSettings): Contestant {
  return { name, run: (world, seed) => runKayenta(settings, world, createRandom(`${seed}/baseline`)) };
}

function runKayenta(settings: KayentaSettings, world: World, random: Random): Outcome {
  const { weightPercent, judgements, intervalSeconds } = settings;
  const run: KayentaRunSettings = {
    startMs: 0,
    lifetimeMinutes: (judgements * intervalSeconds) / 60,
    intervalMinutes: intervalSeconds / 60,
    thresholds: THRESHOLDS,
  };
  const config = configOf(settings, world);
  const course = new Course(world, STEP_SECONDS, 0);
  course.setWeight(weightPercent);
  // Errors in percent: as a fraction the judge's absolute tolerance of 1e-4 would blind it.
  const errors = { name: 'errors', control: [] as number[], experiment: [] as number[] };
  const p99 = { name: 'p99', control: [] as number[], experiment: [] as number[] };
  let state = startKayentaRun(run);
  for (;;) {
    const window = nextKayentaWindow(run, state);
    if (window === undefined) return course.end(state.end === 'passed' ? 'promoted' : 'aborted');
    while (course.atSeconds * 1000 < window.dueMs) {
      if (course.isOver) return course.end('undecided');
      const { canary, stable } = course.pass(STEP_SECONDS);
      const baseline = thinned(stable, weightPercent, random);
      errors.experiment.push(percentBad(canary));
      errors.control.push(percentBad(baseline));
      p99.experiment.push(p99Seconds(canary, world) * 1000);
      p99.control.push(p99Seconds(baseline, world) * 1000);
    }
    const series: KayentaSeries[] = world.boundaries === null ? [errors] : [errors, p99];
    state = kayentaStep(run, state, judgeKayenta(config, series).score);
  }
}

function configOf({ confidence, tolerance }: KayentaSettings, world: World): KayentaConfig {
  const metric = (name: string) => ({ name, groups: ['http'], direction: 'increase' }) as const;
  return {
    metrics: world.boundaries === null ? [metric('errors')] : [metric('errors'), metric('p99')],
    thresholds: THRESHOLDS,
    confidence,
    toleranceFraction: tolerance,
  };
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
