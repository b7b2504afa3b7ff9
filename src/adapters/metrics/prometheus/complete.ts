// Whether what Prometheus answered is all of the window: nothing that serves goes unscraped, nothing is read twice, and the
// newest value of each counter is a count. Pure. What is lacking is said in words; the cursor stands then, and the next
// window holds what this one lacked.
import type { PodsOfVersion } from '../../../cluster/pods.ts';
import type { Revision } from '../../../core/model/split.ts';
import { nameOf, newestMs, type Series } from './samples.ts';
import type { Target } from './targets.ts';

export interface Answers {
  readonly targets: readonly Target[];
  readonly up: readonly Series[];
  readonly byPod: boolean;
  readonly toMs: number;
  readonly scrapeMs: number;
}

/** null: nothing is lacking. */
export function lackingIn(
  answers: Answers,
  { byRevision }: PodsOfVersion,
  revisions: readonly Revision[],
): string | null {
  const serving = revisions.flatMap((revision) => (byRevision[revision] ?? []).filter(({ isReady }) => isReady));
  return (
    broken(answers) ??
    twice(answers) ??
    (answers.byPod ? first(serving, (pod) => unscraped(answers, pod.name, pod.startedAtMs)) : silentProxy(answers))
  );
}

function first<T>(list: readonly T[], of: (each: T) => string | null): string | null {
  for (const each of list) {
    const found = of(each);
    if (found !== null) return found;
  }
  return null;
}

function broken({ targets }: Answers): string | null {
  const series = targets.flatMap(({ all, others }) => [...all, ...others]);
  return first(series, ({ labels, broken: text }) =>
    text === null ? null : `${nameOf(labels)} is ${text}, which is no count`,
  );
}

function isFresh({ toMs, scrapeMs }: Answers, { all }: Target): boolean {
  return all.some((series) => toMs - (newestMs(series, toMs) ?? 0) <= 2 * scrapeMs);
}

/** Two that read the same counters: a second job, or a second Prometheus whose copies are not merged. */
function twice(answers: Answers): string | null {
  const fresh = answers.targets.filter((target) => isFresh(answers, target));
  const groups = Map.groupBy(fresh, ({ pod, all }) => pod ?? all[0]?.labels.instance ?? '');
  return first([...groups.values()], ([one, other]) =>
    one === undefined || other === undefined
      ? null
      : `${one.title} has 2 series for each counter (${one.key}; ${other.key}), expected 1: name one of them in a query`,
  );
}

function unscraped(answers: Answers, pod: string, startedAtMs: number): string | null {
  const { targets, up, toMs, scrapeMs } = answers;
  // It must have been found and scraped twice.
  if (toMs - startedAtMs <= 6 * scrapeMs) return null;
  const own = targets.filter((target) => target.pod === pod).flatMap(({ all, others }) => [...all, ...others]);
  const ups = up.filter(({ labels }) => labels.pod === pod);
  const newest = newestScrape(own, ups, toMs);
  if (newest !== null && toMs - newest <= 2 * scrapeMs) return null;
  // Without a word of any pod's scrapes, one that never answered a request may have no counter yet.
  if (newest === null && up.length === 0) return null;
  return unscrapedFor(`pod ${pod}`, newest, answers);
}

function unscrapedFor(title: string, newest: number | null, { toMs, scrapeMs }: Answers): string {
  if (newest === null) return `${title} is not scraped: there is no sample of it`;
  return `${title} was not scraped for ${seconds(toMs - newest)}, and should be every ${seconds(scrapeMs)}`;
}

/** Of a counter, or an empty one that succeeded. */
function newestScrape(own: readonly Series[], ups: readonly Series[], toMs: number): number | null {
  const found = own.flatMap((each) => newestMs(each, toMs) ?? []);
  for (const { samples } of ups) {
    found.push(...samples.flatMap(([atMs, value]) => (value === 1 && atMs <= toMs ? [atMs] : [])));
  }
  return found.length === 0 ? null : Math.max(...found);
}

/** One of several that went away is no trouble; one that is there and cannot be scraped is, and so is none at all. */
function silentProxy(answers: Answers): string | null {
  const { targets, toMs, scrapeMs } = answers;
  let youngest: { readonly title: string; readonly newest: number } | null = null;
  for (const { title, all, others, up } of targets) {
    const newest = newestScrape([...all, ...others], up, toMs) ?? 0;
    const lastUp = up.flatMap(({ samples }) => samples.at(-1) ?? []).slice(-2);
    const isDown = lastUp[1] === 0 && toMs - (lastUp[0] ?? 0) <= 2 * scrapeMs;
    if (isDown && toMs - newest > 2 * scrapeMs) return `${unscrapedFor(title, newest, answers)} (up is 0)`;
    if (youngest === null || newest > youngest.newest) youngest = { title, newest };
  }
  if (youngest === null || toMs - youngest.newest <= 2 * scrapeMs) return null;
  return unscrapedFor(youngest.title, youngest.newest, answers);
}

const seconds = (ms: number) => `${Math.round(ms / 1_000)} s`;
