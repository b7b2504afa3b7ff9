// Measurements with no Prometheus at all: the pods of both versions are asked themselves, all in the same moment (pods.md).
// What each had counted when a window ended is kept in the cursor, so that no request is counted twice or left out, whoever
// goes on. A pod that serves and does not answer makes the window an error; the next one holds what was missed. It never
// throws.
import { request } from 'undici';
import { podEvents } from '../../cluster/pod-events.ts';
import type { PodsOfVersion, SeenPod } from '../../cluster/pods.ts';
import { added, readingsOf, totalOf, type VersionCounts } from '../../cluster/version-counts.ts';
import { measuredChecks } from '../../core/model/check-expansion.ts';
import type { History, MeasurementResult, Reading } from '../../core/model/measurement.ts';
import type { MetricsFrom, ReleasePolicy } from '../../core/model/policy.ts';
import type { Revision } from '../../core/model/split.ts';
import { describeError } from '../../lib/errors.ts';
import { type Clock, type MeasureQuery, type MetricSource, openingMeasurement } from '../../ports/index.ts';
import { countersIn, countsOf, grown } from './pods/counters.ts';
import { formatCursor, type PodMark, type PodsCursor, type ProcessCounters, parseCursor } from './pods/cursor.ts';

type FromPods = Extract<MetricsFrom, { kind: 'pods' }>;

export interface PodScrapeDeps {
  readonly podsOf: (policy: ReleasePolicy) => PodsOfVersion | Promise<PodsOfVersion>;
  readonly clock: Clock;
  /** The text of a metrics endpoint; rejects if there is none. */
  readonly read?: (url: string, timeoutMs: number) => Promise<string>;
}

interface Scraped {
  readonly revision: Revision;
  readonly pod: SeenPod;
  /** null: it does not serve, and did not answer. */
  readonly counters: ProcessCounters | null;
}

const MOST_BYTES = 16 * 1024 * 1024;
const HTTP_PORT = 8080;

export class PodScrapeMetrics implements MetricSource {
  readonly #deps: PodScrapeDeps;

  constructor(deps: PodScrapeDeps) {
    this.#deps = deps;
  }

  async measure(query: MeasureQuery): Promise<MeasurementResult> {
    try {
      return await this.#measure(query);
    } catch (error) {
      return { kind: 'error', message: describeError(error) };
    }
  }

  /** All that stable's pods have counted since they started: its latency as it was. */
  async history({ policy, stable, checks: asked }: Omit<MeasureQuery, 'cursor' | 'canary'>): Promise<History> {
    const checks = measuredChecks(asked);
    const same = (reading: Reading) => ({ readings: Object.fromEntries(checks.map(({ name }) => [name, reading])) });
    if (stable === null) return same({ kind: 'no-data', message: 'there is no stable version yet' });
    try {
      const pods = await this.#deps.podsOf(policy);
      const scraped = await this.#scrapeAll(policy, pods, [stable]);
      const read = scraped.flatMap(({ counters }) => (counters === null ? [] : [countsOf(counters)]));
      const toMs = Date.parse(this.#deps.clock.now().wallTime);
      const fromMs = Math.min(toMs, ...(pods.byRevision[stable] ?? []).map(({ startedAtMs }) => startedAtMs || toMs));
      const events = podEvents(pods, [stable], () => 0, { fromMs, toMs });
      const versions = read.length === 0 ? {} : { [stable]: added(read) };
      return { readings: readingsOf({ versions, events }, checks, policy.errors) };
    } catch (error) {
      return same({ kind: 'error', message: describeError(error) });
    }
  }

  async #measure({ policy, stable, canary, checks: asked, cursor }: MeasureQuery): Promise<MeasurementResult> {
    const before = cursor === null ? null : parseCursor(cursor);
    if (cursor !== null && before === null) {
      return { kind: 'error', message: 'the place where reading stopped is not one of this source' };
    }
    const revisions = stable === null || stable === canary ? [canary] : [stable, canary];
    const pods = await this.#deps.podsOf(policy);
    const scraped = await this.#scrapeAll(policy, pods, revisions);
    const atMs = Date.parse(this.#deps.clock.now().wallTime);
    const marks = Object.fromEntries(scraped.map((each) => [each.pod.uid, markOf(each, before)]));
    const next = formatCursor({ openedMs: before?.openedMs ?? atMs, atMs, pods: marks });
    if (before === null) return { kind: 'measurement', measurement: openingMeasurement(next) };
    if (atMs <= before.atMs) return { kind: 'none' };
    const versions = countsByVersion(scraped, before);
    const span = { fromMs: before.atMs, toMs: atMs };
    const events = podEvents(pods, revisions, ({ uid }) => before.pods[uid]?.restarts, span);
    return {
      kind: 'measurement',
      measurement: {
        spanMs: atMs - before.atMs,
        readings: readingsOf({ versions, events }, measuredChecks(asked), policy.errors),
        requests: Object.fromEntries(Object.entries(versions).map(([revision, counts]) => [revision, totalOf(counts)])),
        users: {},
        cursor: next,
      },
    };
  }

  /** Those that do not serve may have, a moment ago: they are asked, too, and need not answer. */
  async #scrapeAll(
    policy: ReleasePolicy,
    { byRevision }: PodsOfVersion,
    revisions: readonly Revision[],
  ): Promise<readonly Scraped[]> {
    const from = sourceOf(policy);
    const wanted = revisions.flatMap((revision) => (byRevision[revision] ?? []).map((pod) => ({ revision, pod })));
    return Promise.all(
      wanted.map(async ({ revision, pod }) => {
        try {
          return { revision, pod, counters: await this.#scrape(policy, from, pod) };
        } catch (error) {
          if (!pod.isReady) return { revision, pod, counters: null };
          throw new Error(`pod ${pod.name} cannot be asked: ${describeError(error)}`, { cause: error });
        }
      }),
    );
  }

  async #scrape(policy: ReleasePolicy, from: FromPods, { address, metricsPort }: SeenPod): Promise<ProcessCounters> {
    if (address === '') throw new Error('it has no address');
    const host = address.includes(':') ? `[${address}]` : address;
    const url = `http://${host}:${from.port ?? metricsPort ?? HTTP_PORT}${from.path}`;
    try {
      return countersIn(await (this.#deps.read ?? readText)(url, from.timeoutMs), from.counters, policy.errors);
    } catch (error) {
      throw new Error(`${url}: ${describeError(error)}`, { cause: error });
    }
  }
}

function sourceOf({ metrics, name }: ReleasePolicy): FromPods {
  if (metrics.kind !== 'pods') throw new Error(`${name} is not measured at its pods`);
  return metrics;
}

/** Redirects are not followed: a pod tells its own counters. */
async function readText(url: string, timeoutMs: number): Promise<string> {
  const { statusCode, body } = await request(url, {
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (statusCode !== 200) {
    await body.dump();
    throw new Error(`status ${statusCode}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error('its answer is longer than 16 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** What was not read now is counted from where it was. */
function markOf({ pod, counters }: Scraped, before: PodsCursor | null): PodMark {
  return { restarts: pod.restarts, counters: counters ?? before?.pods[pod.uid]?.counters ?? null };
}

function countsByVersion(scraped: readonly Scraped[], before: PodsCursor): Readonly<Record<Revision, VersionCounts>> {
  const byRevision = Map.groupBy(scraped, ({ revision }) => revision);
  return Object.fromEntries(
    [...byRevision].flatMap(([revision, own]) => {
      const counts = own.flatMap((each) => increments(each, before) ?? []);
      return counts.length === 0 ? [] : [[revision, added(counts)] as const];
    }),
  );
}

/** A pod that came after counting began counts from 0; of one that was there before and is read first, it opens only. */
function increments({ pod, counters }: Scraped, before: PodsCursor): VersionCounts | null {
  if (counters === null) return null;
  const last = before.pods[pod.uid]?.counters ?? null;
  if (last === null && !(pod.startedAtMs >= before.openedMs)) return countsOf(grown(counters, counters));
  return countsOf(grown(counters, last));
}
