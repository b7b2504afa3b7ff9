// Why the API server cannot serve as a store in this moment, or a policy cannot be taken.
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
