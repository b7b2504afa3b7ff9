// The rows of the benchmark. Parameters are drawn from a seed: the tuning set from one, the reported set from another that
// nothing was tuned on. Refuses to be edited by hand: a row that looks bad stays.
import { DEFAULT_MARGIN, DEFAULT_RATIO } from '../../src/core/policy/defaults.ts';
import { createRandom, type Random } from '../../src/core/statistics/index.ts';
import type { LatencyTruth, Scenario, Shape } from './worlds/scenario.ts';

export const REPORTED_SEED = 'haldane-1876-reported';
export const TUNING_SEED = 'haldane-1876-tuning';

const HOUR = 3600;
const HORIZON = 3 * HOUR;

export interface ScenarioSet {
  readonly seed: string;
  /** Equal versions: the target of at most alpha_R false aborts holds in each. */
  readonly equal: readonly Scenario[];
  /** Equal versions in worlds that break any test: printed without a target. */
  readonly unfair: readonly Scenario[];
  /** More errors. */
  readonly errors: readonly Scenario[];
  /** Crashes, late onsets, outages, low and high traffic, many metrics. */
  readonly special: readonly Scenario[];
  readonly latency: readonly Scenario[];
}

export function drawScenarios(seed: string): ScenarioSet {
  const random = createRandom(seed);
  const draw = new Draw(random);
  return {
    seed,
    equal: [...equalWorlds(draw), ...equalTraffic(new Draw(random.fork('traffic')))],
    unfair: unfairWorlds(draw),
    errors: errorWorlds(draw),
    special: [...specialWorlds(draw), ...moreSpecialWorlds(new Draw(random.fork('more')))],
    latency: latencyWorlds(draw),
  };
}

/** By the tolerance as shipped, whatever the figures then look like. */
function judged({ stableRate, canaryRate }: Rates): Scenario['truth'] {
  return canaryRate > DEFAULT_RATIO * stableRate + DEFAULT_MARGIN.errors ? 'harmful' : 'inside';
}

/** Values rounded to three digits, so that what is printed is what was run. */
class Draw {
  readonly #random: Random;
  constructor(random: Random) {
    this.#random = random;
  }
  log(low: number, high: number): number {
    return Number((low * (high / low) ** this.#random.uniform()).toPrecision(3));
  }
  whole(low: number, high: number): number {
    return low + this.#random.integer(high - low + 1);
  }
}

function percent(rate: number): string {
  return `${Number((100 * rate).toPrecision(3))} %`;
}

interface Rates {
  readonly requestsPerSecond: number;
  readonly stableRate: number;
  readonly canaryRate: number;
}

function equalRates(draw: Draw, low = 0.0005, high = 0.03): Rates {
  const rate = draw.log(low, high);
  return { requestsPerSecond: draw.log(50, 400), stableRate: rate, canaryRate: rate };
}

function scenario(id: string, what: string, rates: Rates, rest: Partial<Scenario> & Pick<Scenario, 'truth'>): Scenario {
  const { requestsPerSecond: rps, stableRate, canaryRate } = rates;
  const change = stableRate === canaryRate ? percent(stableRate) : `${percent(stableRate)} to ${percent(canaryRate)}`;
  return {
    id,
    title: `${what}: ${change}, ${rps} requests/s`,
    shape: { kind: 'constant' },
    latency: null,
    horizonSeconds: HORIZON,
    ...rates,
    ...rest,
  };
}

function equalWorlds(draw: Draw): readonly Scenario[] {
  const outageAt = draw.whole(60, 400);
  const shapes: readonly (readonly [string, string, Shape])[] = [
    ['diurnal', 'traffic and errors swing, weight moves', { kind: 'diurnal', periodSeconds: draw.whole(1200, 5400) }],
    [
      'outage',
      'common outage, 30 % for a minute',
      { kind: 'outage', atSeconds: outageAt, seconds: 60, rate: 0.3, shiftSeconds: 0 },
    ],
    [
      'outage-shifted',
      "the same, the canary's counts up to a scrape older",
      { kind: 'outage', atSeconds: outageAt + 7, seconds: 60, rate: 0.3, shiftSeconds: draw.whole(3, 9) },
    ],
    ['common-noise', 'common noise, cv 1 per 10 s', { kind: 'noise', cv: 1, isCommon: true }],
    ['clusters', 'errors in clusters of 1 to 5', { kind: 'clusters', most: 5 }],
    ['pods', 'replicas differ, sd 10 %', { kind: 'pods', sd: 0.1, canary: 2, stable: 8 }],
    ['cold-start', 'five times the errors in the first minute', { kind: 'cold-start', factor: 5, seconds: 60 }],
  ];
  const constant = [
    ['constant-low', 0.0001, 0.0005],
    ['constant-middle', 0.0005, 0.005],
    ['constant-high', 0.005, 0.05],
  ] as const;
  return [
    ...constant.map(([id, low, high]) => scenario(id, 'constant', equalRates(draw, low, high), { truth: 'equal' })),
    ...shapes.map(([id, what, shape]) => scenario(id, what, equalRates(draw), { truth: 'equal', shape })),
    scenario('latency-equal', 'same latency', equalRates(draw), {
      truth: 'equal',
      latency: latencyTruth(draw, { kind: 'same' }),
    }),
  ];
}

function unfairWorlds(draw: Draw): readonly Scenario[] {
  const noise = (cv: number): Shape => ({ kind: 'noise', cv, isCommon: false });
  return [
    scenario('own-noise-.3', 'each arm has noise of its own, cv 0.3', equalRates(draw), {
      truth: 'equal',
      shape: noise(0.3),
    }),
    scenario('own-noise-1', 'each arm has noise of its own, cv 1', equalRates(draw), {
      truth: 'equal',
      shape: noise(1),
    }),
    scenario('pods-.3', 'replicas differ, sd 30 %', equalRates(draw), {
      truth: 'equal',
      shape: { kind: 'pods', sd: 0.3, canary: 2, stable: 8 },
    }),
    scenario('latency-faster', 'the canary is 10 % faster', equalRates(draw), {
      truth: 'equal',
      latency: latencyTruth(draw, { kind: 'shift', factor: 0.9 }),
    }),
  ];
}

/** Ratios log-uniform from 1.5 to 100, each range of them once. */
function errorWorlds(draw: Draw): readonly Scenario[] {
  const ranges = [
    [1.5, 2],
    [2, 3],
    [3, 5],
    [5, 10],
    [10, 30],
    [30, 100],
  ] as const;
  return ranges.map(([low, high], i) => {
    const stableRate = draw.log(0.0005, low < 3 ? 0.02 : 0.005);
    const ratio = draw.log(low, high);
    const canaryRate = Number(Math.min(0.6, stableRate * ratio).toPrecision(3));
    const rates = { requestsPerSecond: draw.log(50, 400), stableRate, canaryRate };
    const truth = judged(rates);
    const what = `errors x ${Number((canaryRate / stableRate).toPrecision(3))}`;
    return scenario(`errors-${i + 1}`, truth === 'inside' ? `${what}, inside the tolerance` : what, rates, { truth });
  });
}

function specialWorlds(draw: Draw): readonly Scenario[] {
  const rates = (ratio: number, rps = draw.log(50, 400)): Rates => {
    const stableRate = draw.log(0.001, 0.008);
    return { requestsPerSecond: rps, stableRate, canaryRate: Number((stableRate * ratio).toPrecision(3)) };
  };
  const crash = (): Rates => ({ ...rates(1), canaryRate: 1 });
  const late = draw.whole(400, 1800);
  return [
    scenario('crash', 'every request fails', crash(), { truth: 'harmful' }),
    scenario('crash-silent', 'the canary dies and is heard of no more', crash(), {
      truth: 'harmful',
      shape: { kind: 'silent', atSeconds: draw.whole(5, 30), isDead: true },
    }),
    scenario('late', `bad from second ${late} on`, rates(draw.log(3, 6)), {
      truth: 'harmful',
      shape: { kind: 'onset', atSeconds: late },
    }),
    scenario('outage-and-bad', 'bad, in a common outage', rates(draw.log(2, 4)), {
      truth: 'harmful',
      shape: { kind: 'outage', atSeconds: draw.whole(20, 200), seconds: 60, rate: 0.3, shiftSeconds: 0 },
    }),
    scenario('many-metrics', 'bad, beside 6 healthy metrics', rates(draw.log(3, 6)), {
      truth: 'harmful',
      extraChecks: 6,
    }),
    scenario('low-traffic', 'bad, at 1 request/s', rates(draw.log(4, 8), 1), { truth: 'harmful' }),
    scenario('high-traffic', 'bad, at 10,000 requests/s', rates(draw.log(2, 6), 10_000), { truth: 'harmful' }),
    scenario('inside', 'inside the tolerance: either answer', rates(1.08), { truth: 'inside' }),
    scenario('healthy-low', 'healthy', equalRates(draw, 0.0005, 0.002), { truth: 'equal' }),
    scenario('healthy-high', 'healthy', equalRates(draw, 0.006, 0.012), { truth: 'equal' }),
    scenario('shares-off', 'the canary gets a fifth more than asked', equalRates(draw), {
      truth: 'equal',
      shape: { kind: 'shares', factor: 1.2 },
    }),
  ];
}

/** Drawn apart, so that the rows above stay what they are. */
function equalTraffic(draw: Draw): readonly Scenario[] {
  const rates = (requestsPerSecond: number): Rates => ({ ...equalRates(draw), requestsPerSecond });
  return [
    scenario('traffic-low', 'constant', rates(1), { truth: 'equal' }),
    scenario('traffic-high', 'constant', rates(10_000), { truth: 'equal' }),
  ];
}

function moreSpecialWorlds(draw: Draw): readonly Scenario[] {
  const bad = (): Rates => {
    const stableRate = draw.log(0.001, 0.008);
    const canaryRate = Number((stableRate * draw.log(3, 6)).toPrecision(3));
    return { requestsPerSecond: draw.log(50, 400), stableRate, canaryRate };
  };
  const early = draw.whole(60, 280);
  const [rates, harmful] = [bad(), bad()];
  return [
    scenario('late-in-bake', `bad from second ${early} on`, rates, {
      truth: judged(rates),
      shape: { kind: 'onset', atSeconds: early },
    }),
    scenario('mute', "the canary's metrics vanish, it serves on", equalRates(draw), {
      truth: 'equal',
      shape: { kind: 'silent', atSeconds: draw.whole(20, 200), isDead: false },
    }),
    scenario('both-checks', 'more errors, same latency, asked of both default checks', harmful, {
      truth: judged(harmful),
      latency: latencyTruth(draw, { kind: 'same' }),
    }),
  ];
}

function latencyTruth(draw: Draw, change: LatencyTruth['change']): LatencyTruth {
  return { medianSeconds: draw.log(0.03, 0.3), sigma: draw.log(0.4, 0.8), change };
}

function latencyWorlds(draw: Draw): readonly Scenario[] {
  const changes: readonly (readonly [string, LatencyTruth['change']])[] = [
    ['slower tail', { kind: 'tail', part: draw.log(0.02, 0.05), factor: draw.log(1.2, 1.6) }],
    ['everything slower', { kind: 'shift', factor: draw.log(1.15, 1.4) }],
    ['a second mode, same mean', { kind: 'bimodal', part: draw.log(0.03, 0.08), factor: draw.log(2.5, 4) }],
    ['some requests hang', { kind: 'hang', part: draw.log(0.008, 0.03), seconds: draw.log(1.5, 8) }],
    ['a leak', { kind: 'leak', factor: draw.log(1.6, 2.5) }],
  ];
  return changes.map(([what, change]) =>
    scenario(`latency-${change.kind}`, `${what} (${describe(change)})`, equalRates(draw), {
      truth: 'harmful',
      latency: latencyTruth(draw, change),
    }),
  );
}

function describe(change: LatencyTruth['change']): string {
  return Object.entries(change)
    .filter(([key]) => key !== 'kind')
    .map(([key, value]) => `${key} ${value}`)
    .join(', ');
}
