/**
 * What a check measures: `spec.checks[].metric`. It refuses metrics that are not built; which of them the embedded
 * gateway measures is asked in `rules-source.ts`, and units, limits and directions in `rules-checks.ts`.
 */
import * as z from 'zod';
import { COUNTED_EVENTS } from '../model/check.ts';
import { choice, defaulted, object, oneOf, optional, required } from './fields.ts';
import { duration, method, name, number, word } from './scalars.ts';
import { kayentaSchema } from './schema-kayenta.ts';

export const routeNames = () => z.array(name('a route name'));
export const methods = () => z.array(method());

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

export const metricSchema = oneOf(
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
      'distribution',
      'logs',
      'job',
      'web',
    ],
    elsewhere: {
      error: 'errors',
      errorRate: 'errors',
      successRate: 'errors',
      p99: 'latency',
      duration: 'latency',
      restarts: 'count',
      oomKills: 'count',
      throttledPeriods: 'count',
      revenue: 'mean',
      canaryConfig: 'kayenta',
    },
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
    count: choice(
      object(
        { what: 'the count metric' },
        {
          event: required(word(COUNTED_EVENTS, { what: 'an event' }), {
            description:
              'What is counted per second of replica life. `restarts` are those of the processes that Haldane runs; `oomKills` and `throttledPeriods` are only in recorded data for now, which `haldane judge` reads.',
            example: 'restarts',
          }),
        },
      ),
      { description: 'Events of the replicas, per second of their life.', example: { event: 'restarts' } },
    ),
    mean: choice(
      object(
        { what: 'the mean metric', elsewhere: { max: 'cap', limit: 'cap' } },
        {
          cap: required(number({ min: 0, max: 1e12, open: true, what: 'a cap' }), {
            description:
              "What a larger value counts as, in the metric's own unit: take the 99.5th percentile of the past values that are not zero. Without a cap one large order could decide.",
            example: 250,
          }),
        },
      ),
      {
        description:
          "A value per user or request, such as revenue or items: harm is a lower mean. With ratio r it must be at least (2 - r) times stable's; margins are shares of the cap. Only in recorded data for now, which `haldane judge` reads.",
        example: { cap: 250 },
      },
    ),
    conversion: choice(
      object(
        { what: 'the conversion metric', elsewhere: { window: 'horizon', within: 'horizon' } },
        {
          horizon: required(duration({ min: '1s', max: '90d' }), {
            description: 'How long after a user was first given a version a conversion still counts.',
            example: '2h',
          }),
        },
      ),
      {
        description:
          "Users who convert within the horizon, compared by cohort and age so that moving weights bias nothing: harm is stable's rate beyond r times the canary's. Only in recorded data for now, which `haldane judge` reads.",
        example: { horizon: '2h' },
      },
    ),
    kayenta: choice(kayentaSchema, {
      description:
        'The judge of Kayenta, for people who come from it: several metrics, one score. It carries no error probability.',
      example: { metrics: [{ name: 'errors', metric: { errors: {} } }] },
    }),
  },
);
