// The names Haldane uses on objects of Kubernetes: labels, annotations, and what its own objects are called. One place, so
// that workloads, routers, metric sources, the store and the admission policies agree. Refuses keys that are not
// "namespace/name".
import { HaldaneError } from '../lib/errors.ts';

/** Of all fields Haldane writes, by server-side apply or otherwise. */
export const FIELD_MANAGER = 'haldane';
/** On a policy: the workload is given back before it goes. */
export const FINALIZER = 'haldane.dev/hand-back';

/** Whom deploy/admission.yaml lets through, as delivered. */
export const EXEMPT_ACCOUNT = 'system:serviceaccount:haldane-system:haldane';

export const LABEL = {
  /** On every object Haldane makes: the name of its policy. */
  policy: 'haldane.dev/policy',
  /** On canary pods and their Deployment: "canary". */
  role: 'haldane.dev/role',
  /** On canary pods and their Deployment: the revision they run. */
  revision: 'haldane.dev/revision',
} as const;

export const ANNOTATION = {
  /** On a Deployment, by the admission policy: the template waits. "true" */
  held: 'haldane.dev/held',
  /** On a Deployment that a policy names: its templates wait, whatever the API server knows of policies. "true" */
  hold: 'haldane.dev/hold',
  /** On a Deployment, while it is rolled by Haldane: JSON of Lock. Nobody else may change its template meanwhile. */
  lock: 'haldane.dev/lock',
  /** On the canary's Deployment (replica share): revision and weight asked, e.g. "3f2a... 5". */
  weight: 'haldane.dev/weight',
  /** On routes: JSON of what was asked of them. */
  split: 'haldane.dev/split',
} as const;

/** The readiness gate by which canary pods are let into a shared Service. */
export const TRAFFIC_GATE = 'haldane.dev/traffic';
/** By kubectl rollout restart: such a template is no new version. */
export const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';
export const TEMPLATE_HASH = 'pod-template-hash';

/** Why a Deployment is rolled, kept on it, so that a restart of the controller goes on where it was. */
export interface Lock {
  /** promote: the waiting template is let go. restore: another version's template is written, and the waiting one put back after. */
  readonly verb: 'promote' | 'restore';
  /** What it served when this began; what it counts as serving until this ends. null: nothing yet. */
  readonly serving: string | null;
  readonly to: string;
  /** restore: the revision of the template to put back, held; null: none. */
  readonly waiting: string | null;
  /** Why it goes no further, but back: what it rolls to is not what was analysed. */
  readonly halted?: string;
}

export interface PolicyKey {
  readonly namespace: string;
  readonly name: string;
}

export class PolicyKeyRefused extends HaldaneError {}

export function policyKey(text: string): PolicyKey {
  const [namespace, name, ...rest] = text.split('/');
  if (!namespace || !name || rest.length > 0) {
    throw new PolicyKeyRefused(`"${text}" does not name a policy of a namespace`, {
      code: 'policy-key',
      path: text,
      fix: 'write it as namespace/name',
    });
  }
  return { namespace, name };
}

export function keyOf({ namespace, name }: PolicyKey): string {
  return `${namespace}/${name}`;
}

/** The second Deployment, in which a new version is tried, and the Service that means it. */
export function canaryName(name: string): string {
  return `${name.slice(0, 56)}-canary`;
}
