// Measurements from Prometheus (prometheus.md): raw samples of counters up to one moment, the same for all versions and all
// checks, each target counted on from the scrape where the last window ended. What is missing, late, not a count or not
// answered is a typed outcome with its reason: it promotes nothing and aborts nothing by itself (rows 34, 36, 37, 46, 47).
// It never throws.
import { podEvents } from '../../cluster/pod-events.ts';
import type { PodsOfVersion } from '../../cluster/pods.ts';
import { type PodEvents, readingsOf, totalOf, type VersionCounts } from '../../cluster/version-counts.ts';
import type { Check } from '../../core/model/check.ts';
import { measuredChecks } from '../../core/model/check-expansion.ts';
import type { History, Measurement, MeasurementResult, Reading } from '../../core/model/measurement.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import type { Revision } from '../../core/model/split.ts';
import { describeError } from '../../lib/errors.ts';
import { type Clock, type MeasureQuery, type MetricSource, openingMeasurement } from '../../ports/index.ts';
import type { ReadSecret } from './prometheus/access.ts';
import { lackingIn } from './prometheus/complete.ts';
import { BY_QUESTION, type Counting, countsByVersion } from './prometheus/counts.ts';
import { formatCursor, type Mark, type PrometheusCursor, parseCursor, podsKnown } from './prometheus/cursor.ts';
import { replicaSlices, sliceMsFor } from './prometheus/past.ts';
import { type Looked, PrometheusReader, sourceOf } from './prometheus/reader.ts';

export interface PrometheusMetricsDeps {
  readonly podsOf: (policy: ReleasePolicy) => PodsOfVersion | Promise<PodsOfVersion>;
  readonly clock: Clock;
  readonly readSecret: ReadSecret;
}

const HOUR_MS = 3_600_000;
const MOST_MARKED_MS = HOUR_MS;

export class PrometheusMetrics implements MetricSource {
  readonly #deps: PrometheusMetricsDeps;
  readonly #reader: PrometheusReader;

  constructor(deps: PrometheusMetricsDeps) {
    this.#deps = deps;
    this.#reader = new PrometheusReader(deps.readSecret, () => deps.clock.now().monotonicMs);
  }

  async measure(query: MeasureQuery): Promise<MeasurementResult> {
    try {
      return await this.#measure(query);
    } catch (error) {
      return { kind: 'error', message: messageOf(query.policy, error) };
    }
  }

  async history({ policy, stable, checks: asked }: Omit<MeasureQuery, 'cursor' | 'canary'>): Promise<History> {
    const checks = measuredChecks(asked);
    if (stable === null) return { readings: sameFor(checks, noData('there is no stable version yet')) };
    try {
      return await this.#history(policy, stable, checks);
    } catch (error) {
      return { readings: sameFor(checks, { kind: 'error', message: messageOf(policy, error) }) };
    }
  }

  async close(): Promise<void> {
    await this.#reader.close();
  }

  async #measure({ policy, stable, canary, checks: asked, cursor }: MeasureQuery): Promise<MeasurementResult> {
    const pods = await this.#deps.podsOf(policy);
    const nowMs = this.#toMs(policy);
    if (cursor === null) {
      return { kind: 'measurement', measurement: openingMeasurement(formatCursor(openedAt(nowMs, pods))) };
    }
    const before = parseCursor(cursor);
    if (before === null) return { kind: 'error', message: 'the place where reading stopped is not one of this source' };
    // What waited longer is caught up with hour by hour.
    const toMs = Math.min(nowMs, before.atMs + HOUR_MS);
    if (toMs <= before.atMs) return { kind: 'none' };
    const checks = measuredChecks(asked);
    const revisions = stable === null || stable === canary ? [canary] : [stable, canary];
    const looked = await this.#look({ policy, pods, revisions, before, toMs, checks });
    const lacking = lackingIn(looked, pods, revisions);
    if (lacking !== null) return { kind: 'error', message: messageOf(policy, lacking) };
    const span = { fromMs: before.atMs, toMs };
    const events = podEvents(pods, revisions, ({ name }) => before.pods[name]?.restarts, span);
    if (toMs === nowMs && !hasNews(looked, pods, events)) return { kind: 'none' };
    const versions = countsByVersion(looked.own, countingOf(policy, looked));
    const counts = { versions: onlyOf(versions, revisions), events };
    const readings = readingsOf(counts, checks, countingOf(policy, looked).errors);
    const requests = requestsOf(versions, revisions);
    const measurement: Measurement = {
      spanMs: toMs - before.atMs,
      readings: honest(policy, looked, checks, readings),
      requests,
      ...(isDrawn(policy) && looked.counted.size > 0 ? { drawn: requests } : {}),
      users: {},
      cursor: formatCursor({ openedMs: before.openedMs, atMs: toMs, marks: marksAfter(looked), pods: looked.pods }),
    };
    return { kind: 'measurement', measurement };
  }

  async #history(policy: ReleasePolicy, stable: Revision, checks: readonly Check[]): Promise<History> {
    const pods = await this.#deps.podsOf(policy);
    const toMs = this.#toMs(policy);
    const fromMs = toMs - HOUR_MS;
    const revisions = [stable];
    const looked = await this.#look({ policy, pods, revisions, before: openedAt(fromMs, pods), toMs, checks });
    const own = looked.own.filter(({ revision }) => revision === stable);
    const counting = countingOf(policy, looked);
    const versions = onlyOf(countsByVersion(own, counting), revisions);
    const events = podEvents(pods, revisions, () => 0, { fromMs: Number.NEGATIVE_INFINITY, toMs });
    const readings = readingsOf({ versions, events: finite(events) }, checks, counting.errors);
    const slices = replicaSlices(own, counting, sliceMsFor(looked.scrapeMs));
    const errors = checks.filter(({ metric }) => metric.kind === 'errors').map(({ name }) => [name, slices] as const);
    return slices.length === 0 ? { readings } : { readings, replicas: Object.fromEntries(errors) };
  }

  #toMs(policy: ReleasePolicy): number {
    return Date.parse(this.#deps.clock.now().wallTime) - sourceOf(policy).lagMs;
  }

  #look(query: {
    readonly policy: ReleasePolicy;
    readonly pods: PodsOfVersion;
    readonly revisions: readonly Revision[];
    readonly before: PrometheusCursor;
    readonly toMs: number;
    readonly checks: readonly Check[];
  }): Promise<Looked> {
    const { policy, pods, before, toMs, checks } = query;
    const { scrapeMs } = sourceOf(policy);
    const known = podsKnown(before.pods, pods, toMs, 4 * scrapeMs);
    const all = [...measuredChecks(policy.checks), ...checks];
    return this.#reader.look({ ...query, known, wantsLatency: all.some(({ metric }) => metric.kind === 'latency') });
  }
}

/**
 * A window ends when every target that serves and is heard of was scraped in it: a window in which only one version was
 * counted compares nothing, and its requests would be of no use. Of nothing at all there is something to say, too.
 */
function hasNews(
  { counted, toMs, scrapeMs }: Looked,
  { byRevision }: PodsOfVersion,
  events: Readonly<Record<Revision, PodEvents>>,
): boolean {
  const all = [...counted.values()];
  const serving = new Set(
    Object.values(byRevision).flatMap((pods) => pods.filter(({ isReady }) => isReady).map(({ name }) => name)),
  );
  const awaited = all.filter(
    ({ target: { pod, all: series }, untilMs }) =>
      series.length > 0 && (pod === null || serving.has(pod)) && toMs - untilMs <= 3 * scrapeMs,
  );
  const isScraped =
    awaited.length > 0 ? awaited.every((of) => of.hasNews) : all.length === 0 || all.some((of) => of.hasNews);
  return isScraped || Object.values(events).some(({ restarts }) => restarts > 0);
}

function messageOf(policy: ReleasePolicy, error: unknown): string {
  const why = typeof error === 'string' ? error : describeError(error);
  return policy.metrics.kind === 'prometheus' ? `Prometheus at ${hostOf(policy.metrics.access.address)}: ${why}` : why;
}

function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).host : address;
}

function openedAt(atMs: number, pods: PodsOfVersion): PrometheusCursor {
  return { openedMs: atMs, atMs, marks: {}, pods: podsKnown({}, pods, atMs, 0) };
}

function countingOf(policy: ReleasePolicy, { questions, counted }: Looked): Counting {
  const errors = questions.statusLabel === null ? { ...policy.errors, ...BY_QUESTION } : policy.errors;
  return { questions, errors, counted };
}

/** Pods that went and scrapes that were taken need no mark any more; what was not heard of for an hour has none. */
function marksAfter({ before, counted, pods, byPod, toMs, scrapeMs }: Looked): Readonly<Record<string, Mark>> {
  const kept = Object.entries(before.marks).filter(([key, { atMs }]) => {
    if (byPod) return pods[key.split(' ')[0] ?? ''] !== undefined && toMs - atMs <= MOST_MARKED_MS;
    return toMs - atMs <= 6 * scrapeMs;
  });
  const renewed = [...counted].flatMap(([key, { next }]) => (next === undefined ? [] : [[key, next] as const]));
  return Object.fromEntries([...kept, ...renewed]);
}

function onlyOf<T>(all: Readonly<Record<Revision, T>>, revisions: readonly Revision[]): Readonly<Record<Revision, T>> {
  return Object.fromEntries(Object.entries(all).filter(([revision]) => revisions.includes(revision)));
}

function requestsOf(
  versions: Readonly<Record<Revision, VersionCounts>>,
  revisions: readonly Revision[],
): Readonly<Record<Revision, number>> {
  return Object.fromEntries(
    revisions.map((revision) => {
      const own = versions[revision];
      return [revision, own === undefined ? 0 : totalOf(own)];
    }),
  );
}

/** Only a router's counters know what chance drew, and only where no rule and no copy sends requests, too. */
function isDrawn(policy: ReleasePolicy): boolean {
  const { kind } = sourceOf(policy).counters;
  const mirrors = policy.router.kind === 'gatewayApi' && policy.router.mirrorPercent !== null;
  return (kind === 'traefik' || kind === 'envoy') && policy.audience.length === 0 && !mirrors;
}

/** What is not known of the window is an error of every check that counts requests, and nothing at all says what was asked. */
function honest(
  policy: ReleasePolicy,
  { counted, questions, own }: Looked,
  checks: readonly Check[],
  readings: Readonly<Record<string, Reading>>,
): Readonly<Record<string, Reading>> {
  const unknown = [...counted.values()].flatMap((of) => of.unknown ?? [])[0];
  const names = [...new Set(questions.all.map(({ selector }) => selector.name))].join(', ');
  const instead: Reading | null =
    unknown !== undefined
      ? { kind: 'error', message: messageOf(policy, unknown) }
      : own.length === 0
        ? noData(messageOf(policy, names === '' ? 'there is no pod to ask for' : `it has nothing for ${names}`))
        : null;
  if (instead === null) return readings;
  const concerned = checks.filter(({ metric }) => metric.kind === 'errors' || metric.kind === 'latency');
  return { ...readings, ...sameFor(concerned, instead) };
}

const noData = (message: string): Reading => ({ kind: 'no-data', message });

function sameFor(checks: readonly Check[], reading: Reading): Readonly<Record<string, Reading>> {
  return Object.fromEntries(checks.map(({ name }) => [name, reading]));
}

/** Of pods whose start is not known, no length of life is told. */
function finite<T extends { readonly podSeconds: number }>(events: Readonly<Record<Revision, T>>) {
  return Object.fromEntries(Object.entries(events).filter(([, { podSeconds }]) => Number.isFinite(podSeconds)));
}
