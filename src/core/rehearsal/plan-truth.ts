// Two versions with rates that do not change, for every kind of check that a plan can try: errors and business steps as
// counts, latency as a tail of a usual shape. Refuses what is not requests: gauges, events, values, conversions.
import type { Check } from '../model/check.ts';
import { createRandom, type Random } from '../statistics/index.ts';
import type { Past } from './past.ts';
import type { TrueArm, TrueCounts, Truth } from './truth.ts';

export interface WorldCheck {
  readonly check: Check;
  /** Part of all requests that the check looks at. */
  readonly part: number;
  readonly stableRate: number;
  readonly canaryRate: number;
}

export interface World {
  readonly requestsPerSecond: number;
  readonly checks: readonly WorldCheck[];
  /** Stable's latency at the first quantile asked, for scale only. */
  readonly quantileSeconds: number;
  /** The check whose bad requests are counted as the harm. */
  readonly counted: string | null;
}

/** Tails a usual latency has lines at; the quantiles that checks ask come between. */
const TAILS = [0.9, 0.7, 0.5, 0.3, 0.2, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0005];
/** Where promotion looks beside the quantile: a tail so many times as large (as the analysis does). */
const WIDER_TAIL = 6;
/** How fast the tail grows: the median is a quarter of p99, p99.9 about twice. */
const TAIL_SHAPE = 0.35;

function tailsOf(checks: readonly WorldCheck[]): readonly number[] {
  const own = checks.flatMap(({ check: { metric } }) =>
    metric.kind === 'latency' ? [1 - metric.quantile, Math.min(0.95, WIDER_TAIL * (1 - metric.quantile))] : [],
  );
  const all = [...own, ...TAILS.filter((tail) => own.every((each) => Math.abs(Math.log(tail / each)) > 0.25))];
  return all.sort((a, b) => b - a);
}

interface Latencies {
  readonly boundaries: readonly number[];
  readonly stable: readonly number[];
  readonly canary: readonly number[];
}

/** Parts of requests per bucket. A slower canary has more beyond the quantile; its faster half stays as it is. */
function latenciesOf({ checks, quantileSeconds }: World): Latencies | null {
  const asked = checks.filter(({ check }) => check.metric.kind === 'latency');
  const [first] = asked;
  if (first?.check.metric.kind !== 'latency') return null;
  const scaleTail = 1 - first.check.metric.quantile;
  const tails = tailsOf(checks);
  const worst = asked.reduce((a, b) => (b.canaryRate / b.stableRate > a.canaryRate / a.stableRate ? b : a));
  const factor = worst.canaryRate / worst.stableRate;
  const slowed = tails.map((tail) =>
    tail <= worst.stableRate ? Math.min(1, tail * factor) : Math.max(tail, worst.canaryRate),
  );
  return {
    boundaries: [...tails.map((tail) => quantileSeconds * (scaleTail / tail) ** TAIL_SHAPE), Number.POSITIVE_INFINITY],
    stable: partsOf(tails),
    canary: partsOf(slowed),
  };
}

function partsOf(tails: readonly number[]): readonly number[] {
  return [...tails, 0].map((tail, i) => (tails[i - 1] ?? 1) - tail);
}

export function planTruth(world: World, seed: string): Truth {
  const random = createRandom(seed);
  const latencies = latenciesOf(world);
  const counts = world.checks.filter(({ check }) => check.metric.kind !== 'latency');
  const arm = (requests: number, role: 'stable' | 'canary'): { arm: TrueArm; byCheck: [string, TrueCounts][] } => {
    const total = random.poisson(requests);
    const latency = latencies === null ? null : multinomial(random, total, latencies[role]);
    const byCheck = counts.map(({ check, part, ...rates }): [string, TrueCounts] => {
      const looked = part >= 1 ? total : random.binomial(total, part);
      return [check.name, { total: looked, bad: random.binomial(looked, rates[`${role}Rate`]) }];
    });
    return { arm: { total, bad: badOf(world, { latency, byCheck }), latency }, byCheck };
  };
  return {
    boundaries: latencies?.boundaries ?? null,
    draw(fromSeconds, toSeconds, weightPercent) {
      const requests = world.requestsPerSecond * (toSeconds - fromSeconds);
      const canary = arm((requests * weightPercent) / 100, 'canary');
      const stable = arm((requests * (100 - weightPercent)) / 100, 'stable');
      const others = Object.fromEntries(
        canary.byCheck.map(([name, counted], i) => [
          name,
          { canary: counted, stable: stable.byCheck[i]?.[1] ?? { total: 0, bad: 0 } },
        ]),
      );
      return { canary: canary.arm, stable: stable.arm, others };
    },
  };
}

function badOf(
  { counted, checks }: World,
  { latency, byCheck }: { latency: readonly number[] | null; byCheck: readonly [string, TrueCounts][] },
): number {
  const own = checks.find(({ check }) => check.name === counted)?.check.metric;
  if (own?.kind !== 'latency') return byCheck.find(([name]) => name === counted)?.[1].bad ?? 0;
  const line = tailsOf(checks).findIndex((tail) => Math.abs(tail - (1 - own.quantile)) < 1e-12);
  return (latency ?? []).reduce((sum, count, bucket) => (bucket > line ? sum + count : sum), 0);
}

function multinomial(random: Random, total: number, parts: readonly number[]): readonly number[] {
  let left = total;
  let rest = 1;
  return parts.map((part) => {
    const count = left === 0 || part <= 0 ? 0 : random.binomial(left, rest > part ? part / rest : 1);
    left -= count;
    rest -= part;
    return count;
  });
}

/** Stable's last hour, as it is on average. */
export function planPast(world: World): Past {
  const total = Math.round(world.requestsPerSecond * 3_600);
  const latencies = latenciesOf(world);
  const [first] = world.checks.filter(({ check }) => check.metric.kind !== 'latency');
  return {
    boundaries: latencies?.boundaries ?? null,
    stable: {
      total,
      bad: Math.round(total * (first?.stableRate ?? 0)),
      latency: latencies?.stable.map((part) => Math.round(part * total)) ?? null,
    },
  };
}
