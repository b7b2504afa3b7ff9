// What is asked of Prometheus for a policy, and how a series of the answer tells its version (row 50): by its pod, by the
// Service in the proxy's own words, or because the question was of one version only. It refuses questions whose answers
// nobody could tell apart.
import { canaryName, policyKey } from '../../../cluster/names.ts';
import type { CounterSet, ReleasePolicy } from '../../../core/model/policy.ts';
import type { Revision } from '../../../core/model/split.ts';
import { NotCounts, nameOf, type Series } from './samples.ts';
import {
  anyOf,
  filled,
  formatSelector,
  literal,
  namesParameter,
  parseSelector,
  type Selector,
} from './selector-text.ts';

/** all: every request. bad: those that are errors. latency: the buckets of a histogram. */
export type Role = 'all' | 'bad' | 'latency';

export interface Question {
  readonly role: Role;
  readonly selector: Selector;
  /** null: of neither version. */
  readonly versionOf: (labels: Series['labels']) => Revision | null;
}

export interface Asking {
  readonly policy: ReleasePolicy;
  readonly counters: CounterSet;
  /** What stable's Service means, and the canary's. */
  readonly stable: Revision | null;
  readonly canary: Revision | null;
  readonly revisions: readonly Revision[];
  /** By name. */
  readonly pods: ReadonlyMap<string, Revision>;
  readonly wantsLatency: boolean;
}

export interface Questions {
  readonly all: readonly Question[];
  /** Whether each series is one pod's own, told by its label `pod`. */
  readonly byPod: boolean;
  /** null: errors are told by a question of their own. */
  readonly statusLabel: string | null;
  /** Units of `le` in a second. */
  readonly perSecond: number;
}

export function questionsOf(asking: Asking): Questions {
  const { counters } = asking;
  switch (counters.kind) {
    case 'pods':
      return { all: ofPods(asking, counters), byPod: true, statusLabel: counters.statusLabel, perSecond: 1 };
    case 'traefik':
      return { all: ofProxy(asking, TRAEFIK), byPod: false, statusLabel: 'code', perSecond: 1 };
    case 'envoy':
      return { all: ofProxy(asking, ENVOY), byPod: false, statusLabel: 'envoy_response_code', perSecond: 1_000 };
    case 'queries':
      return {
        all: ofQueries(asking, counters),
        byPod: namesParameter(parseSelector(counters.total), 'pods'),
        statusLabel: null,
        perSecond: 1,
      };
  }
}

function ofPods(asking: Asking, counters: Extract<CounterSet, { kind: 'pods' }>): readonly Question[] {
  const { pods, policy, wantsLatency } = asking;
  if (pods.size === 0) return [];
  const { namespace } = policyKey(policy.name);
  const versionOf = ({ ...labels }: Series['labels']) => {
    if (labels.pod === undefined)
      throw new NotCounts(`${nameOf(labels)} has no label pod, so its version is not known`);
    return pods.get(labels.pod) ?? null;
  };
  const question = (role: Role, name: string): Question => ({
    role,
    versionOf,
    selector: {
      name,
      matchers: [
        { label: 'namespace', op: '=', value: namespace },
        { label: 'pod', op: '=~', value: anyOf([...pods.keys()]) },
      ],
    },
  });
  const latency = wantsLatency && counters.latency !== null ? [question('latency', `${counters.latency}_bucket`)] : [];
  return [question('all', counters.requests), ...latency];
}

interface Proxy {
  readonly label: string;
  readonly requests: string;
  readonly latency: string;
  /** How it calls a Service, as a pattern for the whole name. */
  readonly nameOf: (namespace: string, service: string) => string;
}

/** Its Gateway API provider: "shop-web-http-80@kubernetesgateway", and without "http" before 3.3. Signs in a row are one. */
const TRAEFIK: Proxy = {
  label: 'service',
  requests: 'traefik_service_requests_total',
  latency: 'traefik_service_request_duration_seconds_bucket',
  nameOf: (namespace, service) =>
    `${literal(`${namespace}-${service}`.replace(/[^a-z0-9]+/g, '-'))}(?:-http)?-[0-9]+@kubernetesgateway`,
};

/** As Contour has it tell its clusters: "shop_web_80". Durations are in milliseconds. */
const ENVOY: Proxy = {
  label: 'envoy_cluster_name',
  requests: 'envoy_cluster_upstream_rq',
  latency: 'envoy_cluster_upstream_rq_time_bucket',
  nameOf: (namespace, service) => `${literal(namespace)}_${literal(service)}_[0-9]+`,
};

function ofProxy({ policy, stable, canary, wantsLatency }: Asking, proxy: Proxy): readonly Question[] {
  const service = serviceOf(policy);
  const { namespace } = policyKey(policy.name);
  const names = [service, canaryName(service)].map((name) => proxy.nameOf(namespace, name));
  const [isStable, isCanary] = names.map((name) => new RegExp(`^(?:${name})$`));
  const versionOf = (labels: Series['labels']) => {
    const told = labels[proxy.label] ?? '';
    if (isCanary?.test(told)) return canary;
    return isStable?.test(told) ? stable : null;
  };
  const question = (role: Role, name: string): Question => ({
    role,
    versionOf,
    selector: { name, matchers: [{ label: proxy.label, op: '=~', value: names.join('|') }] },
  });
  return [question('all', proxy.requests), ...(wantsLatency ? [question('latency', proxy.latency)] : [])];
}

function serviceOf({ router, name }: ReleasePolicy): string {
  if (router.kind === 'gatewayApi') return router.service;
  throw new NotCounts(`the counters of a proxy tell the versions of ${name} apart only behind a Gateway`);
}

/** One question for each version: $pods are its pods, $service its Service. */
function ofQueries(asking: Asking, counters: Extract<CounterSet, { kind: 'queries' }>): readonly Question[] {
  const { policy, wantsLatency } = asking;
  const written: readonly (readonly [Role, string | null])[] = [
    ['all', counters.total],
    ['bad', counters.bad],
    ['latency', wantsLatency ? counters.latency : null],
  ];
  const { namespace } = policyKey(policy.name);
  return asking.revisions.flatMap((revision) => {
    const pods = [...asking.pods].flatMap(([name, of]) => (of === revision ? [name] : []));
    const service = serviceMeaning(asking, revision);
    return written.flatMap(([role, text]): readonly Question[] => {
      if (text === null) return [];
      const selector = parseSelector(text);
      const [byPods, byService] = [namesParameter(selector, 'pods'), namesParameter(selector, 'service')];
      if (!byPods && (!byService || policy.router.kind !== 'gatewayApi')) {
        throw new NotCounts(`${selector.name} is the same for both versions: add pod=~"$pods" to its selector`);
      }
      if ((byPods && pods.length === 0) || (byService && service === null)) return [];
      const own = filled(selector, { namespace, pods, service: service ?? '' });
      return [{ role, selector: own, versionOf: () => revision }];
    });
  });
}

function serviceMeaning({ policy, stable, canary }: Asking, revision: Revision): string | null {
  if (policy.router.kind === 'gateway') return null;
  const { service } = policy.router;
  if (policy.router.kind === 'replicaShare' || revision === stable) return service;
  return revision === canary ? canaryName(service) : null;
}

export function textOf({ selector }: Question): string {
  return formatSelector(selector);
}
