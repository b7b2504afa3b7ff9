/**
 * Rules of Kubernetes: a Deployment goes with a router of its cluster and with a source that counts there, and neither goes
 * with the embedded gateway. What a router cannot do is refused, not left out (decision 2, row 84).
 */
import { type RuleContext, refuseTwice } from './rule-report.ts';

const CLUSTER_ROUTERS = ['replicaShare', 'gatewayApi'] as const;

export function kubernetesRules(context: RuleContext): void {
  const { spec } = context;
  if (spec.workload === undefined) return;
  if (spec.workload.deployment === undefined) {
    if (spec.workload.processes !== undefined || spec.workload.upstreams !== undefined) machineRules(context);
    return;
  }
  routerRules(context);
  podRules(context);
  metricsRules(context);
  jobRules(context);
  fractionRules(context);
  if (spec.router?.replicaShare !== undefined) replicaShareRules(context);
  if (spec.router?.gatewayApi !== undefined) gatewayApiRules(context);
}

/** Processes and upstreams stand behind the embedded gateway, which counts by itself. */
function machineRules({ spec, report, isNamespaced }: RuleContext): void {
  for (const router of CLUSTER_ROUTERS) {
    report.refuseIf(
      spec.router?.[router] !== undefined,
      ['router', router],
      'splits the requests to pods, and these are not pods',
      'write router: {gateway: {}}, or workload: {deployment: {name: ...}}',
    );
  }
  for (const source of ['prometheus', 'pods'] as const) {
    report.refuseIf(
      spec.metrics?.[source] !== undefined,
      ['metrics', source],
      'is read on Kubernetes only for now; the embedded gateway counts by itself',
      'take metrics out',
    );
  }
  if (isNamespaced) {
    report.refuseAt(
      ['metadata', 'namespace'],
      'there are no namespaces on one machine',
      'take it out, or write workload: {deployment: {name: ...}}',
    );
  }
}

function routerRules({ spec, report }: RuleContext): void {
  if (spec.router?.gateway === undefined) return;
  const name = spec.workload?.deployment?.name ?? 'shop';
  report.refuse(
    ['router'],
    'the embedded gateway cannot split the requests to pods of a Deployment',
    `write router: {replicaShare: {service: ${name}}}, or router: {gatewayApi: ...} where there is a Gateway`,
    'replicaShare',
  );
}

function podRules({ spec, report }: RuleContext): void {
  const { pods, label } = spec.workload?.deployment ?? {};
  const at = ['workload', 'deployment'];
  const { replicaShare, gatewayApi } = spec.router ?? {};
  report.refuseIf(
    pods === 'isolated' && replicaShare !== undefined,
    [...at, 'pods'],
    'replica share needs canary pods that the Service selects, and isolated ones it does not',
    'write pods: shared, or take the line out',
  );
  report.refuseIf(
    pods === 'shared' && gatewayApi !== undefined,
    [...at, 'pods'],
    'a weighted route needs canary pods that the Service of stable does not select',
    'write pods: isolated, or take the line out',
  );
  report.refuseIf(
    label !== undefined && (pods === 'shared' || replicaShare !== undefined),
    [...at, 'label'],
    'is never used: shared canary pods keep all their labels',
    'take label out',
  );
}

function metricsRules({ spec, report, isWritten }: RuleContext): void {
  const at = ['metrics'];
  if (!isWritten('metrics')) {
    report.refuse(
      at,
      "metrics is required on Kubernetes and missing: nobody else counts a Deployment's requests",
      'write metrics: {pods: {}} to scrape the pods themselves, or metrics: {prometheus: {address: http://prometheus.monitoring:9090}}',
    );
    return;
  }
  report.refuseIf(
    spec.metrics?.gateway !== undefined,
    [...at, 'gateway'],
    'the embedded gateway does not see the requests to pods',
    'write metrics: {pods: {}}, or metrics: {prometheus: {address: http://prometheus.monitoring:9090}}',
  );
  const { bearer, basic, headers, counters } = spec.metrics?.prometheus ?? {};
  report.refuseIf(
    bearer !== undefined && basic !== undefined,
    [...at, 'prometheus'],
    'bearer and basic are both written, and one request carries one of them',
    'keep one of bearer or basic',
  );
  for (const header of Object.keys(headers ?? {})) {
    report.refuseIf(
      /^(?:authorization|cookie|proxy-authorization)$/i.test(header),
      [...at, 'prometheus', 'headers', header],
      'is a secret, and policies live in git',
      'write bearer: {secret: ..., key: ...} or basic',
    );
  }
  for (const proxy of ['traefik', 'envoy'] as const) {
    report.refuseIf(
      counters?.[proxy] !== undefined && spec.router?.replicaShare !== undefined,
      [...at, 'prometheus', 'counters', proxy],
      'a proxy counts by Service, and with replica share both versions are behind one',
      'write counters: {pods: {}}',
    );
  }
}

/** A job runs a program beside the agent; the operator runs none. */
function jobRules({ spec, report }: RuleContext): void {
  const lists = [
    ...(spec.stages ?? []).map((stage, index) => ({ gates: stage?.gates, path: ['stages', index, 'gates'] })),
    { gates: spec.ramp?.gates, path: ['ramp', 'gates'] },
  ];
  for (const { gates, path } of lists) {
    for (const [index, gate] of (gates ?? []).entries()) {
      report.refuseIf(
        gate?.job !== undefined,
        [...path, index, 'job'],
        'runs a program beside the agent, and on Kubernetes nothing is run from a policy',
        'write a webhook that starts the job, or an approval',
      );
    }
  }
}

/** The API server takes these as a whole number or as text (x-kubernetes-int-or-string), and refuses 0.5. */
export const WHOLE_OR_TEXT = ['spec.stages[].weight', 'spec.router.gatewayApi.mirror'] as const;

function fractionRules({ spec, report, written }: RuleContext): void {
  const weights = (spec.stages ?? []).map((_stage, index) => ['stages', index, 'weight']);
  for (const path of [...weights, ['router', 'gatewayApi', 'mirror']]) {
    const value = written(...path);
    report.refuseIf(
      typeof value === 'number' && !Number.isInteger(value),
      path,
      `${String(value)} is no whole number, and the API server of Kubernetes takes a fraction as text only`,
      `write "${String(value)}%"`,
    );
  }
}

function replicaShareRules({ spec, report, isWritten }: RuleContext): void {
  const reason = 'a Service draws each connection by itself';
  const fix = 'take it out, or use router.gatewayApi';
  for (const key of ['userKey', 'affinity'] as const) {
    report.refuseIf(isWritten(key), [key], `replica share cannot keep users apart: ${reason}`, fix);
  }
  const hasAudience = (spec.audience?.length ?? 0) > 0;
  report.refuseIf(hasAudience, ['audience'], `replica share cannot send an audience: ${reason}`, fix);
}

function gatewayApiRules({ spec, report, isWritten }: RuleContext): void {
  const { route, mirror } = spec.router?.gatewayApi ?? {};
  const at = ['router', 'gatewayApi'];
  report.refuseIf(
    isWritten('userKey'),
    ['userKey'],
    'the Gateway API draws each request by itself and reads no key of a user',
    'write affinity: {}, so that a cookie keeps the version first given',
  );
  const isAdopted = route?.adopted !== undefined;
  const owned = 'write route: {owned: ...}, or take it out';
  report.refuseIf(mirror !== undefined && isAdopted, [...at, 'mirror'], 'only an owned route can mirror', owned);
  report.refuseIf(
    spec.affinity !== undefined && isAdopted,
    ['affinity'],
    'needs a rule of its own, and of an adopted route Haldane changes weights alone',
    owned,
  );
  for (const index of (spec.audience ?? []).keys()) {
    report.refuseIf(
      isAdopted,
      ['audience', index],
      'needs a rule of its own, and of an adopted route Haldane changes weights alone',
      owned,
    );
  }
  const { parents, hostnames, matches } = route?.owned ?? {};
  const below = [...at, 'route', 'owned'];
  report.refuseIf(
    parents?.length === 0,
    [...below, 'parents'],
    'is an empty list, so no Gateway would use the route',
    'name a Gateway, as in - {name: web}',
  );
  report.refuseIf(
    matches?.length === 0,
    [...below, 'matches'],
    'is an empty list, so no request would match',
    'take the line out for every path',
  );
  refuseTwice(report, [...below, 'hostnames'], hostnames ?? [], 'host name');
  for (const [key, list, most] of [
    ['parents', parents, 32],
    ['hostnames', hostnames, 16],
    // Of 64 matches, room is left for the audience and the affinity.
    ['matches', matches, 32],
  ] as const) {
    const count = list?.length ?? 0;
    report.refuseIf(count > most, [...below, key], `holds ${count} entries`, `write at most ${most}`);
  }
}
