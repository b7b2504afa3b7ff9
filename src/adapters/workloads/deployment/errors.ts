// Why a Deployment cannot be looked at or released, each with what to do about it.
import type { Admission } from '../../../cluster/admission.ts';
import { OWN_ACCOUNT } from '../../../cluster/write-marks.ts';
import { HaldaneError, type HaldaneErrorOptions } from '../../../lib/errors.ts';

export class DeploymentError extends HaldaneError {}

function error(message: string, options: HaldaneErrorOptions): DeploymentError {
  return new DeploymentError(message, options);
}

export const missing = (name: string) =>
  error(`there is no Deployment ${name}`, {
    code: 'deployment-missing',
    path: 'spec.workload.deployment.name',
    fix: 'apply it; its first version is released unanalysed',
    retry: 'later',
  });

const ADMISSION = { path: 'MutatingAdmissionPolicy haldane-hold', retry: 'later' } as const;

/** Why nothing new is started: new templates would not wait, or not for this operator. */
export function noAdmission({ kind, why }: Exclude<Admission, { kind: 'there' }>): DeploymentError {
  switch (kind) {
    case 'missing':
      return error(`the cluster holds no new templates: ${why}`, {
        ...ADMISSION,
        code: 'admission-missing',
        fix: 'kubectl apply -f admission.yaml (needs Kubernetes 1.36; older clusters are refused for now)',
      });
    case 'unknown':
      return error(`it is not known whether the cluster holds new templates, so nothing new is started: ${why}`, {
        ...ADMISSION,
        code: 'admission-unknown',
        fix: 'see that the API server answers, and that install.yaml is applied as this version has it',
      });
    case 'stranger':
      return error(`admission takes this operator for a stranger: ${why}`, {
        ...ADMISSION,
        code: 'admission-stranger',
        fix: OWN_ACCOUNT,
      });
  }
}

export const unfitStrategy = (why: string) =>
  error(`the Deployment would stop serving while it rolls: ${why}`, {
    code: 'deployment-strategy',
    path: 'spec.strategy of the Deployment',
    fix: 'use RollingUpdate with a maxUnavailable below 100 %',
  });

export const ownedBy = (owner: string) =>
  error(`the Deployment is run by ${owner}, which would undo what is done to it`, {
    code: 'deployment-owned',
    path: 'metadata.ownerReferences of the Deployment',
    fix: 'release what runs it; for now only plain Deployments are released',
  });

export const nameTaken = (name: string) =>
  error(`there is a Deployment ${name} that is not this policy's canary`, {
    code: 'canary-name-taken',
    path: name,
    fix: 'rename or remove it',
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
