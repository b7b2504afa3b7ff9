// What people build themselves: a z-test of two proportions on pooled totals, looked at every 10 s as if it were looked at
// once; looked at once after half an hour; and looked at every 10 s with a line that simulation of equal versions has
// found for it. Constant 5 %. A canary that is not heard of gives no z, and is promoted in the end.
import { createRandom, normalQuantile } from '../../../src/core/statistics/index.ts';
import type { Contestant, Outcome, World } from '../contestant.ts';
import type { ScenarioWorld } from '../worlds/world.ts';
import { Course } from './course.ts';

export interface ZSettings {
  readonly everySeconds: number;
  /** The z that aborts; or the line that 1 % of equal versions reach, with the base rate and the traffic known. */
  readonly line: number | 'calibrated';
  /** Promoted if nothing was found until then. */
  readonly promoteSeconds: number;
  readonly weightPercent: number;
}

const ONE_PERCENT = normalQuantile(0.99);

export const Z_TESTS: readonly (readonly [string, ZSettings])[] = [
  ['z-test every 10 s', { everySeconds: 10, line: ONE_PERCENT, promoteSeconds: 1800, weightPercent: 5 }],
  ['z-test once, after 30 min', { everySeconds: 1800, line: ONE_PERCENT, promoteSeconds: 1800, weightPercent: 5 }],
  [
    'z-test every 10 s, calibrated line',
    { everySeconds: 10, line: 'calibrated', promoteSeconds: 5400, weightPercent: 5 },
  ],
];

export function zTest(name: string, settings: ZSettings): Contestant {
  return { name, run: (world) => runZ(settings, world) };
}

interface Totals {
  canary: number;
  canaryBad: number;
  stable: number;
  stableBad: number;
}

function runZ(settings: ZSettings, world: World): Outcome {
  const { everySeconds, promoteSeconds, weightPercent } = settings;
  const line = settings.line === 'calibrated' ? lineFor(settings, world as ScenarioWorld) : settings.line;
  const course = new Course(world, everySeconds, 0);
  course.setWeight(weightPercent);
  const totals: Totals = { canary: 0, canaryBad: 0, stable: 0, stableBad: 0 };
  while (!course.isOver) {
    const { canary, stable } = course.pass(Math.min(everySeconds, world.horizonSeconds - course.atSeconds));
    totals.canary += canary.total;
    totals.canaryBad += canary.bad;
    totals.stable += stable.total;
    totals.stableBad += stable.bad;
    if (pooledZ(totals) >= line) return course.end('aborted');
    if (course.atSeconds >= promoteSeconds) return course.end('promoted');
  }
  return course.end('undecided');
}

export function pooledZ({ canary, canaryBad, stable, stableBad }: Readonly<Totals>): number {
  if (canary === 0 || stable === 0) return 0;
  const pooled = (canaryBad + stableBad) / (canary + stable);
  const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / canary + 1 / stable));
  return deviation === 0 ? 0 : (canaryBad / canary - stableBad / stable) / deviation;
}

const RUNS = 2000;
const LINES = new Map<string, number>();

function lineFor(settings: ZSettings, { scenario, requestsPerSecond }: ScenarioWorld): number {
  const key = `${requestsPerSecond}/${scenario.stableRate}`;
  const line = LINES.get(key) ?? calibratedLine(settings, requestsPerSecond, scenario.stableRate);
  LINES.set(key, line);
  return line;
}

/** Above the highest z of all but 0.8 % of simulated releases of equal versions: at most 1 % of others pass it. */
export function calibratedLine(
  { everySeconds, promoteSeconds, weightPercent }: ZSettings,
  requestsPerSecond: number,
  rate: number,
): number {
  const random = createRandom(`line/${everySeconds}/${promoteSeconds}/${weightPercent}/${requestsPerSecond}/${rate}`);
  const perLook = requestsPerSecond * everySeconds;
  const highest = Array.from({ length: RUNS }, () => {
    const totals: Totals = { canary: 0, canaryBad: 0, stable: 0, stableBad: 0 };
    let high = 0;
    for (let at = 0; at < promoteSeconds; at += everySeconds) {
      const [canary, stable] = [weightPercent, 100 - weightPercent].map((w) => random.poisson((perLook * w) / 100));
      totals.canary += canary ?? 0;
      totals.stable += stable ?? 0;
      totals.canaryBad += random.binomial(canary ?? 0, rate);
      totals.stableBad += random.binomial(stable ?? 0, rate);
      high = Math.max(high, pooledZ(totals));
    }
    return high;
  }).sort((a, b) => a - b);
  return (highest[Math.ceil(RUNS * 0.992)] ?? Number.POSITIVE_INFINITY) + 1e-9;
}
