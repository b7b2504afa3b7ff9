// What the implementation behind a Gateway says it can do. Asked before a mirror is written, since at least one implementation
// answers 500 to every request of a rule whose filter it does not know, and reports the route as accepted.
import type { ParentReference } from '../../../core/model/policy.ts';
import {
  GATEWAY_CLASSES,
  GATEWAYS,
  isForbidden,
  type KubeApi,
  type KubeObject,
  type Resource,
} from '../../../kubernetes/index.ts';

interface Gateway extends KubeObject {
  readonly spec: { readonly gatewayClassName: string };
}

interface GatewayClass extends KubeObject {
  readonly status?: { readonly supportedFeatures?: readonly (string | { readonly name: string })[] };
}

/** In words why no mirror may be written; null: nobody says that it cannot be. */
export async function whyNoMirror(
  api: KubeApi,
  parents: readonly ParentReference[],
  { namespace, percent }: { readonly namespace: string; readonly percent: number },
): Promise<string | null> {
  for (const parent of parents) {
    const at = { namespace: parent.namespace ?? namespace, name: parent.name };
    const features = await featuresOf(api, at);
    if (features === null) continue;
    if (!features.includes('HTTPRouteRequestMirror')) {
      return `Gateway ${at.namespace}/${at.name} cannot mirror requests; take router.gatewayApi.mirror out`;
    }
    if (percent < 100 && !features.includes('HTTPRouteRequestPercentageMirror')) {
      return `Gateway ${at.namespace}/${at.name} mirrors every request or none; write mirror: 100%, or take it out`;
    }
  }
  return null;
}

/** null: it does not say. */
async function featuresOf(
  api: KubeApi,
  at: { readonly namespace: string; readonly name: string },
): Promise<readonly string[] | null> {
  const gateway = await readable<Gateway>(api, GATEWAYS, at);
  if (gateway === null) return null;
  const { gatewayClassName } = gateway.spec;
  const features = (await readable<GatewayClass>(api, GATEWAY_CLASSES, { name: gatewayClassName }))?.status
    ?.supportedFeatures;
  if (features === undefined || features.length === 0) return null;
  return features.map((feature) => (typeof feature === 'string' ? feature : feature.name));
}

async function readable<T extends KubeObject>(
  api: KubeApi,
  resource: Resource,
  at: { readonly namespace?: string; readonly name: string },
): Promise<T | null> {
  try {
    return await api.get<T>(resource, at);
  } catch (error) {
    if (isForbidden(error)) return null;
    throw error;
  }
}
