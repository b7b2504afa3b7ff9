// Why the API server cannot serve as a store in this moment, or a policy cannot be taken.
import { KubeError } from '../../../kubernetes/index.ts';
import { HaldaneError } from '../../../lib/errors.ts';

export class KubernetesStoreError extends HaldaneError {}

export const notSynced = () =>
  new KubernetesStoreError('the policies of the cluster are not known yet', {
    code: 'kubernetes-not-synced',
    retry: 'now',
  });

export const policyGone = (policy: string) =>
  new KubernetesStoreError(`the ReleasePolicy ${policy} is gone`, { code: 'policy-gone', retry: 'never' });

export const declaredElsewhere = () =>
  new KubernetesStoreError('policies of a cluster are declared with kubectl', {
    code: 'declared-elsewhere',
    fix: 'kubectl apply -f policy.yaml, or kubectl delete releasepolicy NAME',
  });

export const refusedPolicy = (policy: string, first: { path: string; problem: string; fix: string } | undefined) =>
  new KubernetesStoreError(first?.problem ?? `the policy ${policy} is refused`, {
    code: 'policy-refused',
    ...(first === undefined ? {} : { path: first.path, fix: first.fix }),
  });

/** As the compiler would say it, if it knew what was released before. */
export const otherDeployment = (policy: string, { own, named }: { readonly own: string; readonly named: string }) => ({
  path: 'spec.workload.deployment.name',
  problem: `the policy ${policy} releases the Deployment ${own} and cannot go over to ${named}; neither of them is touched for it`,
  fix: `write ${own} again; for ${named} make another policy of another name, and delete this one to give ${own} back`,
});

export const recordTooNew = ({ namespace = '', name }: { namespace?: string; name: string }, schema: number) =>
  new KubernetesStoreError(`the record of ${namespace}/${name} was written by a later Haldane (schema ${schema})`, {
    code: 'record-too-new',
    fix: 'run that version of Haldane again; this one changes nothing',
  });

/** etcd takes no more from anybody, or this one object is too large for it; null for any other error. */
export function fullBecause(error: unknown): 'cluster' | 'object' | null {
  if (!(error instanceof KubeError)) return null;
  if (/database space exceeded/i.test(error.message)) return 'cluster';
  return error.status === 413 || /too large|too long/i.test(error.message) ? 'object' : null;
}
