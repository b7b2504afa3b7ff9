// Samples become windows: each is given to the check it is for, and samples of one time stand side by side. It refuses a
// sample that two checks could take, one that no check of that name takes, and counts given twice.
import type { Check, Metric } from '../../core/model/check.ts';
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
  readonly #byKind = new Map<Sample['kind'], Check | null>();

  constructor(asked: Asked) {
    this.#asked = asked;
  }

  /** Null: it is of a check that is not judged now, or of a kind that none takes. */
  bind(part: Part): { readonly check: string; readonly sample: Sample } | null {
    if (part.check === null) {
      const check =
        this.#only(part, part.sample.kind) ?? (part.sample.kind === 'values' ? this.#only(part, 'gauge') : null);
      return check === null ? null : { check: check.name, sample: asTaken(part, check) };
    }
    const [name = '', metric] = part.check.split('/');
    const check = this.#asked.checks.find((each) => each.name === name);
    if (check !== undefined) return { check: metric === undefined ? name : part.check, sample: asTaken(part, check) };
    if (this.#asked.all.includes(name)) return null;
    const near = nearestName(name, this.#asked.all);
    const known = `checks of the policy are ${this.#asked.all.join(', ')}`;
    throw badData(
      part.place,
      `there is no check "${name}"`,
      near === undefined ? known : `did you mean ${near}? (${known})`,
    );
  }

  #only(part: Part, kind: Sample['kind']): Check | null {
    const known = this.#byKind.get(kind);
    if (known !== undefined) return known;
    const taking = this.#asked.checks.filter(({ metric }) => TAKES[metric.kind] === kind);
    const [one = null] = taking;
    if (taking.length > 1) {
      const names = taking.map(({ name }) => name);
      throw badData(
        part.place,
        `${names.join(' and ')} could both take these ${SAMPLE_WORDS[kind]}`,
        `name the check in a column check, or judge one: --check ${names[0]}`,
      );
    }
    this.#byKind.set(kind, one);
    return one;
  }
}

/** Values stand for readings where the check reads replicas. Latencies under a check in parts are its parts'. */
function asTaken({ sample, place }: Part, check: Check): Sample {
  const wanted = TAKES[check.metric.kind];
  if (sample.kind === wanted || check.metric.kind === 'kayenta') return sample;
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
