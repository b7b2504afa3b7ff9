/**
 * What is measured: `spec.checks`, and what counts as an error: `spec.errors`, `spec.routes`.
 * It refuses metrics that are not built; whether unit, direction and limit fit together is asked in `rules-checks.ts`.
 */
import * as z from 'zod';
import { choice, defaulted, object, oneOf, optional, required } from './fields.ts';
import {
  duration,
  headerName,
  METHODS,
  method,
  name,
  number,
  percent,
  quantity,
  routePattern,
  whole,
  word,
} from './scalars.ts';

const routeNames = () => z.array(name('a route name'));
const methods = () => z.array(method());

const steps = (what: string, route: string) =>
  object(
    { what },
    {
      routes: required(routeNames(), {
        description: 'Names of routes (`spec.routes`, or `other`).',
        example: [route],
      }),
      methods: optional(methods(), 'all methods', { description: 'Methods that count.', example: ['POST'] }),
    },
  );

const nothing = (what: string) => object({ what }, {});

const metric = oneOf(
  {
    what: 'a metric',
    notYet: [
      'prometheus',
      'datadog',
      'cloudwatch',
      'influxdb',
      'graphite',
      'newRelic',
      'query',
      'mean',
      'distribution',
      'count',
      'logs',
      'job',
      'web',
    ],
    elsewhere: { error: 'errors', errorRate: 'errors', successRate: 'errors', p99: 'latency', duration: 'latency' },
  },
  {
    errors: choice(nothing('the error metric'), {
      description: 'Proportion of requests that count as errors (`spec.errors` says which do). Written `errors: {}`.',
      example: {},
    }),
    latency: choice(
      object(
        { what: 'the latency metric' },
        {
          quantile: defaulted(number({ min: 0.5, max: 0.9999, what: 'a quantile' }), 0.99, {
            description:
              "Requests slower than stable's own latency at this quantile count as slow; compared is the proportion of slow requests.",
            example: 0.95,
          }),
        },
      ),
      { description: 'Proportion of slow requests.', example: { quantile: 0.99 } },
    ),
    business: choice(
      object(
        { what: 'the business metric' },
        {
          from: required(steps('the first step', 'product'), {
            description: 'Requests with which users start.',
            example: { routes: ['product'] },
          }),
          to: required(steps('the step that should follow', 'checkout'), {
            description: 'Successful requests that should follow in the same window.',
            example: { routes: ['checkout'], methods: ['POST'] },
          }),
        },
      ),
      {
        description: "Users' steps: of the requests of `from`, the proportion that `to` follows. Needs a limit.",
        example: { from: { routes: ['product'] }, to: { routes: ['checkout'], methods: ['POST'] } },
      },
    ),
    gauge: choice(
      object(
        { what: 'the gauge metric' },
        {
          reading: required(
            word(['residentMemory', 'cpu'], { what: 'a reading', notYet: ['fileDescriptors', 'threads'] }),
            {
              description: 'What is read of each replica; the worst replica counts. `cpu` is in percent of one core.',
              example: 'residentMemory',
            },
          ),
        },
      ),
      {
        description: 'A reading of the replicas. Needs a limit, and processes that Haldane runs.',
        example: { reading: 'residentMemory' },
      },
    ),
  },
);

const tolerance = object(
  { what: 'a tolerance', elsewhere: { absolute: 'margin', factor: 'ratio' } },
  {
    ratio: defaulted(number({ min: 1, max: 100, what: 'a ratio' }), 1.1, {
      description: 'The ratio r: the canary may be this many times as bad as stable.',
      example: 1.5,
    }),
    margin: optional(percent(), '0.2% for errors, 1% for latency', {
      description:
        'The margin delta: and worse by this share of requests on top; harmless is p_canary <= r x p_stable + delta. Above 0: at zero errors a ratio alone could never be proven.',
      example: '0.5%',
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
    elsewhere: { thresholdRange: 'limit', threshold: 'limit', max: 'limit', interval: 'spec.interval', kind: 'metric' },
  },
  {
    name: required(name('a name'), {
      description: 'Name of the check, unique in the policy. Stages, screens and reports use it.',
      example: 'errors',
    }),
    metric: required(metric, { description: 'What is measured; exactly one.', example: { errors: {} } }),
    tolerance: optional(
      tolerance,
      'errors and latency without a limit: ratio 1.1 and the margin of the metric; else stable is not compared',
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
      'required for errors and latency, guardrail for business and gauge',
      {
        description:
          '`required`: must pass before promotion. `guardrail`: cannot hold a promotion up, but its harm aborts. `informational`: shown only.',
        example: 'guardrail',
      },
    ),
    direction: optional(word(['increase', 'decrease'], { what: 'a direction' }), 'increase; decrease for business', {
      description:
        'Which way is harm; only a gauge leaves the choice. The side of the limit must agree: above for increase, below for decrease.',
      example: 'increase',
    }),
    weight: optional(
      number({ min: 0, max: 1_000, open: true, what: 'a weight of evidence' }),
      '5 for errors, 3 for latency, 2 for the others',
      {
        description: 'Share of the evidence for an abort, relative to the other checks.',
        example: 5,
      },
    ),
    warmUp: defaulted(duration({ max: '1d' }), '60s', {
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
