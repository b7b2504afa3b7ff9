/**
 * What a structural schema cannot say about a ReleasePolicy, in CEL, by path: the rules between fields that people most
 * often trip over, each with the compiler's sentence. The compiler asks all of them again, and more: what only it refuses is
 * told in the status. `[]` stands for an entry of a list.
 */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
  readonly fieldPath?: string;
}

/** What runs on one machine only: left out, so that it is an unknown field on Kubernetes. */
export const omittedPaths: readonly string[] = [
  'spec.workload.processes',
  'spec.workload.upstreams',
  'spec.router.gateway',
  'spec.metrics.gateway',
  'spec.stages[].gates[].job',
  'spec.ramp.gates[].job',
  'spec.errors.routes',
  'spec.errors.methods',
  'spec.errors.exceptRoutes',
  'spec.errors.retryHeader',
  'spec.errors.endings',
  'spec.routes',
  'spec.checks[].routes',
  'spec.checks[].methods',
  'spec.checks[].metric.business',
  'spec.checks[].metric.gauge',
  'spec.checks[].metric.mean',
  'spec.checks[].metric.conversion',
  'spec.checks[].metric.kayenta.metrics[].routes',
  'spec.checks[].metric.kayenta.metrics[].methods',
];

const REPLICA_SHARE = 'has(self.router) && has(self.router.replicaShare)';
const GATEWAY_API = 'has(self.router) && has(self.router.gatewayApi)';
const ADOPTED = `${GATEWAY_API} && has(self.router.gatewayApi.route) && has(self.router.gatewayApi.route.adopted)`;
const HAS_AUDIENCE = 'has(self.audience) && self.audience.size() > 0';
const DEPLOYMENT = 'has(self.workload) && has(self.workload.deployment)';
const PODS = `${DEPLOYMENT} && has(self.workload.deployment.pods)`;

function never(left: string, right: string): string {
  return `!(${left} && ${right})`;
}

const WEIGHTS =
  "self.stages.map(s, type(s.weight) == int ? double(s.weight) : double(s.weight.replace('%', '').replace(' ', '')))";

const SPEC: readonly CelRule[] = [
  {
    rule: 'has(self.router)',
    message: 'router is required: write router: {replicaShare: {service: ...}}, or gatewayApi where there is a Gateway',
  },
  {
    rule: 'has(self.metrics)',
    message:
      "metrics is required, since nobody else counts a Deployment's requests: write metrics: {pods: {}} to scrape the pods themselves, or metrics: {prometheus: {address: http://prometheus.monitoring:9090}}",
  },
  {
    rule: '[has(self.stages), has(self.preset), has(self.ramp)].filter(x, x).size() <= 1',
    message: 'stages, preset and ramp exclude each other: keep one of them',
  },
  {
    rule: `!has(self.stages) || ${WEIGHTS}.isSorted()`,
    message: 'the weights of the stages must rise: order them by rising weight',
    fieldPath: '.stages',
  },
  {
    rule: '!has(self.stages) || self.stages.size() > 0',
    message: 'stages is an empty list: write at least one, as in - {weight: 5, bake: 10m}',
    fieldPath: '.stages',
  },
  {
    rule: "!(has(self.analysis) && self.analysis == 'none') || !has(self.checks)",
    message: 'analysis: none never asks checks: take the checks out, or take analysis: none out',
    fieldPath: '.checks',
  },
  {
    rule: "!(has(self.analysis) && self.analysis == 'none') || has(self.stages) || has(self.preset)",
    message: 'analysis: none leaves an adaptive ramp nothing to follow: write stages or a preset',
    fieldPath: '.analysis',
  },
  {
    rule: '!has(self.checks) || self.checks.size() > 0',
    message:
      'checks is an empty list, so nothing could be proven: take the line out for the default checks, or write analysis: none',
    fieldPath: '.checks',
  },
  {
    rule: '!has(self.userKey)',
    message:
      'no router of Kubernetes reads the key of a user: take userKey out; with router.gatewayApi, affinity: {} keeps the version first given',
    fieldPath: '.userKey',
  },
  {
    rule: never(REPLICA_SHARE, 'has(self.affinity)'),
    message:
      'replica share cannot keep users apart, since a Service draws each connection by itself: take affinity out, or use router.gatewayApi',
    fieldPath: '.affinity',
  },
  {
    rule: never(REPLICA_SHARE, `(${HAS_AUDIENCE})`),
    message:
      'replica share cannot send an audience, since a Service draws each connection by itself: take audience out, or use router.gatewayApi',
    fieldPath: '.audience',
  },
  {
    rule: never(ADOPTED, 'has(self.affinity)'),
    message:
      'affinity needs a rule of its own, and of an adopted route Haldane changes weights alone: write route: {owned: ...}',
    fieldPath: '.affinity',
  },
  {
    rule: never(ADOPTED, `(${HAS_AUDIENCE})`),
    message:
      'an audience needs a rule of its own, and of an adopted route Haldane changes weights alone: write route: {owned: ...}',
    fieldPath: '.audience',
  },
  {
    rule: never(REPLICA_SHARE, `(${PODS} && self.workload.deployment.pods == 'isolated')`),
    message:
      'replica share needs canary pods that the Service selects, and isolated ones it does not: write pods: shared, or take the line out',
    fieldPath: '.workload.deployment.pods',
  },
  {
    rule: never(GATEWAY_API, `(${PODS} && self.workload.deployment.pods == 'shared')`),
    message:
      'a weighted route needs canary pods that the Service of stable does not select: write pods: isolated, or take the line out',
    fieldPath: '.workload.deployment.pods',
  },
  {
    rule: never(REPLICA_SHARE, `(${DEPLOYMENT} && has(self.workload.deployment.label))`),
    message: 'label is never used with replica share: shared canary pods keep all their labels',
    fieldPath: '.workload.deployment.label',
  },
  {
    rule: never(
      REPLICA_SHARE,
      '(has(self.metrics) && has(self.metrics.prometheus) && has(self.metrics.prometheus.counters) && (has(self.metrics.prometheus.counters.traefik) || has(self.metrics.prometheus.counters.envoy)))',
    ),
    message:
      'a proxy counts by Service, and with replica share both versions are behind one: write counters: {pods: {}}',
    fieldPath: '.metrics',
  },
];

/** Exactly one of the keys, in words. */
function oneOf(what: string, keys: readonly string[]): CelRule {
  const has = keys.map((key) => `has(self.${key})`);
  if (keys.length === 1) return { rule: String(has[0]), message: `${what} is ${keys[0]}: write it` };
  return {
    rule: `[${has.join(', ')}].filter(x, x).size() == 1`,
    message: `${what} is exactly one of ${keys.slice(0, -1).join(', ')} or ${keys.at(-1)}: keep one of them`,
  };
}

const RULES: Readonly<Record<string, readonly CelRule[]>> = {
  spec: SPEC,
  'spec.workload': [oneOf('a workload on Kubernetes', ['deployment'])],
  'spec.workload.deployment.name': [
    {
      rule: 'self == oldSelf',
      message:
        'a policy stays with its Deployment: for another one make another policy of another name, and delete this one, which gives its Deployment back',
    },
  ],
  'spec.router': [oneOf('a router', ['replicaShare', 'gatewayApi'])],
  'spec.router.gatewayApi': [
    {
      rule: '!(has(self.mirror) && has(self.route.adopted))',
      message: 'only an owned route can mirror: write route: {owned: ...}, or take mirror out',
      fieldPath: '.mirror',
    },
  ],
  'spec.router.gatewayApi.route': [oneOf('a route', ['owned', 'adopted'])],
  'spec.router.gatewayApi.route.owned': [
    {
      rule: 'self.parents.size() > 0',
      message: 'parents is an empty list, so no Gateway would use the route',
      fieldPath: '.parents',
    },
    {
      rule: '!has(self.matches) || self.matches.size() > 0',
      message: 'matches is an empty list, so no request would match: take the line out for every path',
      fieldPath: '.matches',
    },
  ],
  'spec.metrics': [oneOf('a source of measurements on Kubernetes', ['prometheus', 'pods'])],
  'spec.metrics.prometheus': [
    {
      rule: '!(has(self.bearer) && has(self.basic))',
      message: 'one request carries one of bearer and basic: keep one of them',
    },
    {
      rule: "!has(self.headers) || self.headers.all(name, !(name.lowerAscii() in ['authorization', 'proxy-authorization', 'cookie']))",
      message: 'secrets do not belong into a policy: write bearer: {secret: ..., key: ...} or basic',
      fieldPath: '.headers',
    },
  ],
  'spec.metrics.prometheus.counters': [oneOf('a set of counters', ['pods', 'traefik', 'envoy', 'queries'])],
  'spec.stages[].gates[]': [oneOf('a gate', ['approval', 'webhook'])],
  'spec.ramp.gates[]': [oneOf('a gate', ['approval', 'webhook'])],
  'spec.checks[]': [
    {
      rule: '!(has(self.flagger) && has(self.argo))',
      message: 'a check is judged by one rule: keep flagger or argo',
    },
  ],
  'spec.checks[].metric': [oneOf('a metric on Kubernetes', ['errors', 'latency', 'count', 'kayenta'])],
  'spec.checks[].metric.kayenta.metrics[].metric': [oneOf('a metric of Kayenta', ['errors', 'latency'])],
  'spec.checks[].limit': [oneOf('a limit', ['above', 'below'])],
  'spec.audience[]': [oneOf('a rule of the audience', ['header', 'cookie'])],
  'spec.notify[]': [oneOf('a notification', ['webhook', 'log'])],
};

export function rulesOf(path: string): readonly CelRule[] {
  return RULES[path] ?? [];
}

/** Every path with rules, so that a test can tell a rule that stands nowhere. */
export const rulePaths: readonly string[] = Object.keys(RULES);
