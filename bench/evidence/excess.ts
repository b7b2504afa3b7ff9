// What a bad version costs its users beyond what stable would have: expected bad requests, to the horizon.
import type { Outcome, World } from './contestant.ts';

const STEP_SECONDS = 10;
/** Where the excess changes within a step, it is summed in steps of this length. */
const FINE_SECONDS = 0.5;
const JUST_BEFORE = 1e-6;

/**
 * Sums the excess over a course of weights. What is promoted has everybody until the horizon; what is undecided stays at
 * its last weight.
 */
export function excessOver(
  world: World,
  weights: readonly (readonly [fromSeconds: number, weightPercent: number])[],
  { end, atSeconds }: Pick<Outcome, 'end' | 'atSeconds'>,
): number {
  const until = end === 'undecided' ? world.horizonSeconds : atSeconds;
  const course = [...weights.filter(([from]) => from < until)];
  let sum = 0;
  for (let i = 0; i < course.length; i++) {
    const [from, weight] = course[i] ?? [0, 0];
    sum += between(world, weight, [from, Math.min(until, course[i + 1]?.[0] ?? until)]);
  }
  return end === 'promoted' ? sum + between(world, 100, [until, world.horizonSeconds]) : sum;
}

function between(world: World, weight: number, [from, to]: readonly [number, number]): number {
  if (weight <= 0) return 0;
  let sum = 0;
  for (let at = from; at < to; at += STEP_SECONDS) {
    const next = Math.min(to, at + STEP_SECONDS);
    const isSteady = world.excessPerSecond(at, weight) === world.excessPerSecond(next - JUST_BEFORE, weight);
    sum += midpoints(world, weight, [at, next], isSteady ? STEP_SECONDS : FINE_SECONDS);
  }
  return sum;
}

function midpoints(world: World, weight: number, [from, to]: readonly [number, number], step: number): number {
  let sum = 0;
  for (let at = from; at < to; at += step) {
    const next = Math.min(to, at + step);
    sum += world.excessPerSecond((at + next) / 2, weight) * (next - at);
  }
  return sum;
}
