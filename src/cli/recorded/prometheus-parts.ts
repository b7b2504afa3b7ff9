// Counters of Prometheus as samples: requests and bad requests by version, and classic histograms by their label `le`.
// Sums over pods are made here, after the increases: summed before, a pod that ends would look like a reset of all.

import type { Sample } from '../../core/model/measurement.ts';
import { nearestName } from '../../core/model/nearest.ts';
import { type Increase, increasesOf, type Known, seenTargets, stepOf, targetOf } from './increases.ts';
import { type CounterBody, labelOf, type Series, seriesText } from './prometheus-body.ts';
import { badData, type Part, type ReadData } from './recorded.ts';

export interface PrometheusData {
  /** Counters of all requests; also of the bad ones where `badWhen` tells them apart. */
  readonly total: readonly CounterBody[];
  readonly bad: readonly CounterBody[];
}

export interface PrometheusOptions {
  readonly versionLabel: string;
  readonly replicaLabel: string | null;
  /** Series of `total` whose label matches are bad requests. */
  readonly badWhen: { readonly label: string; readonly pattern: RegExp } | null;
}

interface Cell {
  readonly fromMs: number;
  readonly version: string;
  readonly replica: string | null;
  total: number;
  bad: number;
  /** Cumulative, by upper boundary in seconds. */
  readonly buckets: Map<number, number>;
  hasTotal: boolean;
}

export function readPrometheusParts(data: PrometheusData, options: PrometheusOptions): ReadData {
  const all = [...data.total, ...data.bad].flatMap(({ series }) => series);
  const [first] = [...data.total, ...data.bad];
  const place = { file: first?.file ?? '--data', line: null };
  if (all.length === 0)
    return { parts: [], notes: ['Prometheus has no series for the query'], stepMs: null, stable: null, canary: null };
  const stepMs = stepOf(all);
  if (stepMs === null) {
    throw badData(place, 'there is one moment only, so nothing increased', 'ask for a longer range, or a smaller step');
  }
  const reader = new Cells(options, place.file);
  const labels = [options.versionLabel, ...(options.replicaLabel === null ? [] : [options.replicaLabel])];
  const target = (series: Series) => targetOf(series, labels);
  const known: Known = { stepMs, seen: seenTargets(all, target), targetOf: target };
  const notes = [...absentBad(data, options)];
  let resets = 0;
  for (const [role, bodies] of Object.entries(data) as ['total' | 'bad', readonly CounterBody[]][]) {
    for (const { file, series } of bodies) {
      for (const each of series) {
        const found = increasesOf(each, known);
        resets += found.resets;
        for (const increase of found.increases) reader.add(increase, role, file);
      }
    }
  }
  if (resets > 0)
    notes.push(`${resets === 1 ? 'one counter was' : `counters were ${resets} times`} reset; counted on from 0`);
  return {
    parts: reader.parts(data.bad.length > 0 || options.badWhen !== null),
    notes,
    stepMs,
    stable: null,
    canary: null,
  };
}

/** No error at all is good news, or a query that matches nothing: nobody can tell from the counters. */
function absentBad({ total, bad }: PrometheusData, { badWhen }: PrometheusOptions): string[] {
  if (bad.length > 0 && bad.every(({ series }) => series.length === 0)) {
    return ['there is no series of bad requests: none were bad, or the query matches nothing'];
  }
  if (badWhen === null) return [];
  const counted = total.flatMap(({ file, series }) => series.map((each) => ({ file, each })));
  const plain = counted.filter(({ each }) => each.labels.le === undefined);
  if (plain.length === 0) return [];
  if (plain.every(({ each }) => each.labels[badWhen.label] === undefined)) {
    const known = [...new Set(plain.flatMap(({ each }) => Object.keys(each.labels)))].filter(
      (each) => each !== '__name__',
    );
    const near = nearestName(badWhen.label, known);
    throw badData(
      { file: plain[0]?.file ?? '--data', line: null },
      `no series has the label ${badWhen.label}`,
      near === undefined ? `--bad-when names one of ${known.join(', ')}` : `did you mean --bad-when ${near}=…?`,
    );
  }
  const matches = plain.some(({ each }) => badWhen.pattern.test(each.labels[badWhen.label] ?? ''));
  return matches ? [] : [`no series has a ${badWhen.label} that is bad: none were bad, or --bad-when matches nothing`];
}

class Cells {
  readonly #options: PrometheusOptions;
  readonly #file: string;
  readonly #cells = new Map<string, Cell>();

  constructor(options: PrometheusOptions, file: string) {
    this.#options = options;
    this.#file = file;
  }

  add({ fromMs, series, count }: Increase, role: 'total' | 'bad', file: string): void {
    const { versionLabel, replicaLabel, badWhen } = this.#options;
    const cell = this.#cell({
      fromMs,
      version: labelOf(series, versionLabel, file, '--version-label'),
      replica: replicaLabel === null ? null : labelOf(series, replicaLabel, file, '--replica-label'),
    });
    if (role === 'bad') cell.bad += count;
    else if (series.labels.le !== undefined) addBucket(cell.buckets, boundaryOf(series, file), count);
    else {
      cell.hasTotal = true;
      cell.total += count;
      if (badWhen?.pattern.test(series.labels[badWhen.label] ?? '') === true) cell.bad += count;
    }
  }

  #cell(key: Pick<Cell, 'fromMs' | 'version' | 'replica'>): Cell {
    const id = JSON.stringify([key.fromMs, key.version, key.replica]);
    const cell = this.#cells.get(id) ?? {
      ...key,
      total: 0,
      bad: 0,
      buckets: new Map<number, number>(),
      hasTotal: false,
    };
    this.#cells.set(id, cell);
    return cell;
  }

  parts(countsBad: boolean): Part[] {
    const parts: Part[] = [];
    for (const cell of this.#cells.values()) {
      const { fromMs: atMs, version, replica } = cell;
      const base = {
        atMs,
        version,
        replica,
        check: null,
        weightPercent: null,
        place: { file: this.#file, line: null },
      };
      if (cell.hasTotal && countsBad) parts.push({ ...base, sample: this.#proportion(cell) });
      if (cell.buckets.size > 0) parts.push({ ...base, sample: this.#latency(cell.buckets) });
    }
    return parts;
  }

  #latency(buckets: ReadonlyMap<number, number>): Sample {
    if (buckets.has(Infinity)) return latencyOf(buckets);
    throw badData(
      { file: this.#file, line: null },
      'the bucket le="+Inf" is missing',
      'ask for all buckets: ..._bucket',
    );
  }

  /** Two queries are two scrapes' worth of rounding at most; more bad than all means that they do not fit together. */
  #proportion({ total, bad, version, fromMs }: Cell): Sample {
    if (bad <= total) return { kind: 'proportion', total, bad };
    throw badData(
      { file: this.#file, line: null },
      `${version} has ${bad} bad requests of ${total} in the window at ${fromMs / 1_000} s`,
      'the query of bad requests must be part of the query of all requests',
    );
  }
}

function boundaryOf(series: Series, file: string): number {
  const { le = '' } = series.labels;
  const seconds = le === '+Inf' ? Infinity : Number(le);
  if (!Number.isNaN(seconds)) return seconds;
  throw badData(
    { file, line: null },
    `${seriesText(series.labels)}: le is not a number`,
    'ask for a classic histogram',
  );
}

function addBucket(buckets: Map<number, number>, seconds: number, count: number): void {
  buckets.set(seconds, (buckets.get(seconds) ?? 0) + count);
}

/** Cumulative to single buckets. Scrapes are not atomic over buckets: what would be negative is 0. */
function latencyOf(buckets: ReadonlyMap<number, number>): Sample {
  const sorted = [...buckets].sort(([a], [b]) => a - b);
  const counts: [number, number][] = [];
  let before = 0;
  sorted.forEach(([, cumulative], index) => {
    if (cumulative > before) counts.push([index, cumulative - before]);
    before = Math.max(before, cumulative);
  });
  return { kind: 'latency', counts, boundaries: sorted.map(([seconds]) => seconds) };
}
