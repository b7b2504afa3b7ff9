/**
 * What is measured: `spec.checks`, and what counts as an error: `spec.errors`, `spec.routes`.
 * It refuses unknown fields; whether unit, direction and limit fit together is asked in `rules-checks.ts`.
 */
import * as z from 'zod';
import { choice, defaulted, object, oneOf, optional, required } from './fields.ts';
import { duration, headerName, METHODS, margin, name, number, quantity, routePattern, whole, word } from './scalars.ts';
import { methods, metricSchema, routeNames } from './schema-metrics.ts';
import { argoSchema, flaggerSchema } from './schema-peers.ts';

const tolerance = object(
  { what: 'a tolerance', elsewhere: { absolute: 'margin', factor: 'ratio', bucketShift: 'buckets' } },
  {
    ratio: defaulted(number({ min: 1, max: 100, what: 'a ratio' }), 1.1, {
      description: 'The ratio r: the canary may be this many times as bad as stable.',
      example: 1.5,
    }),
    margin: optional(
      margin(),
      '0.2% for errors and a mean, 1% for latency, 0.5% for a conversion, 1/h for restarts and oomKills, 0.1/s for throttledPeriods',
      {
        description:
          'The margin delta: and worse by this on top; harmless is p_canary <= r x p_stable + delta. A share of requests (mean: of the cap; conversion: of the users), or for a count a rate per replica: 1/h is one more event per hour of a replica, which about 4.2 replica-hours without any event prove. Above 0: at zero errors a ratio alone could never be proven.',
        example: '0.5%',
      },
    ),
    harmMargin: optional(margin(), '0: all that is beyond the ratio is harm', {
      description:
        'An excess on top of the ratio that is not called harm yet; below `margin`. Between the two lies indifference: either answer is right there.',
      example: '0.1%',
    }),
    atDeadline: optional(margin(), 'the margin is the same at the deadline', {
      description:
        'A wider margin that is enough once the release deadline has passed. Needs `onDeadline: accept`, and a required check.',
      example: '1%',
    }),
    buckets: optional(whole(0, 8, 'a number of latency buckets'), '0', {
      description:
        "Latency only: the canary counts as slow at a line this many buckets above stable's, each 9% slower than the one before.",
      example: 2,
    }),
  },
);

const limit = oneOf(
  { what: 'a limit', elsewhere: { max: 'above', min: 'below', greaterThan: 'above', lessThan: 'below' } },
  {
    above: choice(quantity(), {
      description:
        'Harm is a value above this line: percent for errors, a duration for latency, a size for memory, percent for CPU.',
      example: '2%',
    }),
    below: choice(quantity(), {
      description: 'Harm is a value below this line; for a business rate, in percent.',
      example: '20%',
    }),
  },
);

const check = object(
  {
    what: 'a check',
    notYet: ['baseline', 'template', 'templateRef', 'segments'],
    elsewhere: {
      thresholdRange: 'limit',
      threshold: 'limit',
      max: 'limit',
      interval: 'spec.interval',
      kind: 'metric',
      successCondition: 'argo',
      failureCondition: 'argo',
      failureLimit: 'argo',
    },
  },
  {
    name: required(name('a name'), {
      description: 'Name of the check, unique in the policy. Stages, screens and reports use it.',
      example: 'errors',
    }),
    metric: required(metricSchema, { description: 'What is measured; exactly one.', example: { errors: {} } }),
    tolerance: optional(
      tolerance,
      'ratio 1.1 and the margin of the metric; with a limit, or for business, gauge and the rule of a peer, stable is not compared',
      {
        description: 'Largest harm accepted against stable.',
        example: { ratio: 1.1, margin: '0.2%' },
      },
    ),
    limit: optional(limit, 'there is no absolute line', {
      description: 'An absolute line, whatever stable does. Gauges and business rates need one.',
      example: { above: '2%' },
    }),
    role: optional(
      word(['required', 'guardrail', 'informational'], { what: 'a role' }),
      'required for errors, latency and kayenta, guardrail for the others',
      {
        description:
          '`required`: must pass before promotion. `guardrail`: cannot hold a promotion up, but its harm aborts. `informational`: shown only.',
        example: 'guardrail',
      },
    ),
    direction: optional(
      word(['increase', 'decrease'], { what: 'a direction' }),
      'increase; decrease for business, mean and conversion',
      {
        description:
          'Which way is harm; only a gauge leaves the choice. The side of the limit must agree: above for increase, below for decrease.',
        example: 'increase',
      },
    ),
    weight: optional(
      number({ min: 0, max: 1_000, open: true, what: 'a weight of evidence' }),
      '5 for errors, 3 for latency, 2 for the others',
      {
        description: 'Share of the evidence for an abort, relative to the other checks.',
        example: 5,
      },
    ),
    clusterCap: optional(whole(1, 1_000, 'a number of bad events'), '1', {
      description:
        'The most bad events that one session or retry chain can cause. Evidence is divided by it, so that one unlucky user is not taken for many.',
      example: 3,
    }),
    flagger: optional(flaggerSchema, 'the check is judged by evidence', {
      description:
        "Judged in Flagger's way instead: a value per interval inside a fixed range. Errors (success rate in percent) and latency (milliseconds at the quantile) only. Carries no error probability.",
      example: { min: 99 },
    }),
    argo: optional(argoSchema, 'the check is judged by evidence', {
      description:
        "Judged in the way of Argo's analysis instead: a condition per interval. Errors (success rate as a fraction) and latency (seconds at the quantile) only. Carries no error probability.",
      example: { interval: '1m', successCondition: 'result[0] >= 0.99' },
    }),
    warmUp: optional(duration({ max: '1d' }), '60s; 0s for the rule of a peer, which knows none', {
      description: "A canary replica's first seconds are shown and not counted.",
      example: '30s',
    }),
    noData: defaulted(duration({ min: '1s', max: '1d' }), '2m', {
      description: 'Without any reading for this long the verdict is no-data, which holds the release.',
      example: '5m',
    }),
    routes: optional(routeNames(), 'all routes', {
      description:
        'Only requests of these routes, so that a fault on one route is not diluted. Errors and latency only.',
      example: ['checkout'],
    }),
    methods: optional(methods(), 'all methods', {
      description: 'Only requests with these methods. Errors only: latency is not counted by method.',
      example: ['POST'],
    }),
  },
);

export const checksSchema = z.array(check);

export const routesSchema = z.array(
  object(
    { what: 'a route', elsewhere: { prefix: 'path', pattern: 'path', match: 'path', paths: 'path' } },
    {
      name: required(name('a route name'), {
        description: 'Name of the route. `other` is taken: it means every path that no route names.',
        example: 'checkout',
      }),
      path: required(routePattern(), {
        description: 'Exact path, or a prefix that ends in *. The first route that matches counts the request.',
        example: '/api/*',
      }),
    },
  ),
);

const ENDINGS = ['connect-failed', 'timeout', 'reset', 'client-closed', 'no-endpoint'] as const;

export const errorsSchema = object(
  { what: 'the definition of errors', elsewhere: { statuses: 'codes', status: 'codes', exclude: 'exceptRoutes' } },
  {
    classes: defaulted(z.array(word(['1xx', '2xx', '3xx', '4xx', '5xx'], { what: 'a status class' })), ['5xx'], {
      description: 'Status classes that are errors.',
      example: ['5xx'],
    }),
    codes: defaulted(z.array(whole(100, 599, 'a status code')), [], {
      description: 'Status codes that are errors beside the classes, for example 429 or 499.',
      example: [429],
    }),
    endings: defaulted(
      z.array(word(ENDINGS, { what: 'an ending' })),
      ['connect-failed', 'timeout', 'reset', 'no-endpoint'],
      {
        description:
          'Ways to end without a status that are errors. `client-closed` (the user went away) is left out by default: such requests are not counted at all then.',
        example: ['connect-failed', 'timeout', 'reset', 'no-endpoint', 'client-closed'],
      },
    ),
    routes: optional(routeNames(), 'all routes', {
      description: 'Only requests of these routes count.',
      example: ['checkout', 'other'],
    }),
    methods: optional(methods(), 'all methods', {
      description: 'Only requests with these methods count. Latency is not counted by method and stays as it is.',
      example: [...METHODS],
    }),
    exceptRoutes: optional(
      routeNames(),
      'the built-in route `health` (common health paths and the paths of the probes), unless `routes` is written',
      {
        description: 'Requests of these routes never count.',
        example: ['health'],
      },
    ),
    retryHeader: optional(headerName(), 'every request counts by itself', {
      description:
        'Header that names one request of a user: requests that repeat its value are retries and count once.',
      example: 'x-request-id',
    }),
  },
);
