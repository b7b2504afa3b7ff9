/**
 * A check in Kayenta's way: `metric: {kayenta: ...}`, with Kayenta's own starting values where it has any.
 * It refuses metrics other than errors and latency; how groups, thresholds and times fit is asked in `rules-kayenta.ts`.
 */
import * as z from 'zod';
import { choice, defaulted, object, oneOf, optional, required } from './fields.ts';
import { duration, flag, method, name, number, word } from './scalars.ts';

const kayentaMetric = object(
  {
    what: 'a metric of Kayenta',
    notYet: ['outliers', 'effectSize', 'allowedIncrease', 'criticalIncrease', 'muted'],
    elsewhere: { groups: 'group', query: 'metric' },
  },
  {
    name: required(name('a name'), {
      description: 'Name of the metric, unique in the check. Recorded data calls it `<check>/<metric>`.',
      example: 'errors',
    }),
    metric: required(
      oneOf(
        { what: 'a metric of Kayenta', notYet: ['business', 'gauge', 'count', 'mean', 'conversion'] },
        {
          errors: choice(object({ what: 'the error metric' }, {}), {
            description: 'Proportion of requests that count as errors, one value per step.',
            example: {},
          }),
          latency: choice(
            object(
              { what: 'the latency metric' },
              {
                quantile: defaulted(number({ min: 0.5, max: 0.9999, what: 'a quantile' }), 0.99, {
                  description: 'The latency at this quantile, one value per step.',
                  example: 0.95,
                }),
              },
            ),
            { description: 'Latency at a quantile, one value per step.', example: { quantile: 0.99 } },
          ),
        },
      ),
      { description: 'What is measured; exactly one.', example: { errors: {} } },
    ),
    routes: optional(z.array(name('a route name')), 'all routes', {
      description: 'Only requests of these routes.',
      example: ['checkout'],
    }),
    methods: optional(z.array(method()), 'all methods', {
      description: 'Only requests with these methods. Errors only: latency is not counted by method.',
      example: ['POST'],
    }),
    group: defaulted(name('a group'), 'default', {
      description: 'The group whose score this metric is part of.',
      example: 'availability',
    }),
    direction: defaulted(word(['increase', 'decrease', 'either'], { what: 'a direction' }), 'either', {
      description: 'Which way is harm. `either`, where Kayenta starts, fails a canary that is better as well.',
      example: 'increase',
    }),
    critical: defaulted(flag(), false, {
      description: 'A harmful shift, or no data, makes the whole score 0.',
      example: true,
    }),
    nanStrategy: defaulted(word(['remove', 'replace'], { what: 'a strategy' }), 'remove', {
      description: 'Steps without a value are taken out, or count as 0.',
      example: 'replace',
    }),
    mustHaveData: defaulted(flag(), false, {
      description: 'Without data the metric fails; otherwise it is left out of the score.',
      example: true,
    }),
  },
);

const score = (what: string) => number({ min: 0, max: 100, what });

export const kayentaSchema = object(
  {
    what: 'the judge of Kayenta',
    elsewhere: {
      groups: 'groupWeights',
      classifier: 'groupWeights',
      thresholds: 'pass',
      scoreThresholds: 'pass',
      lifetimeDuration: 'lifetime',
      analysisIntervalMins: 'interval',
      lookbackMins: 'lookback',
    },
  },
  {
    metrics: required(z.array(kayentaMetric), {
      description: 'What is measured and compared; at least one.',
      example: [{ name: 'errors', metric: { errors: {} } }],
    }),
    groupWeights: defaulted(
      z.record(name('a group'), number({ min: 0, max: 100, what: 'a percentage of the score' })),
      {},
      {
        description: 'Percent of the score by group; groups that are left out share what is left of 100.',
        example: { default: 100 },
      },
    ),
    pass: defaulted(score('a score'), 95, { description: 'The last score must be at least this.', example: 90 }),
    marginal: defaulted(score('a score'), 75, {
      description: 'Any score at or below this fails the check at once.',
      example: 50,
    }),
    step: defaulted(duration({ min: '1s', max: '1h' }), '60s', {
      description: 'One value per metric and step: a multiple of `spec.interval`.',
      example: '30s',
    }),
    interval: defaulted(duration({ min: '1m', max: '7d' }), '60m', {
      description: 'A judgement this often, in whole minutes: a multiple of `step`.',
      example: '30m',
    }),
    lifetime: defaulted(duration({ min: '1m', max: '30d' }), '3h', {
      description: 'When the last judgement is made: a multiple of `interval`.',
      example: '2h',
    }),
    lookback: defaulted(duration({ max: '30d' }), '0s', {
      description: 'Each judgement looks at this much of the past, in whole minutes; 0s: at all of it since the start.',
      example: '1h',
    }),
  },
);
