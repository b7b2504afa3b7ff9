// Measurements from Prometheus (prometheus.md): raw samples of counters up to one moment, the same for all versions and all
// checks, cut at the moment the last window ended. What is missing, late, not a count or not answered is a typed outcome
// with its reason: it promotes nothing and aborts nothing by itself (rows 34, 36, 37, 46, 47).
import { canaryName, policyKey } from '../../cluster/names.ts';
import type { PodsOfVersion, SeenPod } from '../../cluster/pods.ts';
import {
  added,
  bucketsFrom,
  type PodEvents,
  readingsOf,
  totalOf,
  type VersionCounts,
} from '../../cluster/version-counts.ts';
import type { History, Measurement, MeasurementResult } from '../../core/model/measurement.ts';
import type { MetricsFrom, ReleasePolicy } from '../../core/model/policy.ts';
import type { Revision } from '../../core/model/split.ts';
import { describeError } from '../../lib/errors.ts';
import { numberOf } from '../../lib/prometheus-text.ts';
import { type Clock, type MeasureQuery, type MetricSource, openingMeasurement } from '../../ports/index.ts';
import { PrometheusConnections, type ReadSecret } from './prometheus/access.ts';
import { growth, NotCounts, nameOf, newestMs, oldestMs, type Series, seriesIn } from './prometheus/samples.ts';
import { type Selectors, selectorsOf, serviceName } from './prometheus/selectors.ts';

type FromPrometheus = Extract<MetricsFrom, { kind: 'prometheus' }>;

export interface PrometheusMetricsDeps {
  readonly podsOf: (policy: ReleasePolicy) => PodsOfVersion;
  readonly clock: Clock;
  readonly readSecret: ReadSecret;
}

interface Cursor {
  /** Milliseconds since 1970: samples up to then have been counted. */
  readonly atMs: number;
  /** Restarts and out-of-memory kills by pod. */
  readonly ends: Readonly<Record<string, readonly [restarts: number, oomKills: number]>>;
}

/** Everything that was read for one window. */
interface Read {
  readonly fromMs: number;
  readonly toMs: number;
  readonly selectors: Selectors;
  readonly requests: readonly Series[];
  readonly bad: readonly Series[] | null;
  readonly latency: readonly Series[] | null;
}

const HISTORY_MS = 3_600_000;

export class PrometheusMetrics implements MetricSource {
  readonly #deps: PrometheusMetricsDeps;
  readonly #connections: PrometheusConnections;

  constructor(deps: PrometheusMetricsDeps) {
    this.#deps = deps;
    this.#connections = new PrometheusConnections(deps.readSecret, () => deps.clock.now().monotonicMs);
  }

  async measure(query: MeasureQuery): Promise<MeasurementResult> {
    const { policy, stable, canary, checks, cursor } = query;
    const from = sourceOf(policy);
    const toMs = Date.parse(this.#deps.clock.now().wallTime) - from.lagMs;
    const pods = this.#deps.podsOf(policy);
    const next = JSON.stringify(cursorAt(toMs, pods));
    if (cursor === null) return { kind: 'measurement', measurement: openingMeasurement(next) };
    const before = JSON.parse(cursor) as Cursor;
    if (toMs <= before.atMs) return { kind: 'none' };
    try {
      const read = await this.#read(policy, pods, { fromMs: before.atMs, toMs });
      const lacking = missingScrape(read, pods, [stable, canary], from.scrapeMs);
      if (lacking !== null) return { kind: 'error', message: lacking };
      if (!hasNews(read)) return { kind: 'none' };
      const versions = countsByVersion(policy, read, pods);
      const requests = Object.fromEntries(
        Object.entries(versions).map(([revision, counts]) => [revision, totalOf(counts)]),
      );
      const measurement: Measurement = {
        spanMs: toMs - before.atMs,
        readings: readingsOf({ versions, events: eventsByVersion(before, pods, toMs) }, checks, policy.errors),
        requests,
        ...(read.selectors.toldBy === 'pod' && policy.router.kind === 'replicaShare' ? {} : { drawn: requests }),
        users: {},
        cursor: next,
      };
      return { kind: 'measurement', measurement };
    } catch (error) {
      return { kind: 'error', message: wordsOf(error, from) };
    }
  }

  async history({ policy, stable, checks }: Omit<MeasureQuery, 'cursor' | 'canary'>): Promise<History> {
    const from = sourceOf(policy);
    const toMs = Date.parse(this.#deps.clock.now().wallTime) - from.lagMs;
    const pods = this.#deps.podsOf(policy);
    const read = await this.#read(policy, pods, { fromMs: toMs - HISTORY_MS, toMs });
    const versions = countsByVersion(policy, read, pods);
    const own = stable === null ? undefined : versions[stable];
    const known = stable === null || own === undefined ? {} : { [stable]: own };
    return { readings: readingsOf({ versions: known, events: {} }, checks, policy.errors) };
  }

  async #read(
    policy: ReleasePolicy,
    pods: PodsOfVersion,
    span: { readonly fromMs: number; readonly toMs: number },
  ): Promise<Read> {
    const from = sourceOf(policy);
    const { namespace } = policyKey(policy.name);
    const service = policy.router.kind === 'gateway' ? '' : policy.router.service;
    const names = Object.values(pods.byRevision).flatMap((own) => own.map(({ name }) => name));
    const values = { namespace, pods: names, service, canaryService: canaryName(service) };
    const selectors = selectorsOf(from.counters, values);
    // One sample from before the window is needed of each series, and a scrape may have failed.
    const range = Math.ceil((span.toMs - span.fromMs) / 1_000 + (4 * from.scrapeMs) / 1_000) + 1;
    const ask = async (selector: string): Promise<readonly Series[]> => {
      const form = { query: `${selector}[${range}s]`, time: String(span.toMs / 1_000) };
      return seriesIn(
        await this.#connections.ask({
          access: from.access,
          namespace,
          timeoutMs: from.timeoutMs,
          path: '/api/v1/query',
          form,
        }),
      );
    };
    const [requests, bad, latency] = await Promise.all([
      ask(selectors.requests),
      selectors.bad === null ? null : ask(selectors.bad),
      selectors.latency === null ? null : ask(selectors.latency),
    ]);
    return { ...span, selectors, requests, bad, latency };
  }
}

function sourceOf({ metrics, name }: ReleasePolicy): FromPrometheus {
  if (metrics.kind !== 'prometheus') throw new Error(`${name} is not measured by Prometheus`);
  return metrics;
}

function wordsOf(error: unknown, { access }: FromPrometheus): string {
  const why = error instanceof NotCounts ? error.message : describeError(error);
  return `Prometheus at ${access.address}: ${why}`;
}

function cursorAt(atMs: number, { byRevision }: PodsOfVersion): Cursor {
  const ends = Object.values(byRevision).flatMap((pods) =>
    pods.map(({ uid, restarts, oomKills }) => [uid, [restarts, oomKills]] as const),
  );
  return { atMs, ends: Object.fromEntries(ends) };
}

/** A pod that serves and was not scraped of late; null if there is none. Proxies are asked for as a whole. */
function missingScrape(
  { requests, selectors, toMs }: Read,
  { byRevision }: PodsOfVersion,
  revisions: readonly (Revision | null)[],
  scrapeMs: number,
): string | null {
  if (selectors.toldBy !== 'pod') {
    const newest = Math.max(...requests.map((series) => newestMs(series, toMs) ?? 0));
    return requests.length > 0 && toMs - newest > 3 * scrapeMs
      ? `the proxy was not scraped for ${Math.round((toMs - newest) / 1_000)} s`
      : null;
  }
  const newestByPod = new Map<string, number>();
  for (const series of requests) {
    const pod = series.labels.pod ?? '';
    newestByPod.set(pod, Math.max(newestByPod.get(pod) ?? 0, newestMs(series, toMs) ?? 0));
  }
  for (const revision of revisions) {
    for (const pod of revision === null ? [] : (byRevision[revision] ?? [])) {
      const isDue = pod.isReady && toMs - pod.startedAtMs > 6 * scrapeMs;
      const newest = newestByPod.get(pod.name);
      // A pod that never answered a request may have no counter yet; one whose counters stopped is a missing scrape.
      if (isDue && newest !== undefined && toMs - newest > 3 * scrapeMs) {
        return `pod ${pod.name} was not scraped for ${Math.round((toMs - newest) / 1_000)} s`;
      }
    }
  }
  return null;
}

/** Whether any sample is newer than the window's start: without one Prometheus has seen nothing of it yet. */
function hasNews({ requests, fromMs, toMs }: Read): boolean {
  return requests.some((series) => (newestMs(series, toMs) ?? 0) > fromMs);
}

function countsByVersion(
  policy: ReleasePolicy,
  read: Read,
  pods: PodsOfVersion,
): Readonly<Record<Revision, VersionCounts>> {
  const versionOf = teller(policy, read, pods);
  const counts = new Map<Revision, VersionCounts[]>();
  const add = (revision: Revision, own: VersionCounts) => counts.set(revision, [...(counts.get(revision) ?? []), own]);
  const bad = badBySeries(read, versionOf);
  for (const [revision, own] of grownBy(read, read.requests, versionOf)) {
    if (read.bad === null) {
      add(revision, {
        byStatus: new Map(
          own
            .map(({ labels, grown }) => [labels[read.selectors.statusLabel] ?? '', grown] as const)
            .reduce(summed, new Map<string, number>()),
        ),
        byBucket: null,
      });
    } else {
      const total = own.reduce((sum, { grown }) => sum + grown, 0);
      const errors = Math.min(total, bad.get(revision) ?? 0);
      add(revision, {
        byStatus: new Map([
          ['5xx', errors],
          ['2xx', total - errors],
        ]),
        byBucket: null,
      });
    }
  }
  for (const [revision, own] of grownBy(read, read.latency ?? [], versionOf)) {
    const cumulative = own
      .map(({ labels, grown }) => [numberOf(labels.le ?? '') * read.selectors.bucketSeconds, grown] as const)
      .reduce(summed, new Map<number, number>());
    add(revision, { byStatus: new Map(), byBucket: bucketsFrom(cumulative) });
  }
  return Object.fromEntries([...counts].map(([revision, own]) => [revision, added(own)]));
}

function summed<K>(sums: Map<K, number>, [key, count]: readonly [K, number]): Map<K, number> {
  return sums.set(key, (sums.get(key) ?? 0) + count);
}

function badBySeries(read: Read, versionOf: (series: Series) => Revision | null): ReadonlyMap<Revision, number> {
  const grown = grownBy(read, read.bad ?? [], versionOf);
  return new Map([...grown].map(([revision, own]) => [revision, own.reduce((sum, each) => sum + each.grown, 0)]));
}

interface Grown {
  readonly labels: Readonly<Record<string, string>>;
  readonly grown: number;
}

function grownBy(
  { fromMs, toMs, requests, selectors }: Read,
  series: readonly Series[],
  versionOf: (series: Series) => Revision | null,
): ReadonlyMap<Revision, readonly Grown[]> {
  // A proxy that was scraped before the window and had no such series then had counted nothing of it.
  const oldest = Math.min(...requests.map((each) => oldestMs(each) ?? Number.POSITIVE_INFINITY));
  const found = new Map<Revision, Grown[]>();
  for (const each of series) {
    const revision = versionOf(each);
    if (revision === null) continue;
    const isNew = selectors.toldBy === 'pod' ? isBornIn(each, fromMs) : oldest <= fromMs;
    found.set(revision, [
      ...(found.get(revision) ?? []),
      { labels: each.labels, grown: growth(each, fromMs, toMs, isNew) },
    ]);
  }
  return found;
}

/** No sample of it before the window: the pod's process, or this label of it, began in it. */
function isBornIn(series: Series, fromMs: number): boolean {
  return (oldestMs(series) ?? 0) > fromMs;
}

/** Which version a series is of; null: of neither. */
function teller(policy: ReleasePolicy, { selectors }: Read, pods: PodsOfVersion): (series: Series) => Revision | null {
  if (selectors.toldBy === 'pod') {
    const byName = new Map<string, Revision>();
    for (const [revision, own] of Object.entries(pods.byRevision))
      for (const { name } of own) byName.set(name, revision);
    return ({ labels }) => {
      if (labels.pod === undefined)
        throw new NotCounts(`${nameOf(labels)} has no label pod, so its version is not known`);
      return byName.get(labels.pod) ?? null;
    };
  }
  const proxy = selectors.toldBy;
  const service = policy.router.kind === 'gateway' ? '' : policy.router.service;
  const { namespace } = policyKey(policy.name);
  const isNamed = (name: string) => new RegExp(`^(?:${serviceName(proxy, namespace, name)})$`);
  const [isStable, isCanary] = [isNamed(service), isNamed(canaryName(service))];
  const label = proxy === 'traefik' ? 'service' : 'envoy_cluster_name';
  return ({ labels }) => {
    const told = labels[label] ?? '';
    if (isCanary.test(told)) return pods.canary;
    return isStable.test(told) ? pods.stable : null;
  };
}

function eventsByVersion(
  { atMs, ends }: Cursor,
  { byRevision }: PodsOfVersion,
  toMs: number,
): Readonly<Record<Revision, PodEvents>> {
  return Object.fromEntries(
    Object.entries(byRevision).map(([revision, pods]) => {
      const grown = (index: 0 | 1, now: (pod: SeenPod) => number) =>
        pods.reduce((sum, pod) => sum + Math.max(0, now(pod) - (ends[pod.uid]?.[index] ?? 0)), 0);
      const podSeconds = (pods.length * (toMs - atMs)) / 1_000;
      return [
        revision,
        { restarts: grown(0, (pod) => pod.restarts), oomKills: grown(1, (pod) => pod.oomKills), podSeconds },
      ];
    }),
  );
}
