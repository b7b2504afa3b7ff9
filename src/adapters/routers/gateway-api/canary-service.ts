// The Service that means the canary: the ports of stable's, and of its selector the labels that canary pods have. Pure.
// It refuses a stable Service that selects no pods by itself, and one that canary pods are in as well.
import { canaryName, LABEL } from '../../../cluster/names.ts';
import type { Service } from '../../../cluster/objects.ts';
import type { CanarySlot } from '../../../cluster/places.ts';
import { canonicalJson } from '../../../lib/canonical.ts';
import type { Pair } from './route.ts';

export interface CanaryService {
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: Service['spec'] & { readonly type: 'ClusterIP' };
}

export function canaryService(
  stable: Service,
  { deployment }: CanarySlot,
  policy: string,
): CanaryService | { readonly refused: string } {
  const { name } = stable.metadata;
  const { selector, ports = [] } = stable.spec;
  if (selector === undefined || Object.keys(selector).length === 0) {
    return { refused: `Service ${name} selects no pods, so no Service beside it can mean the canary` };
  }
  const labels = deployment.spec.template.metadata?.labels ?? {};
  const own = Object.fromEntries(Object.keys(selector).map((key) => [key, labels[key] ?? selector[key] ?? '']));
  if (canonicalJson(own) === canonicalJson(selector)) {
    return { refused: `the canary's pods are in Service ${name} as well; write workload.deployment.pods: isolated` };
  }
  return {
    labels: { [LABEL.policy]: policy, [LABEL.role]: 'canary' },
    spec: { type: 'ClusterIP', selector: { ...own, [LABEL.role]: 'canary' }, ports: ports.map(withoutNodePort) },
  };
}

function withoutNodePort(port: NonNullable<Service['spec']['ports']>[number]) {
  const { nodePort: _nodePort, ...rest } = port as typeof port & { readonly nodePort?: number };
  return rest;
}

export function saysService(there: Service, wanted: CanaryService): boolean {
  const plain = ({ selector, ports = [] }: Service['spec']) =>
    canonicalJson({ selector, ports: ports.map(withoutNodePort) });
  return plain(there.spec) === plain(wanted.spec);
}

export interface PairRequest {
  readonly namespace: string;
  readonly service: string;
  /** As the policy says; null: the only one there is. */
  readonly port: number | null;
  /** At which routes of the policy send to these Services now; null: they do not. */
  readonly inUse: number | null;
}

/**
 * The two Services of a policy; refused: the port is not told. One that is in use goes on to be: a Service that was changed
 * in the middle of a release must not close the way back (I3).
 */
export function pairOf(stable: Service | undefined, request: PairRequest): Pair | { readonly refused: string } {
  const { namespace, service, inUse } = request;
  if (stable === undefined) return { refused: `there is no Service ${service}` };
  const told = portOf(stable, request);
  const port = typeof told === 'string' ? inUse : told;
  if (port === null) return { refused: String(told) };
  return { namespace, stable: service, canary: canaryName(service), port };
}

/** In words why it is not told. */
function portOf(stable: Service, { service, port }: PairRequest): number | string {
  const ports = (stable.spec.ports ?? []).map((each) => each.port);
  const chosen = port ?? (ports.length === 1 ? ports[0] : undefined);
  if (chosen === undefined) {
    return `Service ${service} has ${ports.length} ports (${ports.join(', ')}); write router.gatewayApi.port`;
  }
  return ports.includes(chosen) ? chosen : `Service ${service} has no port ${chosen}; it has ${ports.join(', ')}`;
}
