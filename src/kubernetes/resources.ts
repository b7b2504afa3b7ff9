// The kinds Haldane reads or writes, and where the API server keeps them.
import type { ObjectName, Resource } from './types.ts';

/** "apps/v1", or "v1" for the core group. */
function resource(apiVersion: string, plural: string, kind: string, namespaced = true): Resource {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  return { group, version, plural, kind, namespaced };
}

const ADMISSION = 'admissionregistration.k8s.io/v1';
const GATEWAY = 'gateway.networking.k8s.io/v1';
const HALDANE = 'haldane.dev/v1alpha1';

export const DEPLOYMENTS = resource('apps/v1', 'deployments', 'Deployment');
export const REPLICA_SETS = resource('apps/v1', 'replicasets', 'ReplicaSet');
export const PODS = resource('v1', 'pods', 'Pod');
export const SERVICES = resource('v1', 'services', 'Service');
export const ENDPOINT_SLICES = resource('discovery.k8s.io/v1', 'endpointslices', 'EndpointSlice');
export const EVENTS = resource('v1', 'events', 'Event');
export const LEASES = resource('coordination.k8s.io/v1', 'leases', 'Lease');
export const CONFIG_MAPS = resource('v1', 'configmaps', 'ConfigMap');
export const SECRETS = resource('v1', 'secrets', 'Secret');
export const NAMESPACES = resource('v1', 'namespaces', 'Namespace', false);
export const CUSTOM_RESOURCE_DEFINITIONS = resource(
  'apiextensions.k8s.io/v1',
  'customresourcedefinitions',
  'CustomResourceDefinition',
  false,
);
export const HTTP_ROUTES = resource(GATEWAY, 'httproutes', 'HTTPRoute');
export const GATEWAYS = resource(GATEWAY, 'gateways', 'Gateway');
export const GATEWAY_CLASSES = resource(GATEWAY, 'gatewayclasses', 'GatewayClass', false);
export const RELEASE_POLICIES = resource(HALDANE, 'releasepolicies', 'ReleasePolicy');
export const RELEASES = resource(HALDANE, 'releases', 'Release');
export const RELEASE_COMMANDS = resource(HALDANE, 'releasecommands', 'ReleaseCommand');
export const MUTATING_ADMISSION_POLICIES = resource(
  ADMISSION,
  'mutatingadmissionpolicies',
  'MutatingAdmissionPolicy',
  false,
);
export const MUTATING_ADMISSION_POLICY_BINDINGS = resource(
  ADMISSION,
  'mutatingadmissionpolicybindings',
  'MutatingAdmissionPolicyBinding',
  false,
);
export const VALIDATING_ADMISSION_POLICIES = resource(
  ADMISSION,
  'validatingadmissionpolicies',
  'ValidatingAdmissionPolicy',
  false,
);
export const VALIDATING_ADMISSION_POLICY_BINDINGS = resource(
  ADMISSION,
  'validatingadmissionpolicybindings',
  'ValidatingAdmissionPolicyBinding',
  false,
);
export const HORIZONTAL_POD_AUTOSCALERS = resource(
  'autoscaling/v2',
  'horizontalpodautoscalers',
  'HorizontalPodAutoscaler',
);
export const POD_DISRUPTION_BUDGETS = resource('policy/v1', 'poddisruptionbudgets', 'PodDisruptionBudget');
export const NETWORK_POLICIES = resource('networking.k8s.io/v1', 'networkpolicies', 'NetworkPolicy');

export function apiVersionOf({ group, version }: Resource): string {
  return group === '' ? version : `${group}/${version}`;
}

/** /apis/apps/v1/namespaces/default/deployments/shop/scale; without a name the collection. */
export function pathOf(resource: Resource, at: Partial<ObjectName> = {}, subresource?: string): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const space =
    resource.namespaced && at.namespace !== undefined ? `/namespaces/${encodeURIComponent(at.namespace)}` : '';
  const name = at.name === undefined ? '' : `/${encodeURIComponent(at.name)}`;
  return `${root}${space}/${resource.plural}${name}${subresource === undefined ? '' : `/${subresource}`}`;
}
