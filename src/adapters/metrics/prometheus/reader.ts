// One look at Prometheus: what is asked, in an order in which no answer can be older than the one it is cut by, and what
// each target counted of it. It refuses nothing that is only incomplete: see complete.ts.
import { policyKey } from '../../../cluster/names.ts';
import type { PodsOfVersion } from '../../../cluster/pods.ts';
import type { MetricsFrom, ReleasePolicy } from '../../../core/model/policy.ts';
import type { Revision } from '../../../core/model/split.ts';
import { PrometheusConnections, type ReadSecret } from './access.ts';
import type { Answers } from './complete.ts';
import { type OwnSeries, ownSeries } from './counts.ts';
import type { PrometheusCursor } from './cursor.ts';
import { type Question, type Questions, questionsOf, textOf } from './questions.ts';
import { NotCounts, type Series, seriesIn } from './samples.ts';
import { anyOf, formatSelector, type Matcher } from './selector-text.ts';
import { type Counted, countedOf, silentTargets, targetsIn } from './targets.ts';

export type FromPrometheus = Extract<MetricsFrom, { kind: 'prometheus' }>;

export function sourceOf({ metrics, name }: ReleasePolicy): FromPrometheus {
  if (metrics.kind !== 'prometheus') throw new NotCounts(`${name} is not measured by Prometheus`);
  return metrics;
}

export interface LookQuery {
  readonly policy: ReleasePolicy;
  readonly pods: PodsOfVersion;
  readonly revisions: readonly Revision[];
  readonly before: PrometheusCursor;
  readonly toMs: number;
  readonly known: PrometheusCursor['pods'];
  readonly wantsLatency: boolean;
}

export interface Looked extends Answers {
  readonly questions: Questions;
  readonly own: readonly OwnSeries[];
  /** By target. */
  readonly counted: ReadonlyMap<string, Counted>;
  readonly before: PrometheusCursor;
  readonly pods: PrometheusCursor['pods'];
}

const MOST_BACK_MS = 3_600_000;
/** Of a process, in seconds since 1970: most clients show it. */
const BIRTH = 'process_start_time_seconds';

interface Range {
  readonly from: FromPrometheus;
  readonly namespace: string;
  readonly seconds: number;
  readonly toMs: number;
}

export class PrometheusReader {
  readonly #connections: PrometheusConnections;

  constructor(readSecret: ReadSecret, nowMs: () => number) {
    this.#connections = new PrometheusConnections(readSecret, nowMs);
  }

  close(): Promise<void> {
    return this.#connections.close();
  }

  async look({ policy, pods, revisions, before, toMs, known, wantsLatency }: LookQuery): Promise<Looked> {
    const from = sourceOf(policy);
    const questions = questionsOf({
      policy,
      counters: from.counters,
      stable: pods.stable,
      canary: pods.canary,
      revisions,
      pods: new Map(Object.entries(known).map(([name, { revision }]) => [name, revision])),
      wantsLatency,
    });
    const range = { from, namespace: policyKey(policy.name).namespace, seconds: secondsBack(before, toMs, from), toMs };
    const ask = async (question: Question) => ({ question, series: await this.#ask(range, textOf(question)) });
    const isAll = ({ role }: Question) => role === 'all';
    const all = await Promise.all(questions.all.filter(isAll).map(ask));
    // Asked for after, so that they hold at least the scrapes that the requests are counted up to.
    const [scrapes, ...others] = await Promise.all([
      this.#scrapes(
        range,
        all.flatMap(({ series }) => series),
        questions.byPod ? Object.keys(known) : null,
      ),
      ...questions.all.filter((question) => !isAll(question)).map(ask),
    ]);
    const [up, births] = [named(scrapes, 'up'), named(scrapes, BIRTH)];
    const own = ownSeries([...all, ...others]);
    const [ofAll, ofOthers] = [own.filter(({ role }) => role === 'all'), own.filter(({ role }) => role !== 'all')];
    const { byPod } = questions;
    const seen = targetsIn({ all: ofAll.map(seriesOf), others: ofOthers.map(seriesOf), up, births }, byPod);
    const targets = byPod ? [...seen, ...silentTargets(up, seen)] : seen;
    const since = {
      fromMs: before.atMs,
      marks: before.marks,
      openedMs: before.openedMs,
      podStartedMs: (pod: string) => known[pod]?.startedAtMs ?? 0,
      toMs,
      scrapeMs: from.scrapeMs,
    };
    const counted = new Map(targets.map((target) => [target.key, countedOf(target, since)]));
    return { questions, own, targets, up, counted, before, pods: known, byPod, toMs, scrapeMs: from.scrapeMs };
  }

  /**
   * Which scrapes succeeded, as Prometheus keeps it of every target, and when its process began, where it tells; nothing,
   * where neither is kept.
   */
  async #scrapes(range: Range, all: readonly Series[], pods: readonly string[] | null): Promise<readonly Series[]> {
    const values = (label: string) => [...new Set(all.flatMap(({ labels }) => labels[label] ?? []))];
    const one = (label: string, list: readonly string[]): Matcher => ({ label, op: '=~', value: anyOf(list) });
    const places = [values('job'), values('instance')] as const;
    if (pods === null ? places.some((list) => list.length === 0) : pods.length === 0) return [];
    const matchers: readonly Matcher[] =
      pods === null
        ? [one('job', places[0]), one('instance', places[1])]
        : [{ label: 'namespace', op: '=', value: range.namespace }, one('pod', pods)];
    const name: Matcher = { label: '__name__', op: '=~', value: `up|${BIRTH}` };
    return this.#ask(range, formatSelector({ name: '', matchers: [name, ...matchers] }), Number.isFinite);
  }

  async #ask(
    { from, namespace, seconds, toMs }: Range,
    selector: string,
    isValue?: (value: number) => boolean,
  ): Promise<readonly Series[]> {
    const { access, timeoutMs } = from;
    const form = { query: `${selector}[${seconds}s]`, time: String(toMs / 1_000) };
    const body = await this.#connections.ask({ access, namespace, timeoutMs, path: '/api/v1/query', form });
    try {
      return seriesIn(body, isValue);
    } catch (error) {
      if (!(error instanceof NotCounts)) throw error;
      throw new NotCounts(`asked for ${selector.split('{')[0] || 'up'}, ${error.message}`);
    }
  }
}

const named = (all: readonly Series[], name: string) => all.filter(({ labels }) => labels.__name__ === name);

const seriesOf = ({ series }: OwnSeries) => series;

/** Up to the oldest scrape that somebody counts on from, and a few before: one may have failed. */
function secondsBack({ atMs, marks }: PrometheusCursor, toMs: number, { scrapeMs }: FromPrometheus): number {
  const oldest = Math.min(atMs, ...Object.values(marks).map((mark) => mark.atMs));
  const reach = Math.max(oldest, toMs - 2 * MOST_BACK_MS);
  return Math.ceil((toMs - reach + 4 * scrapeMs) / 1_000) + 1;
}
