/**
 * Rules of the source of measurements: a check whose metric the source does not count could never pass, and a selection it
 * does not heed would be dropped in silence (row 84).
 */
import { DEFAULT_CHECKS } from './defaults.ts';
import type { CheckAt, HoledCheck, RuleContext } from './rule-report.ts';

type SourceKind = 'gateway' | 'prometheus' | 'pods';

const NAMES: Readonly<Record<SourceKind, string>> = {
  gateway: 'the embedded gateway does not measure',
  prometheus: 'the counters in Prometheus do not tell',
  pods: 'the counters of pods do not tell',
};

/** What a live source does not measure yet, by metric or counted event. */
const UNMEASURED: Readonly<Record<string, string>> = {
  mean: 'values of users or requests',
  conversion: 'conversions',
  oomKills: 'out-of-memory kills',
  throttledPeriods: 'throttled periods',
  business: "users' steps, which take requests by route",
  gauge: 'readings of replicas',
};

const UNMEASURED_BY: Readonly<Record<SourceKind, readonly string[]>> = {
  gateway: ['mean', 'conversion', 'oomKills', 'throttledPeriods'],
  prometheus: ['mean', 'conversion', 'throttledPeriods', 'business', 'gauge'],
  pods: ['mean', 'conversion', 'throttledPeriods', 'business', 'gauge'],
};

function sourceOf({ spec }: RuleContext): SourceKind {
  if (spec.metrics?.prometheus !== undefined) return 'prometheus';
  if (spec.metrics?.pods !== undefined) return 'pods';
  // Where the source of a Deployment is missing, that alone is said; it will be no gateway.
  return spec.workload?.deployment === undefined ? 'gateway' : 'pods';
}

/** Of one check. */
export function checkSourceRules(context: RuleContext, { check, kind, path }: CheckAt): void {
  const { spec, report, source } = context;
  if (source === 'recorded') return;
  const from = sourceOf(context);
  const event = check.metric?.count?.event;
  const unmeasured = UNMEASURED_BY[from].find((each) => each === kind || each === event);
  report.refuseIf(
    unmeasured !== undefined,
    [...path, 'metric', kind],
    `${NAMES[from]} ${UNMEASURED[unmeasured ?? '']}`,
    'judge recorded data with `haldane judge`, or take the check out',
  );
  report.refuseIf(
    (kind === 'gauge' || event === 'restarts') && spec.workload?.upstreams !== undefined,
    [...path, 'metric', kind],
    'replicas of upstreams are run by someone else and cannot be read',
    'take the check out, or use spec.workload.processes',
  );
  if (from === 'gateway') return;
  const metrics = check.metric?.kayenta?.metrics ?? [];
  selectionRules(context, path, check);
  for (const [index, each] of metrics.entries()) {
    selectionRules(context, [...path, 'metric', 'kayenta', 'metrics', index], each ?? {});
  }
}

type Selection = Pick<HoledCheck, 'routes' | 'methods'>;

function selectionRules({ report }: RuleContext, path: readonly (string | number)[], selection: Selection): void {
  for (const key of ['routes', 'methods'] as const) {
    report.refuseIf(
      selection[key] !== undefined,
      [...path, key],
      `only the embedded gateway tells ${key} apart`,
      `take ${key} out, or count what you mean by metrics.prometheus.counters.queries`,
    );
  }
}

/** Of the whole policy. */
export function sourceRules(context: RuleContext): void {
  const { spec, report, source, isWritten } = context;
  if (source === 'recorded' || sourceOf(context) === 'gateway') return;
  const byPath = 'is never used: only the embedded gateway tells paths and methods apart';
  const queries = spec.metrics?.prometheus?.counters?.queries;
  for (const path of [
    ['routes'],
    ['errors', 'routes'],
    ['errors', 'methods'],
    ['errors', 'exceptRoutes'],
    ['errors', 'retryHeader'],
  ]) {
    const fix = `take ${path.join('.')} out, or count what you mean by metrics.prometheus.counters.queries`;
    if (isWritten(...path)) report.refuse(path, byPath, fix);
  }
  if (isWritten('errors', 'endings')) {
    const problem = 'is never used: counters hold status codes, and only the embedded gateway sees how requests end';
    report.refuse(['errors', 'endings'], problem, 'take errors.endings out');
  }
  for (const key of ['classes', 'codes']) {
    const problem = 'is never used: the query `bad` says what counts as an error';
    report.refuseIf(queries !== undefined && isWritten('errors', key), ['errors', key], problem, `take ${key} out`);
  }
  if (queries !== undefined && !isWritten('metrics', 'prometheus', 'counters', 'queries', 'latency'))
    noLatency(context);
}

/** A check of latency without a histogram would wait for data for ever. */
function noLatency({ spec, report }: RuleContext): void {
  if (spec.analysis === 'none') return;
  const asking = (spec.checks ?? DEFAULT_CHECKS).findIndex(
    (check) =>
      check?.metric?.latency !== undefined ||
      check?.metric?.kayenta?.metrics?.some((each) => each?.metric?.latency !== undefined),
  );
  if (asking === -1) return;
  const at =
    spec.checks === undefined ? ['metrics', 'prometheus', 'counters', 'queries'] : ['checks', asking, 'metric'];
  report.refuse(
    at,
    `there is no latency to ask for${spec.checks === undefined ? ', and the default checks ask for it' : ''}`,
    'add the selector of a histogram as metrics.prometheus.counters.queries.latency, or write checks without latency',
  );
}
