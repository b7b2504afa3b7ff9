// What people build themselves: a z-test of two proportions on pooled totals, looked at every 10 s as if it were looked at
// once; looked at once after half an hour; and looked at every 10 s with a line that was calibrated for it. Constant 5 %.
import type { Contestant, Outcome, World } from '../contestant.ts';
import { Course } from './course.ts';
import { normalQuantile } from './mann-whitney.ts';

export interface ZSettings {
  readonly everySeconds: number;
  /** The z that aborts. */
  readonly line: number;
  /** Promoted if nothing was found until then. */
  readonly promoteSeconds: number;
  readonly weightPercent: number;
}

const ONE_PERCENT = normalQuantile(0.99);

/** Found by simulating equal arms at base rates of 0.1 to 5 %: at most 1 % of three hours of looks every 10 s pass it. */
const CALIBRATED = 3.6;

export const Z_TESTS: readonly (readonly [string, ZSettings])[] = [
  ['z-test every 10 s', { everySeconds: 10, line: ONE_PERCENT, promoteSeconds: 1800, weightPercent: 5 }],
  ['z-test once, after 30 min', { everySeconds: 1800, line: ONE_PERCENT, promoteSeconds: 1800, weightPercent: 5 }],
  [
    'z-test every 10 s, calibrated line',
    { everySeconds: 10, line: CALIBRATED, promoteSeconds: 1800, weightPercent: 5 },
  ],
];

export function zTest(name: string, settings: ZSettings): Contestant {
  return { name, run: (world) => runZ(settings, world) };
}

function runZ({ everySeconds, line, promoteSeconds, weightPercent }: ZSettings, world: World): Outcome {
  const course = new Course(world, weightPercent);
  const totals = { canary: 0, canaryBad: 0, stable: 0, stableBad: 0 };
  while (!course.isOver) {
    const { canary, stable } = course.pass(everySeconds);
    totals.canary += canary.total;
    totals.canaryBad += canary.bad;
    totals.stable += stable.total;
    totals.stableBad += stable.bad;
    if (zOf(totals) >= line) return course.end('aborted');
    if (course.atSeconds >= promoteSeconds) return course.end('promoted');
  }
  return course.end('undecided');
}

function zOf({
  canary,
  canaryBad,
  stable,
  stableBad,
}: Record<'canary' | 'canaryBad' | 'stable' | 'stableBad', number>): number {
  if (canary === 0 || stable === 0) return 0;
  const pooled = (canaryBad + stableBad) / (canary + stable);
  const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / canary + 1 / stable));
  return deviation === 0 ? 0 : (canaryBad / canary - stableBad / stable) / deviation;
}
