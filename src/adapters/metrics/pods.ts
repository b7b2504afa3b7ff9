// Measurements with no Prometheus at all: the pods of both versions are asked themselves, all in the same moment (pods.md).
// What each had counted when a window ended is kept in the cursor, so that no request is counted twice or left out, whoever
// goes on. A pod that serves and does not answer makes the window an error; the next one holds what was missed.
import { request } from 'undici';
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
import { numberOf, parseMetricsText, type TextSample } from '../../lib/prometheus-text.ts';
import { type Clock, type MeasureQuery, type MetricSource, openingMeasurement } from '../../ports/index.ts';
import { decodeCursor, encodeCursor, type PodCounters, type PodsCursor } from './pods/cursor.ts';

type FromPods = Extract<MetricsFrom, { kind: 'pods' }>;

export interface PodScrapeDeps {
  readonly podsOf: (policy: ReleasePolicy) => PodsOfVersion;
  readonly clock: Clock;
  /** The text of a metrics endpoint; rejects if there is none. */
  readonly read?: (url: string, timeoutMs: number) => Promise<string>;
}

interface Scraped {
  readonly revision: Revision;
  readonly pod: SeenPod;
  readonly counters: PodCounters;
}

/** Pods say when they started in whole seconds. */
const START_GRAIN_MS = 1_000;
const MOST_BYTES = 16 * 1024 * 1024;

export class PodScrapeMetrics implements MetricSource {
  readonly #deps: PodScrapeDeps;

  constructor(deps: PodScrapeDeps) {
    this.#deps = deps;
  }

  async measure({ policy, stable, canary, checks, cursor }: MeasureQuery): Promise<MeasurementResult> {
    const from = sourceOf(policy);
    const now = this.#deps.clock.now();
    const nowMs = Date.parse(now.wallTime);
    let scraped: readonly Scraped[];
    try {
      scraped = await this.#scrapeAll(policy, from, [stable, canary]);
    } catch (error) {
      return { kind: 'error', message: describeError(error) };
    }
    if (scraped.length === 0) return { kind: 'none' };
    const before = cursor === null ? null : decodeCursor(cursor);
    const next = encodeCursor({ atMs: nowMs, pods: { ...this.#silent(policy, before), ...countersOf(scraped) } });
    if (before === null) return { kind: 'measurement', measurement: openingMeasurement(next) };
    const versions = countsByVersion(scraped, before);
    const measurement: Measurement = {
      spanMs: Math.max(0, nowMs - before.atMs),
      readings: readingsOf({ versions, events: eventsByVersion(scraped, before, nowMs) }, checks, policy.errors),
      requests: Object.fromEntries(Object.entries(versions).map(([revision, counts]) => [revision, totalOf(counts)])),
      users: {},
      cursor: next,
    };
    return { kind: 'measurement', measurement };
  }

  /** Pods that are there and were not asked, since they are not ready now: what they had counted is still theirs. */
  #silent(policy: ReleasePolicy, before: PodsCursor | null): Record<string, PodCounters> {
    const there = Object.values(this.#deps.podsOf(policy).byRevision).flatMap((pods) => pods.map(({ uid }) => uid));
    const known = Object.entries(before?.pods ?? {}).filter(([uid]) => there.includes(uid));
    return Object.fromEntries(known);
  }

  /** All that stable's pods have counted since they started: its latency as it was. */
  async history({ policy, stable, checks }: Omit<MeasureQuery, 'cursor' | 'canary'>): Promise<History> {
    const scraped = await this.#scrapeAll(policy, sourceOf(policy), [stable]);
    const byRevision = Map.groupBy(scraped, ({ revision }) => revision);
    const versions = Object.fromEntries(
      [...byRevision].map(([revision, own]) => [revision, added(own.map(({ counters }) => countsOf(counters)))]),
    );
    return { readings: readingsOf({ versions, events: {} }, checks, policy.errors) };
  }

  async #scrapeAll(
    policy: ReleasePolicy,
    from: FromPods,
    revisions: readonly (Revision | null)[],
  ): Promise<readonly Scraped[]> {
    const { byRevision } = this.#deps.podsOf(policy);
    const wanted = revisions.flatMap((revision) =>
      revision === null
        ? []
        : (byRevision[revision] ?? [])
            .filter(({ isReady, address }) => isReady && address !== '')
            .map((pod) => ({ revision, pod })),
    );
    return Promise.all(
      wanted.map(async ({ revision, pod }) => {
        const host = pod.address.includes(':') ? `[${pod.address}]` : pod.address;
        const url = `http://${host}:${from.port ?? 8080}${from.path}`;
        try {
          const text = await (this.#deps.read ?? readText)(url, from.timeoutMs);
          return {
            revision,
            pod,
            counters: { ...countersIn(text, from.counters), restarts: pod.restarts, oomKills: pod.oomKills },
          };
        } catch (error) {
          throw new Error(`pod ${pod.name} cannot be asked at ${url}: ${describeError(error)}`, { cause: error });
        }
      }),
    );
  }
}

function countersOf(scraped: readonly Scraped[]): Record<string, PodCounters> {
  return Object.fromEntries(scraped.map(({ pod, counters }) => [pod.uid, counters]));
}

function sourceOf({ metrics, name }: ReleasePolicy): FromPods {
  if (metrics.kind !== 'pods') throw new Error(`${name} is not measured at its pods`);
  return metrics;
}

async function readText(url: string, timeoutMs: number): Promise<string> {
  const response = await request(url, {
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.statusCode !== 200) {
    await response.body.dump();
    throw new Error(`status ${response.statusCode}`);
  }
  let text = '';
  for await (const chunk of response.body.setEncoding('utf8')) {
    text += chunk;
    if (text.length > MOST_BYTES) throw new Error('its answer is too long');
  }
  return text;
}

function countersIn(text: string, counters: FromPods['counters']): Pick<PodCounters, 'byStatus' | 'byBucket'> {
  const bucket = counters.latency === null ? null : `${counters.latency}_bucket`;
  const samples = parseMetricsText(text, new Set([counters.requests, ...(bucket === null ? [] : [bucket])]));
  const byStatus: Record<string, number> = {};
  const byBucket: Record<string, number> = {};
  for (const sample of samples) {
    const value = countIn(sample);
    if (sample.name === counters.requests) {
      const status = sample.labels[counters.statusLabel] ?? '';
      byStatus[status] = (byStatus[status] ?? 0) + value;
    } else {
      const end = sample.labels.le ?? '';
      byBucket[end] = (byBucket[end] ?? 0) + value;
    }
  }
  return { byStatus, byBucket: bucket === null ? null : byBucket };
}

function countIn({ name, value }: TextSample): number {
  if (Number.isFinite(value) && value >= 0) return value;
  throw new Error(`${name} is ${value}, which is no count`);
}

function countsByVersion(scraped: readonly Scraped[], before: PodsCursor): Readonly<Record<Revision, VersionCounts>> {
  const byRevision = Map.groupBy(scraped, ({ revision }) => revision);
  return Object.fromEntries(
    [...byRevision].map(([revision, own]) => [revision, added(own.map((each) => increments(each, before)))]),
  );
}

/** A pod that was not there when the window began has counted all of it since. */
function increments({ pod, counters }: Scraped, before: PodsCursor): VersionCounts {
  const last = before.pods[pod.uid];
  if (last === undefined && pod.startedAtMs < before.atMs - START_GRAIN_MS)
    return countsOf({ ...counters, byStatus: {}, byBucket: counters.byBucket === null ? null : {} });
  return countsOf({
    ...counters,
    byStatus: grown(counters.byStatus, last?.byStatus ?? {}),
    byBucket: counters.byBucket === null ? null : grown(counters.byBucket, last?.byBucket ?? {}),
  });
}

/** A counter below what it was has started anew. If one of them has, all have: they are one process's. */
function grown(now: Readonly<Record<string, number>>, last: Readonly<Record<string, number>>): Record<string, number> {
  const isReset = Object.entries(last).some(([key, value]) => (now[key] ?? 0) < value);
  return Object.fromEntries(
    Object.entries(now).map(([key, value]) => [key, isReset ? value : value - (last[key] ?? 0)]),
  );
}

function countsOf({ byStatus, byBucket }: PodCounters): VersionCounts {
  return {
    byStatus: new Map(Object.entries(byStatus)),
    byBucket:
      byBucket === null
        ? null
        : bucketsFrom(new Map(Object.entries(byBucket).map(([end, count]) => [numberOf(end), count]))),
  };
}

function eventsByVersion(
  scraped: readonly Scraped[],
  before: PodsCursor,
  nowMs: number,
): Readonly<Record<Revision, PodEvents>> {
  const byRevision = Map.groupBy(scraped, ({ revision }) => revision);
  return Object.fromEntries(
    [...byRevision].map(([revision, own]) => {
      const grownBy = (key: 'restarts' | 'oomKills') =>
        own.reduce(
          (sum, { pod, counters }) => sum + Math.max(0, counters[key] - (before.pods[pod.uid]?.[key] ?? 0)),
          0,
        );
      const podSeconds = (own.length * Math.max(0, nowMs - before.atMs)) / 1_000;
      return [revision, { restarts: grownBy('restarts'), oomKills: grownBy('oomKills'), podSeconds }];
    }),
  );
}
