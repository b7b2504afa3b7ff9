// Flagger's weighted release: every interval one look at the last window, fixed limits, failed looks that are never
// forgotten, and an abort at the look after the last of them. The looks are the product's own port of them
// (src/core/analysis/thresholds/flagger.ts); here are the weights (runCanary and nextStepWeight of fluxcd/flagger,
// 15bd6ad). A look without a value fails, as there: a canary without traffic or metrics is aborted.
import {
  FLAGGER_START,
  type FlaggerThresholds,
  flaggerDurationMs,
  flaggerStep,
  flaggerSuccessRate,
} from '../../../src/core/analysis/thresholds/index.ts';
import type { Contestant, Outcome, World } from '../contestant.ts';
import { Course, commonTick, p99Seconds } from './course.ts';

export interface FlaggerSettings {
  readonly intervalSeconds: number;
  readonly step: number;
  readonly max: number;
  readonly threshold: number;
  readonly successPercent: number;
  /** null: no limit on latency. */
  readonly p99Ms: number | null;
  /** A look covers this long; default the interval. */
  readonly windowSeconds?: number;
  /** The window ends this long before the look: scrapes come late. */
  readonly lagSeconds?: number;
  /** From the push to the first weight: the change is found, pods start. */
  readonly startSeconds?: number;
}

/** Interval, threshold, weights and limits as in Flagger's documentation. */
export const FLAGGER_DEFAULT: FlaggerSettings = {
  intervalSeconds: 60,
  step: 10,
  max: 50,
  threshold: 5,
  successPercent: 99,
  p99Ms: 500,
};

export function flagger(name: string, settings: FlaggerSettings): Contestant {
  return { name, run: (world) => runFlagger(settings, world) };
}

function runFlagger(settings: FlaggerSettings, world: World): Outcome {
  const { intervalSeconds, step, max, startSeconds = 0, lagSeconds = 0 } = settings;
  const { windowSeconds = intervalSeconds } = settings;
  const tick = commonTick(intervalSeconds, windowSeconds, lagSeconds);
  const course = new Course(world, tick, windowSeconds + lagSeconds);
  const thresholds = thresholdsOf(settings, world);
  let state = FLAGGER_START;
  course.passTo(startSeconds);
  course.setWeight(step);
  while (course.passTo(startSeconds + (state.looks + 1) * intervalSeconds)) {
    const to = course.atSeconds - lagSeconds;
    const canary = course.canary(Math.max(startSeconds, to - windowSeconds), to);
    const look = flaggerStep(thresholds, state, {
      success: flaggerSuccessRate(canary.total, canary.bad),
      duration: flaggerDurationMs(p99Seconds(canary, world)),
    });
    state = look.state;
    if (look.outcome === 'abort') return course.end('aborted');
    if (look.outcome !== 'passed') continue;
    if (course.weightPercent >= max) return course.end('promoted');
    course.setWeight(Math.min(100, course.weightPercent + step));
  }
  return course.end('undecided');
}

function thresholdsOf({ threshold, successPercent, p99Ms }: FlaggerSettings, world: World): FlaggerThresholds {
  const duration = p99Ms === null || world.boundaries === null ? [] : [{ name: 'duration', max: p99Ms }];
  return { checks: [{ name: 'success', min: successPercent }, ...duration], threshold, emptyIsFailure: true };
}
