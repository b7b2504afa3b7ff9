// What each kind of check remembers, at its largest: evidence after windows that had something of everything in them.
// Refuses to time anything. The cohorts of a conversion are left aside: they grow with its horizon.
import { type Evidence, foldHistory, foldWindow, startEvidence } from '../../src/core/analysis/index.ts';
import type { Check, Metric } from '../../src/core/model/check.ts';
import { LATENCY_BOUNDARIES } from '../../src/core/model/latency-buckets.ts';
import type { Reading, Sample } from '../../src/core/model/measurement.ts';
import type { TrueArm } from '../../src/core/rehearsal/index.ts';
import { historyOf } from '../../src/core/rehearsal/past.ts';
import { latencySampleOf } from '../../src/core/rehearsal/windows.ts';
import { type Size, sizeOf } from './state-size.ts';
import { CANARY_PERCENT, fullWindow, PAST, policy, WINDOW_SECONDS } from './subject.ts';

const SETTINGS = { intervalMs: WINDOW_SECONDS * 1000, alphaAbort: 0.01, alphaPromote: 0.05 };
const WINDOWS = 5;

interface Kind {
  readonly name: string;
  readonly check: Check;
  readonly sample: (arm: TrueArm) => Sample;
}

export interface KindSize extends Size {
  readonly name: string;
}

export function sizesOfKinds(): readonly KindSize[] {
  return kinds().map(({ name, check, sample }) => {
    const evidence = grown(check, sample);
    return { name, ...sizeOf({ ...evidence, conversion: null }) };
  });
}

function kinds(): readonly Kind[] {
  const { checks } = policy();
  const [errors] = checks;
  const latency = checks.find(({ metric }) => metric.kind === 'latency');
  if (errors === undefined || latency === undefined) throw new Error('the policy has no errors or no latency check');
  const limit = { bound: 'above', value: 0.02 } as const;
  const of = (metric: Metric): Check => ({ ...errors, metric });
  const rare = ({ total }: TrueArm): Sample => ({ kind: 'proportion', total, bad: Math.round(total / 200) });
  const common = ({ total }: TrueArm): Sample => ({ kind: 'proportion', total, bad: Math.round(total / 4) });
  const bucketOf = LATENCY_BOUNDARIES.map((_, bucket) => bucket);
  const slow = (arm: TrueArm): Sample => latencySampleOf(arm.latency ?? [], bucketOf);
  const values = ({ total }: TrueArm): Sample => ({
    kind: 'values',
    counts: [
      [0, total - 500],
      [20, 300],
      [90, 200],
    ],
  });
  const decrease = { direction: 'decrease' } as const;
  const none = { ...(errors.tolerance ?? fail()), ratio: 1, harmMargin: 0 };
  return [
    { name: 'errors, rare', check: errors, sample: rare },
    { name: 'errors, common', check: errors, sample: common },
    { name: 'errors, common, with a limit', check: { ...errors, limit }, sample: common },
    { name: 'latency, 8 lines', check: latency, sample: slow },
    {
      name: 'latency, 8 lines, quantile 0.95: slow is common',
      check: { ...latency, metric: { kind: 'latency', quantile: 0.95 } },
      sample: slow,
    },
    { name: 'latency, 8 lines, with a limit', check: { ...latency, limit: { ...limit, value: 0.5 } }, sample: slow },
    {
      name: 'mean, no tolerance',
      check: { ...of({ kind: 'mean', cap: 100 }), ...decrease, tolerance: none },
      sample: values,
    },
    { name: 'mean, with a tolerance', check: { ...of({ kind: 'mean', cap: 100 }), ...decrease }, sample: values },
    {
      name: 'count',
      check: of({ kind: 'count', event: 'restarts' }),
      sample: () => ({ kind: 'count', events: 2, seconds: 40 }),
    },
    {
      name: 'conversion, cohorts aside',
      check: { ...of({ kind: 'conversion', horizonMs: 600_000 }), ...decrease },
      sample: ({ total }) => ({
        kind: 'cohort',
        exposed: total,
        converted: [
          [1, 40],
          [2, 20],
        ],
      }),
    },
  ];
}

function fail(): never {
  throw new Error('the check has no tolerance');
}

function grown(check: Check, sample: Kind['sample']): Evidence {
  const history = historyOf([check], PAST, 'stable') ?? { readings: {} };
  const { canary, stable } = fullWindow();
  const reading: Reading = { kind: 'samples', byRevision: { canary: sample(canary), stable: sample(stable) } };
  let evidence = foldHistory(check, startEvidence(check, SETTINGS), { stable: 'stable', history }, SETTINGS);
  for (let window = 0; window < WINDOWS; window++) {
    evidence = foldWindow(check, evidence, {
      reading,
      stable: 'stable',
      canary: 'canary',
      passedMs: SETTINGS.intervalMs,
      warmingUp: false,
      weightPercent: CANARY_PERCENT,
      settings: SETTINGS,
    });
  }
  if (evidence.windows !== WINDOWS)
    throw new Error(`${check.metric.kind}: ${evidence.trouble?.message ?? 'not counted'}`);
  return evidence;
}
