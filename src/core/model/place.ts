// What a policy has to itself, which no second policy may have (row 63): a listen address, or a Deployment.
// Pure; it refuses to take one kind of router for another.
import type { Endpoint } from './gateway.ts';
import type { GatewayRouter, ReleasePolicy } from './policy.ts';

/** The embedded gateway of a policy; throws where another router splits its traffic. */
export function gatewayRouterOf(policy: ReleasePolicy): GatewayRouter {
  if (policy.router.kind !== 'gateway')
    throw new Error(`${policy.name} has no embedded gateway: ${policy.router.kind}`);
  return policy.router;
}

/** Where the embedded gateway of a policy listens; null where there is none. */
export function listenOf(policy: ReleasePolicy): Endpoint | null {
  return policy.router.kind === 'gateway' ? policy.router.listen : null;
}

/** In words, for errors: "127.0.0.1:8080", "deployment default/shop". */
export function placeText(policy: ReleasePolicy): string {
  const { router, workload, name } = policy;
  if (router.kind === 'gateway') return `${router.listen.host}:${router.listen.port}`;
  const namespace = name.includes('/') ? `${name.split('/')[0]}/` : '';
  return workload.kind === 'deployment' ? `deployment ${namespace}${workload.deployment}` : name;
}

/** Whether two policies ask for the same place. Port 0 is "any free one"; a wildcard host is in the way of every host. */
export function isSamePlace(a: ReleasePolicy, b: ReleasePolicy): boolean {
  const [left, right] = [listenOf(a), listenOf(b)];
  if (left === null || right === null) return left === right && placeText(a) === placeText(b);
  if (left.port !== right.port || left.port === 0) return false;
  return left.host === right.host || isWildcard(left.host) || isWildcard(right.host);
}

function isWildcard(host: string): boolean {
  return host === '' || host === '0.0.0.0' || host === '::';
}
