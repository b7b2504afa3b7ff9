// What is said of a policy whose Deployment is not there yet: not an error, and nothing to decide. Pure; null when it is said
// already.
import type { PolicyResource, StatusCondition } from './documents.ts';

export function missingDeployment({ metadata, spec, status }: PolicyResource, wallTime: string): object | null {
  const name = spec.workload?.deployment?.name ?? '';
  const observedGeneration = metadata.generation ?? 0;
  const message = `there is no Deployment ${name} in ${metadata.namespace}; its first version is taken when it comes`;
  const said = (type: string, value: 'True' | 'False'): StatusCondition => ({
    type,
    status: value,
    reason: 'DeploymentMissing',
    message,
    observedGeneration,
    lastTransitionTime: wallTime,
  });
  const conditions = [said('Ready', 'False'), said('Reconciling', 'True'), said('Promoted', 'False')];
  const isSaid = conditions.every((condition) =>
    (status?.conditions ?? []).some(
      (before) =>
        before.type === condition.type &&
        before.reason === condition.reason &&
        before.message === message &&
        before.observedGeneration === observedGeneration,
    ),
  );
  return isSaid ? null : { observedGeneration, conditions, next: `wait for the Deployment ${name}` };
}
