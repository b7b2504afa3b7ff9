// Argo Rollouts' weighted release: steps of weight and pause beside a background analysis that can only veto. The
// analysis is the product's own port (src/core/analysis/thresholds/argo.ts); here are the steps and what the query gives
// (argoproj/argo-rollouts, 9f8d111). A canary without metrics gives an empty answer, and so does one that never answered
// well, since the query divides by series that do not exist: errors, asked again every 10 s, of which five in a row abort.
import {
  type ArgoState,
  argoStep,
  type ConditionResult,
  nextArgoSeconds,
  type ReadArgoMetric,
  readArgoMetric,
  startArgo,
} from '../../../src/core/analysis/thresholds/index.ts';
import type { Contestant, Outcome, World } from '../contestant.ts';
import { Course, commonTick } from './course.ts';

export interface ArgoSettings {
  readonly stepWeights: readonly number[];
  readonly pauseSeconds: number;
  readonly intervalSeconds: number;
  readonly successFraction: number;
  readonly failureLimit: number;
  /** Weights that pass before the analysis begins (startingStep). Default none. */
  readonly weightsBefore?: number;
  readonly initialDelaySeconds?: number;
  /** What a measurement covers; default the interval. */
  readonly windowSeconds?: number;
  /** The window ends this long before the measurement: scrapes come late. */
  readonly lagSeconds?: number;
  /** From the push to the first weight: pods start. The analysis does not wait for it. */
  readonly startSeconds?: number;
}

/**
 * The example of "Background Analysis" in Argo's documentation: 20/40/60/80 % for 10 minutes each, from 40 % on one
 * measurement every 5 minutes of irate(), which is the last two scrapes: 15 s here.
 */
export const ARGO_DEFAULT: ArgoSettings = {
  stepWeights: [20, 40, 60, 80],
  pauseSeconds: 600,
  intervalSeconds: 300,
  successFraction: 0.95,
  failureLimit: 3,
  weightsBefore: 1,
  windowSeconds: 15,
};

/** Once an error has been asked again after 10 s, measurements and pauses share no longer tick than this. */
const FINE_TICK_SECONDS = 5;

export function argo(name: string, settings: ArgoSettings): Contestant {
  const metric = readArgoMetric({
    intervalSeconds: settings.intervalSeconds,
    initialDelaySeconds: settings.initialDelaySeconds ?? 0,
    failureLimit: settings.failureLimit,
    successCondition: `result[0] >= ${settings.successFraction}`,
  });
  return { name, run: (world) => runArgo(settings, metric, world) };
}

function runArgo(settings: ArgoSettings, metric: ReadArgoMetric, world: World): Outcome {
  const { stepWeights, pauseSeconds, startSeconds = 0 } = settings;
  const { windowSeconds = settings.intervalSeconds, lagSeconds = 0 } = settings;
  const clocks = [pauseSeconds, settings.intervalSeconds, windowSeconds, settings.initialDelaySeconds ?? 0];
  const course = new Course(world, commonTick(startSeconds, lagSeconds, ...clocks), windowSeconds + lagSeconds);
  const analysis = new BackgroundAnalysis(settings, metric, course);
  for (let turn = 0; ; turn++) {
    const changeSeconds = startSeconds + turn * pauseSeconds;
    if (analysis.failsBy(changeSeconds)) return course.end('aborted');
    if (!course.passTo(changeSeconds)) return course.end('undecided');
    const weight = stepWeights[turn];
    if (weight === undefined) return course.end('promoted');
    course.setWeight(weight);
  }
}

/** Measures rate(good) / rate(all) whenever it is due. */
class BackgroundAnalysis {
  readonly #metric: ReadArgoMetric;
  readonly #course: Course;
  readonly #windowSeconds: number;
  readonly #lagSeconds: number;
  #state: ArgoState;
  #hasBeenGood = false;

  constructor(settings: ArgoSettings, metric: ReadArgoMetric, course: Course) {
    const { weightsBefore = 0, startSeconds = 0, pauseSeconds } = settings;
    this.#metric = metric;
    this.#course = course;
    this.#windowSeconds = settings.windowSeconds ?? settings.intervalSeconds;
    this.#lagSeconds = settings.lagSeconds ?? 0;
    this.#state = startArgo(weightsBefore === 0 ? 0 : startSeconds + weightsBefore * pauseSeconds);
  }

  /** Lets time go by to each measurement due before this second, until one ends the release. */
  failsBy(seconds: number): boolean {
    for (;;) {
      const due = nextArgoSeconds(this.#metric, this.#state);
      if (due === undefined || due > seconds || !this.#course.passTo(due)) return false;
      this.#state = argoStep(this.#metric, this.#state, { atSeconds: due, result: this.#ask() });
      // Failed and Error abort alike; Inconclusive cannot come of one condition.
      if (this.#state.phase !== 'Running') return true;
      if (this.#state.error > 0) this.#course.tickBy(FINE_TICK_SECONDS);
    }
  }

  /** A vector of one value, or none. */
  #ask(): ConditionResult {
    const to = this.#course.atSeconds - this.#lagSeconds;
    const { total, bad } = this.#course.canary(to - this.#windowSeconds, to);
    if (total > bad) this.#hasBeenGood = true;
    return total === 0 || !this.#hasBeenGood ? [] : [(total - bad) / total];
  }
}
