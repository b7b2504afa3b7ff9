// Haldane put into a cluster as its own manifests do, but for the Deployment of the controller: that one is started here, so
// that it can be killed and stopped. It refuses a cluster in which a controller of somebody else's runs.
import { DEPLOYMENTS } from '../../src/kubernetes/index.ts';
import { type Cluster, type DeploymentObject, NotSo, until } from './cluster.ts';

export async function install(cluster: Cluster): Promise<void> {
  const at = { namespace: 'haldane-system', name: 'haldane' };
  const running = await cluster.api.get<DeploymentObject>(DEPLOYMENTS, at);
  if ((running?.status?.readyReplicas ?? 0) > 0) {
    throw new NotSo('a controller runs in haldane-system: scale it to 0 first, this suite starts its own');
  }
  const objects = await cluster.manifests('deploy/install.yaml');
  const admission = await cluster.manifests('deploy/admission.yaml');
  await cluster.applyAll(objects.filter(({ kind }) => kind !== 'Deployment' && kind !== 'PodDisruptionBudget'));
  await until('the custom resources are served', 30_000, async () => {
    await cluster.api.raw('GET', '/apis/haldane.dev/v1alpha1/releasepolicies?limit=1');
    return true;
  });
  await cluster.applyAll(admission);
}
