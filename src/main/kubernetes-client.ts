// A cluster for the command line: an API server reached by the kubeconfig of the person who asks, with that person's rights,
// and what adapters and server know how to do there. It keeps nothing and leads nothing.

import { adoptRoute } from '../adapters/routers/gateway-api/adopt.ts';
import { whyNoMirror } from '../adapters/routers/gateway-api/features.ts';
import type { Adopted, Cluster, ClusterOptions, Kinds } from '../cli/index.ts';
import { policyKey } from '../cluster/names.ts';
import type { ReleasePolicy } from '../core/model/policy.ts';
import {
  CONFIG_MAPS,
  clusterConfigOf,
  DEPLOYMENTS,
  HTTP_ROUTES,
  HttpKubeApi,
  type KubeApi,
  LEASES,
  MUTATING_ADMISSION_POLICIES,
  MUTATING_ADMISSION_POLICY_BINDINGS,
  PODS,
  RELEASE_COMMANDS,
  RELEASE_POLICIES,
  RELEASES,
  REPLICA_SETS,
  SERVICES,
  VALIDATING_ADMISSION_POLICIES,
  VALIDATING_ADMISSION_POLICY_BINDINGS,
} from '../kubernetes/index.ts';
import { detectionOf } from '../server/index.ts';
import { packageVersion } from './package-version.ts';

export const KINDS: Kinds = {
  policies: RELEASE_POLICIES,
  releases: RELEASES,
  commands: RELEASE_COMMANDS,
  deployments: DEPLOYMENTS,
  replicaSets: REPLICA_SETS,
  pods: PODS,
  services: SERVICES,
  routes: HTTP_ROUTES,
  configMaps: CONFIG_MAPS,
  leases: LEASES,
  mutatingPolicies: MUTATING_ADMISSION_POLICIES,
  mutatingBindings: MUTATING_ADMISSION_POLICY_BINDINGS,
  validatingPolicies: VALIDATING_ADMISSION_POLICIES,
  validatingBindings: VALIDATING_ADMISSION_POLICY_BINDINGS,
};

export function openCluster({ kubeconfig, context, namespace }: ClusterOptions): Cluster {
  const config = clusterConfigOf({ kubeconfig, context, env: process.env });
  const api = new HttpKubeApi({ config, userAgent: `kubectl-haldane/${packageVersion()}` });
  return clusterOn(api, { namespace: namespace ?? config.namespace, server: config.server });
}

/** Also for tests, on an API server of theirs. */
export function clusterOn(api: KubeApi, where: { readonly namespace: string; readonly server: string }): Cluster {
  return {
    api,
    kinds: KINDS,
    ...where,
    version: packageVersion(),
    adopt: (policy, name) => adopt(api, policy, name),
    whyNotRouted: (policy) => whyNotRouted(api, policy),
    detect: detectionOf,
  };
}

async function adopt(api: KubeApi, policy: ReleasePolicy, name: string | null): Promise<Adopted> {
  const { route, isNew, replaces } = await adoptRoute(api, policy, name);
  const { kind: _kind, ...written } = route;
  return { route: written, name: route.name, isNew, replaces };
}

async function whyNotRouted(api: KubeApi, { name, router }: ReleasePolicy): Promise<string | null> {
  if (router.kind !== 'gatewayApi' || router.mirrorPercent === null || router.route.kind !== 'owned') return null;
  const { namespace } = policyKey(name);
  return whyNoMirror(api, router.route.parents, { namespace, percent: router.mirrorPercent });
}
