// The selectors that are asked for, with every value escaped for where it stands: a value can never change what is asked.
import type { CounterSet } from '../../../core/model/policy.ts';

/** What a selector may name. */
export interface SelectorValues {
  readonly namespace: string;
  /** Names of pods of both versions. */
  readonly pods: readonly string[];
  readonly service: string;
  readonly canaryService: string;
}

export interface Selectors {
  readonly requests: string;
  /** Of which every sample is an error; null: told by the status. */
  readonly bad: string | null;
  readonly latency: string | null;
  readonly statusLabel: string;
  /** What a bucket's `le` is multiplied with to be seconds. */
  readonly bucketSeconds: number;
  /** Which label tells the version: the pod's name, or the Service's in the proxy's own words. */
  readonly toldBy: 'pod' | 'traefik' | 'envoy';
}

export function selectorsOf(counters: CounterSet, values: SelectorValues): Selectors {
  switch (counters.kind) {
    case 'pods': {
      const matchers = `{namespace=${quoted(values.namespace)},pod=~${quoted(anyOf(values.pods))}}`;
      return {
        requests: `${counters.requests}${matchers}`,
        bad: null,
        latency: counters.latency === null ? null : `${counters.latency}_bucket${matchers}`,
        statusLabel: counters.statusLabel,
        bucketSeconds: 1,
        toldBy: 'pod',
      };
    }
    case 'traefik':
      return {
        requests: `traefik_service_requests_total{service=~${quoted(bothServices('traefik', values))}}`,
        bad: null,
        latency: `traefik_service_request_duration_seconds_bucket{service=~${quoted(bothServices('traefik', values))}}`,
        statusLabel: 'code',
        bucketSeconds: 1,
        toldBy: 'traefik',
      };
    case 'envoy':
      return {
        requests: `envoy_cluster_upstream_rq{envoy_cluster_name=~${quoted(bothServices('envoy', values))}}`,
        bad: null,
        latency: `envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name=~${quoted(bothServices('envoy', values))}}`,
        statusLabel: 'envoy_response_code',
        bucketSeconds: 0.001,
        toldBy: 'envoy',
      };
    case 'queries':
      return {
        requests: filled(counters.total, values),
        bad: filled(counters.bad, values),
        latency: counters.latency === null ? null : filled(counters.latency, values),
        statusLabel: '',
        bucketSeconds: 1,
        toldBy: 'pod',
      };
  }
}

/** How a proxy names a Service, as a pattern for the whole name: Traefik "shop-web-http-80@...", Envoy under Contour "shop_web_80". */
export function serviceName(proxy: 'traefik' | 'envoy', namespace: string, service: string): string {
  const [of, name] = [literal(namespace), literal(service)];
  return proxy === 'traefik' ? `${of}-${name}-(?:https?-|h2c-|wss?-)?[0-9]+@.+` : `${of}[_/]${name}[_/].+`;
}

function bothServices(proxy: 'traefik' | 'envoy', { namespace, service, canaryService }: SelectorValues): string {
  return [service, canaryService].map((name) => serviceName(proxy, namespace, name)).join('|');
}

/** $name inside a quoted string becomes its value, escaped for a string and, where it is a list, for a pattern. */
export function filled(selector: string, values: SelectorValues): string {
  const texts: Readonly<Record<string, string>> = {
    pods: inString(anyOf(values.pods)),
    namespace: inString(values.namespace),
    service: inString(values.service),
    canaryService: inString(values.canaryService),
  };
  return selector.replace(/\$(\w+)/g, (whole, name: string) => texts[name] ?? whole);
}

/** A pattern of RE2 that matches exactly these; nothing, if there are none. */
export function anyOf(names: readonly string[]): string {
  return names.length === 0 ? '[^\\s\\S]' : names.map(literal).join('|');
}

export function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

export function quoted(text: string): string {
  return `"${inString(text)}"`;
}

function inString(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
