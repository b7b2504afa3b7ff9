/**
 * `ReleasePolicy` as people write it. One schema for types, defaults, errors, JSON Schema, reference page and `explain`.
 * It refuses unknown fields everywhere (row 82).
 */
import * as z from 'zod';
import { choice, defaulted, object, oneOf, optional, required } from './fields.ts';
import { anyText, duration, labelKey, name, number, url, whole, word } from './scalars.ts';
import { checksSchema, errorsSchema, routesSchema } from './schema-checks.ts';
import { presetSchema, rampSchema, stagesSchema } from './schema-ramp.ts';
import { affinitySchema, audienceSchema, routerSchema, userKeySchema } from './schema-router.ts';
import { metricsSchema } from './schema-source.ts';
import { workloadSchema } from './schema-workload.ts';

export const API_VERSION = 'haldane.dev/v1alpha1';
export const KIND = 'ReleasePolicy';

const NOT_YET_STRATEGIES = ['blueGreen', 'mirror', 'abTest', 'featureFlag', 'rolling', 'recreate', 'shadow'];

const canary = object(
  { what: 'canary capacity', elsewhere: { min: 'minReplicas', replicas: 'minReplicas' } },
  {
    minReplicas: defaulted(whole(1, 1_000, 'a number of replicas'), 1, {
      description: 'The canary has at least this many replicas.',
      example: 2,
    }),
    ratio: defaulted(number({ min: 0, max: 10, what: 'a ratio' }), 1, {
      description: "Canary replicas = max(minReplicas, ceil(ratio x weight x stable's replicas)).",
      example: 1.5,
    }),
  },
);

const exposure = object(
  { what: 'an exposure budget' },
  {
    badPerInterval: optional(
      number({ min: 0, max: 1_000_000, open: true, what: 'a number of requests' }),
      '10; 5 for a cautious ramp, 20 for a bold one',
      {
        description: 'B: bad requests accepted at risk per interval when the weight is raised.',
        example: 10,
      },
    ),
    totalRequests: optional(whole(1, 1_000_000_000_000, 'a number of requests'), 'no bound', {
      description: 'Requests the canary may get in all, over the whole release.',
      example: 100_000,
    }),
  },
);

const alpha = (what: string) => number({ min: 0, max: 0.5, open: true, what });

const alphas = object(
  { what: 'error probabilities' },
  {
    abort: defaulted(alpha('a probability'), 0.01, {
      description: 'Largest probability that a harmless version is taken back.',
      example: 0.001,
    }),
    promote: defaulted(alpha('a probability'), 0.05, {
      description: 'Largest probability that a version worse than a tolerance is promoted.',
      example: 0.01,
    }),
  },
);

const deadlines = object(
  { what: 'deadlines' },
  {
    start: defaulted(duration({ min: '1s', max: '7d' }), '10m', {
      description: 'The canary must be ready by then, counted from when it could start.',
      example: '5m',
    }),
    release: optional(duration({ min: '1s', max: '90d' }), '24h, or twice the bake times if that is longer', {
      description: 'A verdict must be there by then; pauses and waits for people do not count.',
      example: '6h',
    }),
    gate: defaulted(duration({ min: '1s', max: '90d' }), '24h', {
      description: 'A gate must have answered by then.',
      example: '2h',
    }),
    drain: defaulted(duration({ max: '1d' }), '30s', {
      description: 'Requests in flight are waited for this long before a version is stopped all the same.',
      example: '2m',
    }),
  },
);

const notify = z.array(
  oneOf(
    { what: 'a notification', notYet: ['slack', 'teams', 'email', 'pagerDuty', 'discord', 'github', 'exec'] },
    {
      webhook: choice(
        object(
          { what: 'a webhook' },
          {
            url: required(url(), {
              description: 'Gets each event by POST as JSON.',
              example: 'https://hooks.example.com/shop',
            }),
            timeout: defaulted(duration({ min: '100ms', max: '1m' }), '10s', {
              description: 'A slow listener is given up after this time; it never delays a release.',
              example: '5s',
            }),
          },
        ),
        { description: 'Call a URL.', example: { url: 'https://hooks.example.com/shop' } },
      ),
      log: choice(object({ what: 'the log' }, {}), {
        description: "Write to the agent's log. Written `log: {}`.",
        example: {},
      }),
    },
  ),
);

export const specSchema = object(
  {
    what: 'the spec',
    atMostOne: ['stages', 'preset', 'ramp'],
    notYet: ['schedule', 'dependsOn', 'baseline', 'regions', 'cells', 'templates', 'include', 'extends'],
    elsewhere: {
      steps: 'stages',
      analysisInterval: 'interval',
      skipAnalysis: 'analysis',
      provider: 'router',
      approvals: 'stages',
      target: 'workload',
      targetRef: 'workload',
    },
  },
  {
    workload: required(workloadSchema, {
      description: 'What is released, and how it is run.',
      example: { processes: { template: { version: 'v1', command: ['node', 'server.js'] } } },
    }),
    router: defaulted(
      routerSchema,
      { gateway: {} },
      {
        description: 'Who splits the requests between stable and canary.',
        example: { gateway: { listen: 8080 } },
      },
    ),
    metrics: optional(metricsSchema, 'the embedded gateway counts by itself; on Kubernetes it must be written', {
      description: 'Where measurements come from. What is measured stands in `spec.checks`.',
      example: { prometheus: { address: 'http://prometheus.monitoring:9090' } },
    }),
    strategy: defaulted(word(['canary'], { what: 'a strategy', notYet: NOT_YET_STRATEGIES }), 'canary', {
      description: 'How a new version meets its users.',
      example: 'canary',
    }),
    stages: optional(stagesSchema, '`preset` or `ramp` is used; without any of the three, ramp: {adaptive: default}', {
      description: 'Plateaus of weight, rising. After the last one follows the promotion.',
      example: [{ weight: 5, bake: '10m' }, { weight: 25, bake: '10m' }, { weight: 100 }],
    }),
    preset: optional(presetSchema, '`stages` or `ramp` is used', {
      description:
        'A named list of stages: `fast` (5, 25, 50 %, 10 min each), `slow` (1, 5, 10, 25, 50 %, 1 h each), `soak` (10 %, 30 min), or a predefined configuration of AWS CodeDeploy, with or without `CodeDeployDefault.`.',
      example: 'fast',
    }),
    ramp: optional(rampSchema, '`stages` or `preset` is used; without any of the three, {adaptive: default}', {
      description: 'The weight follows the risk bound instead of fixed stages.',
      example: { adaptive: 'default' },
    }),
    analysis: defaulted(word(['checks', 'none'], { what: 'a kind of analysis' }), 'checks', {
      description:
        '`checks`: weights rise and versions are promoted by measurements. `none`: bake times and approvals advance; the release is marked as unanalysed for ever.',
      example: 'checks',
    }),
    checks: optional(
      checksSchema,
      '`errors` and `latency` (p99), both required, each against stable with the default tolerance',
      {
        description: 'Questions about harm.',
        example: [{ name: 'errors', metric: { errors: {} }, tolerance: { ratio: 1.1, margin: '0.2%' } }],
      },
    ),
    errors: defaulted(
      errorsSchema,
      {},
      {
        description: 'What counts as an error, and which requests count at all.',
        example: { classes: ['5xx'], codes: [429] },
      },
    ),
    routes: defaulted(routesSchema, [], {
      description:
        'Named paths that are counted on their own. The built-in route `health` takes the common health paths; a route of that name replaces it.',
      example: [{ name: 'checkout', path: '/checkout' }],
    }),
    decision: defaulted(word(['automatic', 'manual', 'hybrid'], { what: 'a way to decide' }), 'automatic', {
      description:
        '`automatic`: by the verdicts. `manual`: each stage waits for a person. `hybrid`: goes on by itself while the checks pass, waits for a person on anything else.',
      example: 'hybrid',
    }),
    userKey: optional(userKeySchema, 'users are not told apart: each request is drawn by itself', {
      description: 'Where the steady key of a user is read, so that a user stays with one version.',
      example: { cookie: 'user_id' },
    }),
    affinity: optional(affinitySchema, 'no cookie is set', {
      description: 'Keep the version first given by a cookie that the gateway sets.',
      example: { cookie: 'shop-version', ttl: '30m' },
    }),
    audience: defaulted(audienceSchema, [], {
      description:
        'Requests that always get the canary, whatever the weight. Chance does not draw them, so no check compares them; they count as exposure.',
      example: [{ header: { name: 'canary', value: 'true' } }],
    }),
    canary: optional(canary, 'minReplicas 1, ratio 1', {
      description: 'Capacity of the canary, for processes that Haldane runs and for Deployments.',
      example: { minReplicas: 2, ratio: 1 },
    }),
    exposure: defaulted(
      exposure,
      {},
      {
        description: 'How much harm may be risked.',
        example: { badPerInterval: 10, totalRequests: 100_000 },
      },
    ),
    alphas: defaulted(
      alphas,
      {},
      {
        description: 'How often the two decisions may be wrong, over the whole release and however often one looks.',
        example: { abort: 0.01, promote: 0.05 },
      },
    ),
    leastBake: optional(duration({ max: '90d' }), '5m, or the sum of the bake times of the stages if that is shorter', {
      description: 'Least time under analysis before promotion, over all stages.',
      example: '15m',
    }),
    deadlines: defaulted(
      deadlines,
      {},
      {
        description: 'Every wait has an end.',
        example: { start: '5m', release: '6h' },
      },
    ),
    onDeadline: defaulted(word(['hold', 'abort', 'accept'], { what: 'what to do' }), 'hold', {
      description:
        'When the release deadline passes without a verdict: hold and ask, or abort. `accept`: promote if every required check passes at its wider margin (`tolerance.atDeadline`), hold if not.',
      example: 'abort',
    }),
    onAbort: defaulted(
      object(
        { what: 'what to do on abort' },
        {
          canary: defaulted(word(['retire', 'keep'], { what: 'what to do' }), 'retire', {
            description: '`retire` stops the canary once it is drained; `keep` leaves it running without traffic.',
            example: 'keep',
          }),
        },
      ),
      {},
      { description: 'What becomes of the canary after an abort.', example: { canary: 'keep' } },
    ),
    interval: defaulted(duration({ min: '100ms', max: '1h' }), '10s', {
      description: 'Length of one measurement window.',
      example: '5s',
    }),
    notify: defaulted(notify, [{ log: {} }], { description: 'Who hears of it.', example: [{ log: {} }] }),
    historyLimit: defaulted(whole(0, 10_000, 'a number of releases'), 20, {
      description:
        'Releases kept with their evidence, and versions that `rollback` can return to. The last two versions are always known.',
      example: 50,
    }),
  },
);

const stringMap = () => z.record(labelKey(), anyText('text', 262_144));

export const policySchema = object(
  { what: 'a ReleasePolicy', notYet: ['status'] },
  {
    apiVersion: required(word([API_VERSION], { what: 'an API version' }), {
      description: 'Version of this schema.',
      example: API_VERSION,
    }),
    kind: required(word([KIND], { what: 'a kind', notYet: ['Release', 'ReleaseCommand', 'CheckTemplate'] }), {
      description: 'Kind of the document.',
      example: KIND,
    }),
    metadata: required(
      object(
        { what: 'metadata', notYet: ['generateName', 'finalizers', 'ownerReferences'] },
        {
          name: required(name('a name'), {
            description: 'Name of the policy; one policy per workload.',
            example: 'shop',
          }),
          namespace: optional(name('a namespace'), 'on Kubernetes, the namespace that kubectl is set to', {
            description: 'Namespace of the policy and of everything it names. On Kubernetes only.',
            example: 'shop',
          }),
          labels: defaulted(
            stringMap(),
            {},
            { description: 'For people and tools; Haldane does not act on them.', example: { team: 'shop' } },
          ),
          annotations: defaulted(
            stringMap(),
            {},
            {
              description: 'For people and tools; Haldane does not act on them.',
              example: { 'example.com/owner': 'shop team' },
            },
          ),
        },
      ),
      { description: 'Name and labels.', example: { name: 'shop' } },
    ),
    spec: required(specSchema, {
      description: 'How versions of this workload are released.',
      example: { workload: { processes: { template: { version: 'v1', command: ['node', 'server.js'] } } } },
    }),
  },
);

/** A policy as a person may write it. */
export type WrittenPolicy = z.input<typeof policySchema>;
/** The same with fixed defaults filled in and leaves read: durations in milliseconds, weights as numbers. */
export type ReadPolicy = z.output<typeof policySchema>;
export type ReadSpec = ReadPolicy['spec'];
