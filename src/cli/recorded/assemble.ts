// Samples become windows: each is given to the check it is for, and samples of one time stand side by side. It refuses a
// sample that two checks could take, one that no check of that name takes, and counts given twice.
import type { Check, Metric } from '../../core/model/check.ts';
import { measuredChecks } from '../../core/model/check-expansion.ts';
import type { Sample } from '../../core/model/measurement.ts';
import { nearestName } from '../../core/model/nearest.ts';
import { badData, mergeSamples, type Part, type RecordedWindow, type VersionSamples } from './recorded.ts';
import { timeText } from './times.ts';

const TAKES: Readonly<Record<Metric['kind'], Sample['kind']>> = {
  errors: 'proportion',
  business: 'proportion',
  kayenta: 'proportion',
  latency: 'latency',
  count: 'count',
  mean: 'values',
  conversion: 'cohort',
  gauge: 'gauge',
};

const SAMPLE_WORDS: Readonly<Record<Sample['kind'], string>> = {
  proportion: 'counts of bad requests',
  latency: 'latencies',
  count: 'events',
  values: 'values',
  cohort: 'conversions',
  gauge: 'readings',
};

export interface Asked {
  /** Checks that are judged. */
  readonly checks: readonly Check[];
  /** Names of all checks of the policy: data of the others may be there. */
  readonly all: readonly string[];
}

export interface Assembled {
  readonly windows: readonly RecordedWindow[];
  readonly notes: readonly string[];
}

interface Slot {
  readonly part: Part;
  samples: VersionSamples;
}

export function assemble(parts: readonly Part[], asked: Asked): Assembled {
  const byTime = new Map<number, { weight: number | null; slots: Map<string, Slot> }>();
  const unasked = new Set<Sample['kind']>();
  const binder = new Binder(asked);
  for (const part of parts) {
    const bound = binder.bind(part);
    if (bound === null) {
      unasked.add(part.sample.kind);
      continue;
    }
    const window = byTime.get(part.atMs) ?? { weight: null, slots: new Map<string, Slot>() };
    byTime.set(part.atMs, window);
    window.weight = sameWeight(window.weight, part);
    put(window.slots, bound.check, { ...part, sample: bound.sample });
  }
  const windows = [...byTime].sort(([a], [b]) => a - b).map(([atMs, window]) => windowOf(atMs, window));
  const notes = [...unasked].map((kind) => `no check that is judged takes the ${SAMPLE_WORDS[kind]} of the data`);
  return { windows, notes };
}

class Binder {
  readonly #asked: Asked;
  /** What has samples of its own: the metrics of a check in parts, each by `check/metric`. */
  readonly #measured: readonly Check[];
  readonly #byKind = new Map<string, Check | null>();

  constructor(asked: Asked) {
    this.#asked = asked;
    this.#measured = measuredChecks(asked.checks);
  }

  /** Null: it is of a check that is not judged now, or of a kind that none takes. */
  bind(part: Part): { readonly check: string; readonly sample: Sample } | null {
    const check = part.check === null ? this.#taking(part, this.#measured) : this.#named(part, part.check);
    return check === null ? null : { check: check.name, sample: asTaken(part, check) };
  }

  #named(part: Part, name: string): Check | null {
    const exact = this.#measured.find((each) => each.name === name);
    if (exact !== undefined) return exact;
    const [whole = ''] = name.split('/');
    const parts = this.#measured.filter((each) => each.name.startsWith(`${name}/`));
    if (parts.length > 0) return this.#taking(part, parts, name);
    const known = this.#measured.map((each) => each.name);
    const isJudged = this.#asked.checks.some((each) => each.name === whole);
    if (!isJudged && this.#asked.all.includes(whole)) return null;
    const names = isJudged ? known : [...new Set([...known, ...this.#asked.all])];
    const near = nearestName(name, names);
    const list = `checks of the policy are ${names.join(', ')}`;
    const fix = near === undefined ? list : `did you mean ${near}? (${list})`;
    throw badData(part.place, `there is no check "${name}"`, fix);
  }

  #taking(part: Part, among: readonly Check[], name = ''): Check | null {
    const { kind } = part.sample;
    return (
      this.#only(part, { kind, among, name }) ??
      (kind === 'values' ? this.#only(part, { kind: 'gauge', among, name }) : null)
    );
  }

  #only(
    part: Part,
    { kind, among, name }: { kind: Sample['kind']; among: readonly Check[]; name: string },
  ): Check | null {
    const key = `${name} ${kind}`;
    const known = this.#byKind.get(key);
    if (known !== undefined) return known;
    const taking = among.filter(({ metric }) => TAKES[metric.kind] === kind);
    const [one = null] = taking;
    if (taking.length > 1) {
      const names = taking.map((each) => each.name);
      throw badData(
        part.place,
        `${names.join(' and ')} could both take these ${SAMPLE_WORDS[kind]}`,
        `name the check in a column check, or judge one: --check ${names[0]?.split('/')[0]}`,
      );
    }
    this.#byKind.set(key, one);
    return one;
  }
}

/** Values stand for readings where the check reads replicas. */
function asTaken({ sample, place }: Part, check: Check): Sample {
  const wanted = TAKES[check.metric.kind];
  if (sample.kind === wanted) return sample;
  if (wanted === 'gauge' && sample.kind === 'values') {
    return { kind: 'gauge', values: sample.counts.map(([value]) => value) };
  }
  throw badData(
    place,
    `${check.name} takes ${SAMPLE_WORDS[wanted]}, and these are ${SAMPLE_WORDS[sample.kind]}`,
    'compare the columns with the table in docs/judge.md',
  );
}

function sameWeight(before: number | null, { weightPercent, place, atMs }: Part): number | null {
  if (weightPercent === null) return before;
  if (before === null || before === weightPercent) return weightPercent;
  const problem = `the window at ${timeText(atMs)} has two weights: ${before} and ${weightPercent}`;
  throw badData(place, problem, 'weight is the percent asked for the canary, the same in all rows of a window');
}

function put(slots: Map<string, Slot>, check: string, part: Part): void {
  const key = JSON.stringify([check, part.version, part.sample.kind]);
  const before = slots.get(key);
  if (before === undefined) {
    slots.set(key, { part: { ...part, check }, samples: { whole: part.sample, replicas: replicaOf(part) } });
    return;
  }
  const merged = part.replica === null ? null : mergeSamples(before.samples.whole, part.sample);
  if (merged === null) {
    throw badData(
      part.place,
      `${check} of ${part.version} at ${timeText(part.atMs)} is there twice`,
      'give each window once; rows of several replicas need a column replica',
    );
  }
  before.samples = { whole: merged, replicas: [...before.samples.replicas, ...replicaOf(part)] };
}

function replicaOf({ replica, sample }: Part): readonly Sample[] {
  return replica === null ? [] : [sample];
}

function windowOf(
  atMs: number,
  { weight, slots }: { weight: number | null; slots: Map<string, Slot> },
): RecordedWindow {
  const byCheck: Record<string, Record<string, VersionSamples>> = {};
  for (const { part, samples } of slots.values()) {
    const check = part.check ?? '';
    byCheck[check] = { ...byCheck[check], [part.version]: samples };
  }
  return { atMs, weightPercent: weight, byCheck };
}
