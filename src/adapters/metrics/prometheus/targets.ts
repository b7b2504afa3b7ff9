// The targets behind the series (a pod, a proxy), what each counted from the scrape where the last window ended up to its
// newest one, and where the next window starts. Pure. A scrape is taken whole or not at all, so what comes late is not
// lost, and nothing counts twice. A fall of one counter is a new start of all that begin with it: of a pod all its counters,
// of a proxy those of one Service, which it drops and makes anew with each route while the others go on.

import type { Mark } from './cursor.ts';
import { hasBy, newestMs, type Series } from './samples.ts';

export interface Target {
  readonly key: string;
  /** The label `pod`. */
  readonly pod: string | null;
  /** For words: "pod web-1", or "proxy traefik:8082". */
  readonly title: string;
  readonly all: readonly Series[];
  readonly others: readonly Series[];
  /** Of its scrapes, 1 for each that succeeded. */
  readonly up: readonly Series[];
  /** When its process began, in seconds since 1970, where it tells. */
  readonly births: readonly Series[];
}

/** Scrapes of one target. */
export interface Counted {
  readonly target: Target;
  /** Counted before: up to and with this one. */
  readonly sinceMs: number;
  readonly untilMs: number;
  /** A series without a sample before counts from 0; otherwise its first sample only opens it. */
  readonly fromZero: boolean;
  /** Scrapes at which it had started anew. */
  readonly starts: readonly number[];
  /** Scrapes at which some of its counters had, by what they begin with. */
  readonly falls: ReadonlyMap<string, readonly number[]>;
  readonly hasNews: boolean;
  readonly next: Mark | undefined;
  /** What is not known of this window, in words; null: nothing. The next one is not concerned. */
  readonly unknown: string | null;
}

export interface Since {
  /** Of targets without a mark. */
  readonly fromMs: number;
  readonly marks: Readonly<Record<string, Mark>>;
  /** What came after it has counted nothing before. */
  readonly openedMs: number;
  readonly podStartedMs: (pod: string) => number;
  readonly toMs: number;
  readonly scrapeMs: number;
}

/** What tells apart where the same counters were read, whoever read them. */
const PLACE = [
  'job',
  'instance',
  'container',
  'endpoint',
  'prometheus',
  'prometheus_replica',
  'replica',
  'receive_replica',
];

export function keyOf(labels: Series['labels'], byPod: boolean): string {
  const place = PLACE.flatMap((label) => (labels[label] === undefined ? [] : [labels[label]]));
  return [...(byPod ? [labels.pod ?? ''] : []), ...place].join(' ');
}

export interface Answered {
  readonly all: readonly Series[];
  readonly others: readonly Series[];
  readonly up: readonly Series[];
  readonly births: readonly Series[];
}

export function targetsIn({ all, others, up, births }: Answered, byPod: boolean): readonly Target[] {
  const of = (list: readonly Series[]) => Map.groupBy(list, ({ labels }) => keyOf(labels, byPod));
  const [ofAll, ofOthers] = [of(all), of(others)];
  const place = ({ job, instance }: Series['labels']) => `${job} ${instance}`;
  const [ups, born] = [up, births].map((list) => Map.groupBy(list, ({ labels }) => place(labels)));
  return [...new Set([...ofAll.keys(), ...ofOthers.keys()])].map((key) => {
    const own = ofAll.get(key) ?? [];
    const rest = ofOthers.get(key) ?? [];
    const labels = (own[0] ?? rest[0])?.labels ?? {};
    const pod = byPod ? (labels.pod ?? null) : null;
    const title = pod === null ? `proxy ${labels.instance ?? key}` : `pod ${pod}`;
    const at = place(labels);
    return { key, pod, title, all: own, others: rest, up: ups?.get(at) ?? [], births: born?.get(at) ?? [] };
  });
}

/** Pods that were scraped and have no series yet. */
export function silentTargets(up: readonly Series[], known: readonly Target[]): readonly Target[] {
  const pods = new Set(known.map(({ pod }) => pod));
  const silent = up.filter(({ labels }) => labels.pod !== undefined && !pods.has(labels.pod));
  return [...Map.groupBy(silent, ({ labels }) => keyOf(labels, true))].map(([key, own]) => {
    const pod = own[0]?.labels.pod ?? '';
    return { key, pod, title: `pod ${pod}`, all: [], others: [], up: own, births: [] };
  });
}

export function countedOf(target: Target, since: Since): Counted {
  const { fromMs, marks, toMs, scrapeMs } = since;
  const mark = marks[target.key];
  const sinceMs = mark?.atMs ?? fromMs;
  const own = target.all.length > 0 ? target.all : target.others;
  const newest = Math.max(...own.map((series) => newestMs(series, toMs) ?? 0), 0);
  // Of the newest scrapes the series may not have been there yet when they were asked for.
  const empty = emptyScrapes(target, own, toMs - scrapeMs);
  const untilMs = Math.max(sinceMs, newest, empty.at(-1) ?? 0);
  const hasPast = [...own, ...target.up].some((series) => hasBy(series, sinceMs));
  const isWhole = mark === undefined || (hasPast && totalAt(own, mark.atMs) === mark.total);
  const isNew = mark === undefined && isYoung(target, since);
  const fallen = fallsOf(target, sinceMs, untilMs);
  const starts = [...new Set([...empty, ...births(target)])];
  return {
    target,
    sinceMs,
    untilMs,
    fromZero: isWhole && (hasPast || isNew),
    starts,
    falls: fallen,
    hasNews: untilMs > sinceMs,
    next: untilMs > sinceMs ? { atMs: untilMs, total: totalAt(own, untilMs) } : mark,
    unknown: isWhole
      ? unseen(target, [...starts, ...[...fallen.values()].flat()], sinceMs, 3 * scrapeMs)
      : `${target.title}: the samples that were counted up to are gone, so what came after them is not known`,
  };
}

/** It began after counting did: the pod, or the process that was scraped first. */
function isYoung({ pod, births: born }: Target, { openedMs, podStartedMs }: Since): boolean {
  const bornMs = (born[0]?.samples[0]?.[1] ?? 0) * 1_000;
  return bornMs >= openedMs || (pod !== null && podStartedMs(pod) >= openedMs);
}

/** Scrapes that were the first of a new process. */
function births({ births: born }: Target): readonly number[] {
  return born.flatMap(({ samples }) =>
    samples.flatMap(([atMs, value], i) => (value > (samples[i - 1]?.[1] ?? value) ? [atMs] : [])),
  );
}

/** Scrapes that succeeded and found no series of it: its process was new, or has started anew. */
function emptyScrapes({ up }: Target, own: readonly Series[], toMs: number): readonly number[] {
  const full = new Set(own.flatMap(({ samples }) => samples.map(([atMs]) => atMs)));
  return scrapesOf(up).filter((atMs) => atMs <= toMs && !full.has(atMs));
}

function scrapesOf(up: readonly Series[]): readonly number[] {
  return up
    .flatMap(({ samples }) => samples.flatMap(([atMs, value]) => (value === 1 ? [atMs] : [])))
    .sort((a, b) => a - b);
}

function totalAt(series: readonly Series[], atMs: number): number {
  return series.reduce((sum, { samples }) => sum + (samples.find(([at]) => at === atMs)?.[1] ?? 0), 0);
}

/** What begins with a series: in a pod everything; in a proxy its Service, in the words of those that are known, else nothing. */
function beginsWith({ pod }: Target, { labels }: Pick<Series, 'labels'>): string {
  if (pod !== null) return 'pod';
  const service = labels.service ?? labels.envoy_cluster_name;
  return service ?? JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function fallsOf(target: Target, sinceMs: number, untilMs: number): ReadonlyMap<string, readonly number[]> {
  const together = Map.groupBy([...target.all, ...target.others], (series) => beginsWith(target, series));
  return new Map([...together].map(([name, series]) => [name, falls(series, sinceMs, untilMs)]));
}

/** Scrapes at which a counter was below what it had been. */
function falls(series: readonly Series[], sinceMs: number, untilMs: number): readonly number[] {
  const found = new Set<number>();
  for (const { samples } of series) {
    samples.forEach(([atMs, value], index) => {
      const before = samples[index - 1]?.[1] ?? 0;
      if (atMs > sinceMs && atMs <= untilMs && value < before) found.add(atMs);
    });
  }
  return [...found];
}

/** A new start long after the scrape before: what was counted in between went with the old process. */
function unseen(target: Target, starts: readonly number[], sinceMs: number, mostMs: number): string | null {
  const own = [...target.all, ...target.others].flatMap(({ samples }) => samples.map(([atMs]) => atMs));
  const scrapes = [...own, ...scrapesOf(target.up)].sort((a, b) => a - b);
  for (const start of starts) {
    const before = scrapes.findLast((atMs) => atMs < start);
    if (start <= sinceMs || before === undefined || start - before <= mostMs) continue;
    const seconds = Math.round((start - before) / 1_000);
    return `${target.title} started anew between scrapes ${seconds} s apart: what it had counted in between is not known`;
  }
  return null;
}

/** What a counter has grown by, scrape by scrape. */
export function* steps(series: Series, counted: Counted): Generator<readonly [atMs: number, grown: number]> {
  const { sinceMs, untilMs, fromZero, target, falls: fallen } = counted;
  const starts = [...counted.starts, ...(fallen.get(beginsWith(target, series)) ?? [])];
  let before: readonly [number, number] | null = null;
  for (const [atMs, value] of series.samples) {
    if (atMs > untilMs) return;
    if (atMs > sinceMs) {
      const [lastMs, last]: readonly [number, number] = before ?? [atMs, fromZero ? 0 : value];
      const isAnew = value < last || starts.some((start) => start > lastMs && start <= atMs);
      yield [atMs, isAnew ? value : value - last];
    }
    before = [atMs, value];
  }
}

export function growth(series: Series, counted: Counted): number {
  let sum = 0;
  for (const [, grown] of steps(series, counted)) sum += grown;
  return sum;
}
