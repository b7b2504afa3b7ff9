/**
 * The rules of peers for one check, with the names and numbers their users know: `flagger` and `argo`.
 * It refuses conditions that cannot be computed; whether a rule can fail at all is asked in `rules-peers.ts`.
 */
import * as z from 'zod';
import { conditionProblem } from '../model/condition-problem.ts';
import { describeValue } from './describe-value.ts';
import { accept, defaulted, leaf, object, optional, type Parsed, refuse, required } from './fields.ts';
import { duration, flag, number, whole } from './scalars.ts';

const LONGEST_CONDITION = 1_000;

function condition() {
  const fix = 'write a condition such as result[0] >= 0.95';
  return leaf(z.string(), {
    what: 'a condition such as result[0] >= 0.95',
    json: { minLength: 1, maxLength: LONGEST_CONDITION },
    parse(value): Parsed<string> {
      if (typeof value !== 'string') return refuse(`${describeValue(value)} is not a condition`, fix);
      if (value.trim() === '') return refuse('is empty', fix);
      if (value.length > LONGEST_CONDITION) return refuse(`is longer than ${LONGEST_CONDITION} characters`, fix);
      const found = conditionProblem(value);
      return found === null ? accept(value) : refuse(`is no condition: ${found.problem}`, found.fix);
    },
  });
}

const bound = () => number({ min: 0, max: 1e9, what: 'a number' });

export const flaggerSchema = object(
  {
    what: "Flagger's rule",
    elsewhere: { threshold: 'failures', thresholdRange: 'min', iterations: 'failures' },
  },
  {
    interval: defaulted(duration({ min: '1s', max: '1h' }), '1m', {
      description: 'One look this often, at this much of the past: a multiple of `spec.interval`.',
      example: '30s',
    }),
    min: optional(bound(), 'there is no lower end', {
      description:
        'Their `thresholdRange.min`: a value below it fails the look. Success rate in percent, latency in milliseconds.',
      example: 99,
    }),
    max: optional(bound(), 'there is no upper end', {
      description: 'Their `thresholdRange.max`: a value above it fails the look.',
      example: 500,
    }),
    failures: defaulted(whole(1, 10_000, 'a number of failed looks'), 5, {
      description:
        'Their `analysis.threshold`: the look after this many failed ones aborts. They add up over the whole release.',
      example: 3,
    }),
    emptyIsFailure: defaulted(flag(), false, {
      description: "Whether a look without any request fails. Flagger's way is true; here it holds unless you say so.",
      example: true,
    }),
  },
);

const limit = () => whole(0, 10_000, 'a number of measurements');

export const argoSchema = object(
  {
    what: "Argo's rule",
    elsewhere: { condition: 'successCondition', iterations: 'count', delay: 'initialDelay' },
  },
  {
    interval: required(duration({ min: '1s', max: '1d' }), {
      description: 'One measurement this often, of this much of the past: a multiple of `spec.interval`.',
      example: '1m',
    }),
    initialDelay: defaulted(duration({ max: '7d' }), '0s', {
      description: 'The first measurement waits for so long.',
      example: '2m',
    }),
    successCondition: optional(condition(), 'what does not fail succeeds', {
      description:
        'A condition over `result`, the one value measured (also `result[0]`): success rate as a fraction, latency in seconds.',
      example: 'result[0] >= 0.99',
    }),
    failureCondition: optional(condition(), 'what does not succeed fails', {
      description: 'A condition under which the measurement fails. With both, what meets neither is inconclusive.',
      example: 'result[0] < 0.95',
    }),
    count: optional(whole(1, 100_000, 'a number of measurements'), 'measured until the release ends', {
      description: 'After so many measurements the check has passed, if nothing ended it before.',
      example: 10,
    }),
    failureLimit: defaulted(limit(), 0, {
      description: 'The check fails with the measurement that fails beyond so many.',
      example: 3,
    }),
    inconclusiveLimit: defaulted(limit(), 0, {
      description: 'The same for inconclusive measurements, which hold.',
      example: 2,
    }),
    consecutiveErrorLimit: defaulted(limit(), 4, {
      description: 'The same for measurements in a row that could not be made.',
      example: 2,
    }),
    consecutiveSuccessLimit: defaulted(limit(), 0, {
      description: 'The check has passed after so many successful measurements in a row; 0 turns this off.',
      example: 5,
    }),
  },
);
