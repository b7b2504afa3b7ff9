// How stable's pods differed within slices of time, for its dispersion: pod by pod, scrape by scrape. Pure. It refuses a
// slice in which fewer than two pods were asked anything: that says nothing.
import { readStatus } from '../../../cluster/request-status.ts';
import { isError } from '../../../cluster/version-counts.ts';
import type { ReplicaTally } from '../../../core/model/measurement.ts';
import type { Counting, OwnSeries } from './counts.ts';
import { keyOf, steps } from './targets.ts';

/** Long enough for two scrapes of each pod. */
export function sliceMsFor(scrapeMs: number): number {
  return Math.min(60_000, Math.max(10_000, 2 * scrapeMs));
}

/** Oldest first. Empty where pods are not told apart. */
export function replicaSlices(
  own: readonly OwnSeries[],
  { questions, counted, errors }: Counting,
  sliceMs: number,
): readonly (readonly ReplicaTally[])[] {
  if (!questions.byPod) return [];
  const slices = new Map<number, Map<string, ReplicaTally>>();
  for (const { role, series } of own) {
    const of = counted.get(keyOf(series.labels, questions.byPod));
    const pod = of?.target.pod;
    if (of === undefined || pod === null || pod === undefined || role === 'latency') continue;
    const isBad =
      questions.statusLabel === null
        ? role === 'bad'
        : isError(readStatus(series.labels[questions.statusLabel] ?? ''), errors);
    for (const [atMs, grown] of steps(series, of)) {
      const pods = slices.get(Math.floor(atMs / sliceMs)) ?? new Map<string, ReplicaTally>();
      slices.set(Math.floor(atMs / sliceMs), pods);
      const { total, bad } = pods.get(pod) ?? { total: 0, bad: 0 };
      pods.set(pod, { total: total + (role === 'all' ? grown : 0), bad: bad + (isBad ? grown : 0) });
    }
  }
  return [...slices]
    .sort(([a], [b]) => a - b)
    .map(([, pods]) => [...pods.values()].filter(({ total, bad }) => total > 0 && bad <= total))
    .filter((pods) => pods.length >= 2);
}
