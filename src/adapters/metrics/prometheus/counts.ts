// From the series of an answer to what was counted of each version. Pure. It refuses what would make a check unable to
// fail: a status nobody can read, buckets that are none, more errors than requests, and series that are of both versions.
import { readStatus, statusTrouble } from '../../../cluster/request-status.ts';
import { added, bucketsFrom, type VersionCounts } from '../../../cluster/version-counts.ts';
import type { ErrorDefinition } from '../../../core/model/check.ts';
import type { Revision } from '../../../core/model/split.ts';
import { numberOf } from '../../../lib/prometheus-text.ts';
import type { Question, Questions } from './questions.ts';
import { NotCounts, nameOf, type Series } from './samples.ts';
import { type Counted, growth, keyOf } from './targets.ts';

/** One series of an answer, with the version it is of. */
export interface OwnSeries {
  readonly revision: Revision;
  readonly role: Question['role'];
  readonly series: Series;
}

/** Each with its version; those of neither are left out. */
export function ownSeries(answers: readonly { question: Question; series: readonly Series[] }[]): readonly OwnSeries[] {
  const versions = new Map<string, Revision>();
  return answers.flatMap(({ question, series }) =>
    series.flatMap((each): readonly OwnSeries[] => {
      const revision = question.versionOf(each.labels);
      if (revision === null) return [];
      const identity = JSON.stringify(Object.entries(each.labels).sort(([a], [b]) => (a < b ? -1 : 1)));
      if ((versions.get(identity) ?? revision) !== revision) {
        throw new NotCounts(`${nameOf(each.labels)} is of both versions, and nothing tells them apart`);
      }
      versions.set(identity, revision);
      return [{ revision, role: question.role, series: each }];
    }),
  );
}

export interface Counting {
  readonly questions: Pick<Questions, 'byPod' | 'statusLabel' | 'perSecond'>;
  readonly errors: ErrorDefinition;
  readonly counted: ReadonlyMap<string, Counted>;
}

/** Errors told by a question of their own are written as this, whatever the policy calls an error. */
export const BY_QUESTION: Pick<ErrorDefinition, 'statusClasses' | 'statusCodes'> = {
  statusClasses: ['5xx'],
  statusCodes: [],
};

export function countsByVersion(
  own: readonly OwnSeries[],
  counting: Counting,
): Readonly<Record<Revision, VersionCounts>> {
  const byVersion = Map.groupBy(own, ({ revision }) => revision);
  return Object.fromEntries([...byVersion].map(([revision, series]) => [revision, countsOf(series, counting)]));
}

function countsOf(own: readonly OwnSeries[], counting: Counting): VersionCounts {
  const of = (role: Question['role']) => own.flatMap((each) => (each.role === role ? [each.series] : []));
  const byStatus =
    counting.questions.statusLabel === null
      ? toldByQuestion(of('all'), of('bad'), counting)
      : toldByStatus(of('all'), counting.questions.statusLabel, counting);
  return added([{ byStatus, byBucket: null }, ...latencies(of('latency'), counting)]);
}

function grown(series: Series, { counted, questions }: Counting): number {
  const of = counted.get(keyOf(series.labels, questions.byPod));
  return of === undefined ? 0 : growth(series, of);
}

function toldByStatus(all: readonly Series[], label: string, counting: Counting): ReadonlyMap<string, number> {
  const byStatus = new Map<string, number>();
  for (const series of all) {
    const count = grown(series, counting);
    if (count === 0) continue;
    const text = series.labels[label];
    const trouble = statusTrouble(text, counting.errors);
    if (trouble !== null) throw new NotCounts(`the label ${label} of ${nameOf(series.labels)} ${trouble}`);
    const status = readStatus(text ?? '');
    byStatus.set(status, (byStatus.get(status) ?? 0) + count);
  }
  return byStatus;
}

function toldByQuestion(
  all: readonly Series[],
  bad: readonly Series[],
  counting: Counting,
): ReadonlyMap<string, number> {
  const sum = (list: readonly Series[]) => list.reduce((total, series) => total + grown(series, counting), 0);
  const [total, errors] = [sum(all), sum(bad)];
  if (errors > total) {
    throw new NotCounts(`the query of bad requests counted ${errors}, and that of all only ${total}`);
  }
  return new Map([
    ['5xx', errors],
    ['2xx', total - errors],
  ]);
}

/** One of each target: only the buckets of one process are sure to belong together. */
function latencies(buckets: readonly Series[], counting: Counting): readonly VersionCounts[] {
  const { questions } = counting;
  const found = [...Map.groupBy(buckets, ({ labels }) => keyOf(labels, questions.byPod)).values()].map((own) => {
    const cumulative = new Map<number, number>();
    for (const series of own) {
      const end = numberOf(series.labels.le ?? '') / questions.perSecond;
      if (Number.isNaN(end)) throw new NotCounts(`${nameOf(series.labels)} is no bucket of a histogram`);
      cumulative.set(end, (cumulative.get(end) ?? 0) + grown(series, counting));
    }
    refuseUnordered(cumulative, own);
    return cumulative;
  });
  const ends = new Set(found.map((cumulative) => [...cumulative.keys()].sort((a, b) => a - b).join(' ')));
  if (ends.size > 1) throw new NotCounts(`${nameOf(buckets[0]?.labels ?? {})}: not all have the same buckets`);
  return found.map((cumulative) => ({ byStatus: new Map(), byBucket: bucketsFrom(cumulative) }));
}

function refuseUnordered(cumulative: ReadonlyMap<number, number>, [any]: readonly Series[]): void {
  let last = 0;
  for (const [end, count] of [...cumulative].sort(([a], [b]) => a - b)) {
    if (count < last) throw new NotCounts(`${nameOf(any?.labels ?? {})}: fewer below ${end} s than below less`);
    last = count;
  }
}
