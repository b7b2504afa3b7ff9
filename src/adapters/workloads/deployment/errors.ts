// Why a Deployment cannot be looked at or released, each with what to do about it.
import { HaldaneError, type HaldaneErrorOptions } from '../../../lib/errors.ts';

export class DeploymentError extends HaldaneError {}

function error(message: string, options: HaldaneErrorOptions): DeploymentError {
  return new DeploymentError(message, options);
}

export const notSynced = () =>
  error('what runs in the cluster is not known yet', { code: 'kubernetes-not-synced', retry: 'now' });

export const missing = (name: string) =>
  error(`there is no Deployment ${name}`, {
    code: 'deployment-missing',
    path: 'spec.workload.deployment.name',
    fix: 'apply it; its first version is released unanalysed',
    retry: 'later',
  });

export const noAdmission = () =>
  error('the cluster holds no new templates: the admission policy haldane-hold is not installed', {
    code: 'admission-missing',
    path: 'MutatingAdmissionPolicy haldane-hold',
    fix: 'kubectl apply -f admission.yaml (needs Kubernetes 1.36; older clusters are refused for now)',
    retry: 'later',
  });

export const unfitStrategy = (why: string) =>
  error(`the Deployment would stop serving while it rolls: ${why}`, {
    code: 'deployment-strategy',
    path: 'spec.strategy of the Deployment',
    fix: 'use RollingUpdate with a maxUnavailable below 100 %',
  });

export const templateUnknown = (revision: string) =>
  error(`the template of ${revision} is not known any more`, {
    code: 'template-unknown',
    path: revision,
    fix: 'apply the version you want; it is released anew',
  });

export const changedMeanwhile = () =>
  error('somebody else changed the Deployment in this moment; it is looked at again', {
    code: 'deployment-changed',
    retry: 'now',
  });

export const notGivenBack = (what: string) =>
  error(`the workload is not given back yet: ${what}`, { code: 'not-given-back', retry: 'now' });
