// From what the engine wants to the gateway's whole configuration. Refuses a split that would send anyone to a version
// without an endpoint (I1, row 17). Pure.
import type { Backend } from '../../../core/model/effect.ts';
import type { GatewayConfig, GatewayVersion } from '../../../core/model/gateway.ts';
import { gatewayRouterOf } from '../../../core/model/place.ts';
import type { ReleasePolicy } from '../../../core/model/policy.ts';
import type { Split } from '../../../core/model/split.ts';

export type Content = Omit<GatewayConfig, 'generation'>;

/** Why this split must not be put in force, in words; null if it may. */
export function whyRefused(split: Split, backends: readonly Backend[]): string | null {
  const withoutEndpoints = (revision: string) =>
    (backends.find((backend) => backend.revision === revision)?.endpoints.length ?? 0) === 0;
  const labelOf = (revision: string) => backends.find((backend) => backend.revision === revision)?.label ?? revision;
  for (const { revision, weightPercent } of split.weights) {
    if (weightPercent > 0 && withoutEndpoints(revision)) {
      return `${labelOf(revision)} has no ready endpoint, so its ${weightPercent} % would be answered by nothing; the last good split stays`;
    }
  }
  const rule = split.rules.find(({ revision }) => withoutEndpoints(revision));
  return rule === undefined
    ? null
    : `${labelOf(rule.revision)} has no ready endpoint, so requests that match its rule would be answered by nothing; the last good split stays`;
}

export function contentFor(policy: ReleasePolicy, split: Split, backends: readonly Backend[]): Content {
  const { listen, timeouts, limits, accessLog } = gatewayRouterOf(policy);
  return {
    service: policy.name,
    listen,
    versions: versionsFor(split, backends),
    split,
    routes: policy.routes,
    retryHeader: policy.errors.retryHeader,
    timeouts,
    limits,
    accessLog,
  };
}

/** Every version of the split is there, even one with weight 0 and no endpoint. */
function versionsFor(split: Split, backends: readonly Backend[]): readonly GatewayVersion[] {
  const known = backends.map(({ revision, label, endpoints }) => ({ revision, label, endpoints }));
  const missing = split.weights
    .filter(({ revision }) => !known.some((version) => version.revision === revision))
    .map(({ revision }) => ({ revision, label: revision, endpoints: [] }));
  return [...known, ...missing];
}

/** Whether a configuration in force already says this, whatever its generation. */
export function says(config: GatewayConfig | null, content: Content): boolean {
  if (config === null) return false;
  const { generation: _, ...inForce } = config;
  return canonical(inForce) === canonical(content);
}

export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)))
      : part,
  );
}
