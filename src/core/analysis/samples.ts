// Whether what a source answered can be counted at all. Refuses to repair: an impossible reading is an error that holds.
import type { Check, Metric } from '../model/check.ts';
import type { Sample } from '../model/measurement.ts';

const FITS: Readonly<Record<Metric['kind'], Sample['kind']>> = {
  errors: 'proportion',
  latency: 'latency',
  business: 'proportion',
  gauge: 'gauge',
  count: 'count',
  mean: 'values',
  conversion: 'cohort',
  kayenta: 'proportion',
};

/** Why a sample cannot be counted for this check; null if it can. */
export function unusable(check: Check, sample: Sample): string | null {
  const wanted = FITS[check.metric.kind];
  if (sample.kind !== wanted)
    return `the source answered with an unfit ${sample.kind} reading where ${wanted} was asked for`;
  return isPossible(sample) ? null : `the source answered with an impossible ${sample.kind} reading`;
}

function isPossible(sample: Sample): boolean {
  switch (sample.kind) {
    case 'proportion':
      return isCount(sample.total) && isCount(sample.bad) && sample.bad <= sample.total;
    case 'latency':
      return (
        sample.counts.every(([index, count]) => Number.isInteger(index) && index >= 0 && isCount(count)) &&
        (sample.boundaries === undefined || isAscending(sample.boundaries))
      );
    case 'gauge':
      return sample.values.every((value) => Number.isFinite(value));
    case 'count':
      return isCount(sample.events) && isCount(sample.seconds);
    case 'values':
      return sample.counts.every(([value, count]) => Number.isFinite(value) && isCount(count));
    case 'cohort':
      return (
        isCount(sample.exposed) &&
        sample.converted.every(([age, count]) => Number.isInteger(age) && age >= 0 && isCount(count))
      );
  }
}

function isCount(value: number): boolean {
  return value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

function isAscending(boundaries: readonly number[]): boolean {
  return boundaries.every((value, i) => !Number.isNaN(value) && (i === 0 || value > (boundaries[i - 1] ?? 0)));
}
