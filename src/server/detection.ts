// Is a check able to fail? Its own statistics are run on harm made up for it, at the traffic there is now: twice the
// largest harm the tolerance accepts. What comes out is how long a release of this policy would need to see it.
// Pure numbers from a fixed seed; it says nothing of the service itself.
import {
  type AnalysisSettings,
  type Evidence,
  evidenceShares,
  foldHistory,
  foldWindow,
  judge,
  startEvidence,
} from '../core/analysis/index.ts';
import type { Check } from '../core/model/check.ts';
import type { Sample } from '../core/model/measurement.ts';
import type { ReleasePolicy } from '../core/model/policy.ts';
import { createRandom, type Random } from '../core/statistics/index.ts';
import type { Detection } from '../core/views/index.ts';

export interface Baseline {
  readonly perSecond: number;
  /** Of the requests the check looks at, how many are bad now; null if that is not known. */
  readonly badRate: number | null;
}

const RUNS = 5;
const MOST_WINDOWS = 2_000;
const LONGEST_MS = 86_400_000;

export function detectionOf(policy: ReleasePolicy, check: Check, baseline: Baseline): Detection {
  const weightPercent = testedWeight(policy);
  const stableRate = stableRateOf(check, baseline);
  const canaryRate = harmfulRate(check, stableRate);
  const withinMs = Math.min(policy.deadlines.releaseMs, LONGEST_MS);
  const result = { check: check.name, role: check.role, weightPercent, perSecond: baseline.perSecond, withinMs };
  const harm = harmText(check, stableRate, canaryRate);
  if (check.metric.kind === 'gauge') {
    const detectsInMs = 3 * policy.intervalMs;
    return { ...result, harm: 'a replica over the limit', detectsInMs, note: 'three readings in a row' };
  }
  const share = evidenceShares(policy.checks).get(check.name) ?? 0;
  if (share === 0) {
    return { ...result, harm, detectsInMs: null, note: `its role is ${check.role}: it never ends a release` };
  }
  if (baseline.perSecond <= 0) return { ...result, harm, detectsInMs: null, note: 'there is no traffic now' };
  const runs = Array.from({ length: RUNS }, (_, seed) =>
    windowsToFail({
      policy,
      check,
      share,
      weightPercent,
      perSecond: baseline.perSecond,
      stableRate,
      canaryRate,
      random: createRandom(seed + 1),
    }),
  ).sort((a, b) => a - b);
  const median = runs[Math.floor(RUNS / 2)] ?? Number.POSITIVE_INFINITY;
  const ms = median * policy.intervalMs;
  return { ...result, harm, detectsInMs: ms <= withinMs ? ms : null, note: null };
}

/** The weight at which most of the release is spent early: the second stage if there is one, else the first. */
function testedWeight({ ramp }: ReleasePolicy): number {
  if (ramp.kind === 'adaptive') return ramp.firstWeightPercent;
  return ramp.stages[0]?.weightPercent ?? 0;
}

function stableRateOf(check: Check, { badRate }: Baseline): number {
  if (check.metric.kind === 'latency') return 1 - check.metric.quantile;
  return badRate ?? 0.001;
}

/** Twice the tolerance, ratio and margin both; or twice the limit. */
function harmfulRate(check: Check, stableRate: number): number {
  if (check.tolerance !== null) {
    const accepted = check.tolerance.ratio * stableRate + check.tolerance.margin;
    return Math.min(0.99, Math.max(2 * accepted, stableRate + 0.001));
  }
  if (check.metric.kind === 'latency') return Math.min(0.99, 2 * (1 - check.metric.quantile));
  const limit = check.limit?.value ?? 0.01;
  return Math.min(0.99, 2 * (check.metric.kind === 'business' ? 1 - limit : limit));
}

function harmText(check: Check, stableRate: number, canaryRate: number): string {
  const percent = (rate: number) => `${(rate * 100).toFixed(rate < 0.001 ? 3 : 2)} %`;
  const what =
    check.metric.kind === 'latency' ? 'slow requests' : check.metric.kind === 'business' ? 'users lost' : 'errors';
  return `${percent(canaryRate)} ${what} beside ${percent(stableRate)}`;
}

interface Run {
  readonly policy: ReleasePolicy;
  readonly check: Check;
  readonly share: number;
  readonly weightPercent: number;
  readonly perSecond: number;
  readonly stableRate: number;
  readonly canaryRate: number;
  readonly random: Random;
}

function windowsToFail(run: Run): number {
  const { policy, check, share, weightPercent, random } = run;
  const settings: AnalysisSettings = {
    intervalMs: policy.intervalMs,
    alphaAbort: policy.alphas.abort,
    alphaPromote: policy.alphas.promote,
  };
  let evidence: Evidence = startEvidence(check, settings);
  if (check.metric.kind === 'latency') evidence = learned(check, evidence, settings);
  const perWindow = (run.perSecond * policy.intervalMs) / 1_000;
  let carried = 0;
  for (let window = 1; window <= MOST_WINDOWS; window++) {
    carried += perWindow;
    const total = Math.floor(carried);
    carried -= total;
    const canaryTotal = random.binomial(total, weightPercent / 100);
    const samples = {
      canary: sampleOf(check, canaryTotal, random.binomial(canaryTotal, run.canaryRate)),
      stable: sampleOf(check, total - canaryTotal, random.binomial(total - canaryTotal, run.stableRate)),
    };
    evidence = foldWindow(check, evidence, {
      reading: { kind: 'samples', byRevision: samples },
      stable: 'stable',
      canary: 'canary',
      passedMs: policy.intervalMs,
      warmingUp: false,
      weightPercent,
      settings,
    });
    const verdict = judge(check, evidence, {
      settings,
      share,
      nextWeightPercent: weightPercent,
      badPerInterval: policy.exposure.badPerInterval,
    });
    if (verdict.outcome === 'fail') return window;
  }
  return Number.POSITIVE_INFINITY;
}

/** Stable's past, with as many slow requests as the quantile says. */
function learned(check: Check, evidence: Evidence, settings: AnalysisSettings): Evidence {
  const quantile = check.metric.kind === 'latency' ? check.metric.quantile : 0.99;
  const sample = sampleOf(check, 1_000_000, Math.round(1_000_000 * (1 - quantile)));
  const history = { readings: { [check.name]: { kind: 'samples', byRevision: { stable: sample } } as const } };
  return foldHistory(check, evidence, { stable: 'stable', history }, settings);
}

/** Any bucket: fast ones fall below it and slow ones above. */
const BOUNDARY = 40;

function sampleOf(check: Check, total: number, bad: number): Sample {
  if (check.metric.kind !== 'latency') return { kind: 'proportion', total, bad };
  const slow = check.tolerance === null ? 160 : BOUNDARY + 1;
  return {
    kind: 'latency',
    counts: [
      [0, total - bad],
      [slow, bad],
    ],
  };
}
