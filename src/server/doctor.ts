// What could go wrong in a release, asked before it starts: is everything reachable, does each query answer for the
// version asked and only for it, and is each required check able to fail. It changes nothing.

import type { PolicyView } from '../controller/index.ts';
import type { Check } from '../core/model/check.ts';
import { measuredChecks } from '../core/model/check-expansion.ts';
import { describeDuration } from '../core/model/duration.ts';
import type { Reading, Sample } from '../core/model/measurement.ts';
import { placeText } from '../core/model/place.ts';
import type { ReleasePolicy } from '../core/model/policy.ts';
import { isTried } from '../core/rehearsal/index.ts';
import { type Detection, type Diagnosis, type Finding, troublesOf } from '../core/views/index.ts';
import { describeError } from '../lib/errors.ts';
import type { Clock, MetricSource, Store } from '../ports/index.ts';
import { detectionOf } from './detection.ts';
import type { LiveTraffics } from './live-traffic.ts';

export interface DoctorDeps {
  readonly store: Store;
  readonly metrics: MetricSource;
  readonly clock: Clock;
  readonly live: LiveTraffics;
  /** Waits between two looks at the metrics. */
  readonly lookMs: number;
}

const ok = (area: Finding['area'], message: string): Finding => ({ area, status: 'ok', message, fix: null });
const warning = (area: Finding['area'], message: string, fix: string): Finding => ({
  area,
  status: 'warning',
  message,
  fix,
});
const problem = (area: Finding['area'], message: string, fix: string): Finding => ({
  area,
  status: 'problem',
  message,
  fix,
});

export async function diagnose(deps: DoctorDeps, view: PolicyView): Promise<Diagnosis> {
  const { policy } = view;
  const findings = [
    await storeFinding(deps),
    await clockFinding(deps),
    ...workloadFindings(view),
    ...gatewayFindings(view),
    ...troublesOf({ ...view, seen: null }).map((trouble) =>
      problem('gateway', trouble, 'mend what it names; it is tried again by itself'),
    ),
  ];
  if (policy === null) return { policy: view.name, findings, detections: [] };
  const asked = await askQueries(deps, view, policy);
  const estimated = policy.checks.filter((check) => isTried(check) || isRuled(check));
  const detections = asked.perSecond === null ? [] : estimated.map((check) => detect(policy, check, asked));
  return {
    policy: view.name,
    findings: [...findings, ...asked.findings, ...detections.flatMap(detectionFindings)],
    detections,
  };
}

/** Judged without odds, so that the time it takes is known without trying. */
function isRuled({ metric, rule }: Check): boolean {
  return rule !== null || metric.kind === 'gauge' || metric.kind === 'kayenta';
}

async function storeFinding({ store }: DoctorDeps): Promise<Finding> {
  const { writable, message } = await store.health();
  return writable
    ? ok('store', 'the store takes writes')
    : problem(
        'store',
        `the store takes no writes: ${message}`,
        'free space on its disk; what runs goes on, new releases wait',
      );
}

/** Durations come from the monotonic clock; a wall clock far off only confuses people. */
async function clockFinding({ clock }: DoctorDeps): Promise<Finding> {
  const from = clock.now();
  await clock.sleep(20);
  const to = clock.now();
  const passedMs = to.monotonicMs - from.monotonicMs;
  if (passedMs <= 0)
    return problem('clock', 'the monotonic clock stands still', 'look at the machine: no release can bake');
  return ok('clock', `the clock runs; wall time is ${to.wallTime}`);
}

function workloadFindings({ seen, state, policy }: PolicyView): Finding[] {
  if (seen === null)
    return [problem('workload', 'the workload has not been looked at yet', 'wait a second and ask again')];
  if (seen.workload.kind === 'error') {
    return [problem('workload', `the workload cannot be looked at: ${seen.workload.message}`, 'mend that first')];
  }
  const findings = seen.workload.value.versions.map((version) =>
    version.ready >= version.wanted
      ? ok('workload', `${version.label}: ${version.ready} of ${version.wanted} replicas ready`)
      : problem(
          'workload',
          `${version.label}: ${version.ready} of ${version.wanted} replicas ready${version.trouble === null ? '' : ` (${version.trouble})`}`,
          'haldane status shows its trouble; its log is in the state folder under logs/',
        ),
  );
  if (state?.stable == null)
    findings.push(warning('workload', 'no version has served yet', 'a release needs a stable version to compare with'));
  const workload = policy?.workload;
  if (workload === undefined || workload.kind === 'deployment') return findings;
  if (workload.ready === null) {
    findings.push(
      warning(
        'probes',
        'there is no readiness probe: an open port counts as ready',
        'add spec.workload.processes.ready: {path: /healthz}',
      ),
    );
  } else findings.push(ok('probes', `readiness is asked at ${workload.ready.path}`));
  return findings;
}

function gatewayFindings({ seen, policy }: PolicyView): Finding[] {
  const router = seen?.router;
  const place = policy === null ? 'its address' : placeText(policy);
  if (router === undefined) return [];
  if (router.kind === 'error')
    return [
      problem(
        'gateway',
        `the gateway cannot be reached: ${router.message}`,
        'haldane status; its log is in the state folder',
      ),
    ];
  switch (router.value.state) {
    case 'converged':
      return [ok('gateway', `the gateway listens on ${place} and splits as asked`)];
    case 'progressing':
      return [
        warning('gateway', `the gateway is not there yet: ${router.value.reason}`, 'wait a second and ask again'),
      ];
    case 'rejected':
      return [
        problem('gateway', `the gateway refused: ${router.value.reason}`, `is another program listening on ${place}?`),
      ];
    case 'absent':
      return [
        problem(
          'gateway',
          'there is no gateway',
          'it starts with the first version; haldane status says what it waits for',
        ),
      ];
  }
}

interface Asked {
  readonly findings: readonly Finding[];
  readonly perSecond: number | null;
  readonly readings: Readonly<Record<string, Reading>>;
  readonly stable: string | null;
}

const NOBODY = 'doctor-asks-for-nobody';

/** Two looks: a window opened and read, for stable and for a version that is under way, or for one that is not there. */
async function askQueries(deps: DoctorDeps, view: PolicyView, policy: ReleasePolicy): Promise<Asked> {
  const stable = view.state?.stable?.revision ?? null;
  const release = view.state?.release;
  const underWay = release != null && release.phase.kind !== 'ended' ? release.to : null;
  const canary = underWay?.revision ?? NOBODY;
  const query = { policy, stable, canary, checks: policy.checks };
  const nothing = { perSecond: null, readings: {}, stable };
  let cursor: string;
  try {
    const opened = await deps.metrics.measure({ ...query, cursor: null });
    if (opened.kind !== 'measurement') {
      const why = opened.kind === 'error' ? opened.message : 'it said nothing';
      return {
        ...nothing,
        findings: [
          problem('queries', `the metric source does not answer: ${why}`, 'no release can be analysed without it'),
        ],
      };
    }
    cursor = opened.measurement.cursor;
    await deps.clock.sleep(deps.lookMs);
    const read = await deps.metrics.measure({ ...query, cursor });
    if (read.kind !== 'measurement') {
      return {
        ...nothing,
        findings: [
          problem(
            'queries',
            `the metric source gave no window: ${read.kind === 'error' ? read.message : 'nothing'}`,
            'ask again; see the log',
          ),
        ],
      };
    }
    const { measurement } = read;
    const total = Object.values(measurement.requests).reduce((sum, count) => sum + count, 0);
    const perSecond = measurement.spanMs > 0 ? (total * 1_000) / measurement.spanMs : 0;
    const findings = measuredChecks(policy.checks).flatMap((check) =>
      readingFinding(check, measurement.readings[check.name], { stable, canary: underWay?.revision ?? null }),
    );
    return { findings: [trafficFinding(perSecond), ...findings], perSecond, readings: measurement.readings, stable };
  } catch (error) {
    return {
      ...nothing,
      findings: [problem('queries', `the metric source failed: ${describeError(error)}`, 'see the log')],
    };
  }
}

function trafficFinding(perSecond: number): Finding {
  if (perSecond > 0) return ok('queries', `${perSecond.toFixed(1)} requests/s come through the gateway now`);
  return problem(
    'queries',
    'no request came through the gateway while we looked',
    'send the users through the gateway; without traffic there is no verdict, and a release waits',
  );
}

function readingFinding(
  check: Check,
  reading: Reading | undefined,
  asked: { stable: string | null; canary: string | null },
): Finding[] {
  const { name } = check;
  if (reading === undefined) return [problem('queries', `${name}: the source left it out`, 'see the log')];
  if (reading.kind === 'error') return [problem('queries', `${name}: ${reading.message}`, 'mend the query')];
  if (reading.kind === 'no-data')
    return [warning('queries', `${name}: no data (${reading.message})`, 'it holds a release until it answers')];
  const counted = (revision: string | null) => (revision === null ? 0 : sizeOf(reading.byRevision[revision]));
  const strangers = Object.keys(reading.byRevision).filter(
    (revision) => revision !== asked.stable && revision !== asked.canary && sizeOf(reading.byRevision[revision]) > 0,
  );
  const findings: Finding[] = [];
  if (check.metric.kind !== 'gauge') {
    findings.push(
      counted(asked.stable) > 0
        ? ok('queries', `${name}: stable answers with ${counted(asked.stable)} requests`)
        : warning(
            'queries',
            `${name}: stable had no request that this check looks at`,
            'are its routes and methods those that users call?',
          ),
    );
  }
  if (asked.canary !== null && counted(asked.canary) === 0) {
    findings.push(warning('queries', `${name}: the new version had none yet`, 'wait, or raise the first weight'));
  }
  findings.push(
    strangers.length === 0
      ? ok('queries', `${name}: versions are told apart; one that is not there has no counts`)
      : problem(
          'queries',
          `${name}: a version that was not asked for answered (${strangers.join(', ')})`,
          'the query mixes versions',
        ),
  );
  return findings;
}

function sizeOf(sample: Sample | undefined): number {
  if (sample === undefined) return 0;
  switch (sample.kind) {
    case 'proportion':
      return sample.total;
    case 'latency':
      return sample.counts.reduce((sum, [, count]) => sum + count, 0);
    case 'gauge':
      return sample.values.length;
    case 'count':
      return sample.seconds;
    case 'values':
      return sample.counts.reduce((sum, [, count]) => sum + count, 0);
    case 'cohort':
      return sample.exposed;
  }
}

function detect(policy: ReleasePolicy, check: Check, asked: Asked): Detection {
  const reading = asked.readings[check.name];
  const sample = reading?.kind === 'samples' && asked.stable !== null ? reading.byRevision[asked.stable] : undefined;
  const isCounted = sample?.kind === 'proportion' && sample.total > 0;
  const badRate = isCounted ? sample.bad / sample.total : null;
  return detectionOf(policy, check, { perSecond: asked.perSecond ?? 0, badRate });
}

function detectionFindings(detection: Detection): Finding[] {
  const { check, role, harm, detectsInMs, withinMs, weightPercent, note } = detection;
  const at = `at ${weightPercent} % of ${detection.perSecond.toFixed(1)} requests/s`;
  if (detectsInMs !== null)
    return [ok('checks', `${check} is able to fail: ${harm} is seen in about ${describeDuration(detectsInMs)} ${at}`)];
  const why = note ?? `not seen within ${describeDuration(withinMs)} ${at}`;
  const finding = role === 'required' ? problem : warning;
  return [
    finding(
      'checks',
      `${check} would not fail: ${harm}: ${why}`,
      'more traffic, a larger first weight, or a wider tolerance',
    ),
  ];
}
