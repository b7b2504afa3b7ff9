// Argo Rollouts: steps of weight and pause beside a background analysis that can only veto (analysis.go, at 9f8d111). A
// window in which nothing succeeded gives an empty answer, which is an error: asked again every 10 s, five in a row abort.
import type { ArmCounts, Contestant, Outcome, World } from '../contestant.ts';
import { Course } from './course.ts';

export interface ArgoSettings {
  readonly stepWeights: readonly number[];
  readonly pauseSeconds: number;
  readonly intervalSeconds: number;
  readonly successFraction: number;
  readonly failureLimit: number;
  /** The first look comes after this long; at once it would find no request yet. */
  readonly initialDelaySeconds: number;
}

export const ARGO_DEFAULT: ArgoSettings = {
  stepWeights: [20, 40, 60, 80],
  pauseSeconds: 600,
  intervalSeconds: 300,
  successFraction: 0.95,
  failureLimit: 3,
  initialDelaySeconds: 300,
};

const RETRY_SECONDS = 10;
const ERROR_LIMIT = 4;
/** Both clocks of a rollout are multiples of this. */
const TICK_SECONDS = 5;

export function argo(name: string, settings: ArgoSettings): Contestant {
  return { name, run: (world) => runArgo(settings, world) };
}

function runArgo(settings: ArgoSettings, world: World): Outcome {
  const { stepWeights, pauseSeconds, intervalSeconds, successFraction, failureLimit } = settings;
  const course = new Course(world, stepWeights[0] ?? 0);
  const last: ArmCounts[] = [];
  let [failed, errors, nextLook] = [0, 0, settings.initialDelaySeconds];
  for (let step = 0; !course.isOver; ) {
    last.push(course.pass(TICK_SECONDS).canary);
    if (last.length > intervalSeconds / TICK_SECONDS) last.shift();
    if (course.atSeconds >= nextLook) {
      const total = sumOf(last, ({ total }) => total);
      const good = total - sumOf(last, ({ bad }) => bad);
      errors = good === 0 ? errors + 1 : 0;
      if (good > 0 && good / total < successFraction) failed += 1;
      if (failed > failureLimit || errors > ERROR_LIMIT) return course.end('aborted');
      nextLook = course.atSeconds + (good === 0 ? RETRY_SECONDS : intervalSeconds);
    }
    if (course.atSeconds < (step + 1) * pauseSeconds) continue;
    step += 1;
    const weight = stepWeights[step];
    if (weight === undefined) return course.end('promoted');
    course.setWeight(weight);
  }
  return course.end('undecided');
}

function sumOf(windows: readonly ArmCounts[], of: (window: ArmCounts) => number): number {
  return windows.reduce((sum, window) => sum + of(window), 0);
}
