// Flagger's weighted release: every interval one look at the last interval, absolute lines, failed checks that add up and
// are never forgotten, and an abort at the look after the last of them (its scheduler.go, at 15bd6ad).
import type { ArmCounts, Contestant, Outcome, World } from '../contestant.ts';
import { Course } from './course.ts';
import { histogramQuantile } from './quantile.ts';

export interface FlaggerSettings {
  readonly intervalSeconds: number;
  readonly step: number;
  readonly max: number;
  readonly threshold: number;
  readonly successPercent: number;
  /** null: no line on latency. */
  readonly p99Ms: number | null;
  /** Seconds from the push to the first weight, and from the last good look to the end: pods start and roll. */
  readonly startSeconds?: number;
  /** A look covers this long, if it is not the interval. */
  readonly windowSeconds?: number;
}

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
  const { intervalSeconds, step, max, threshold } = settings;
  const course = new Course(world, step);
  const recent: ArmCounts[] = [];
  const looks = Math.max(1, Math.round((settings.windowSeconds ?? intervalSeconds) / intervalSeconds));
  let failed = 0;
  while (!course.isOver) {
    recent.push(course.pass(intervalSeconds).canary);
    if (recent.length > looks) recent.shift();
    if (failed >= threshold) return course.end('aborted');
    if (!passes(joined(recent), settings, world)) {
      failed += 1;
    } else if (course.weightPercent >= max) {
      return course.end('promoted');
    } else {
      course.setWeight(course.weightPercent + step);
    }
  }
  return course.end('undecided');
}

/** No traffic, or no value, is a failed check. */
function passes(canary: ArmCounts, { successPercent, p99Ms }: FlaggerSettings, world: World): boolean {
  if (canary.total === 0) return false;
  if (100 * (1 - canary.bad / canary.total) < successPercent) return false;
  if (p99Ms === null || canary.latency === null) return true;
  return 1000 * histogramQuantile(0.99, canary, world) <= p99Ms;
}

function joined(windows: readonly ArmCounts[]): ArmCounts {
  return windows.reduce((a, b) => ({
    total: a.total + b.total,
    bad: a.bad + b.bad,
    latency:
      a.latency === null || b.latency === null ? null : a.latency.map((count, i) => count + (b.latency?.[i] ?? 0)),
  }));
}
