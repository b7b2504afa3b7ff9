// The Deployment beside stable's, made from the template that waits. Pure. It copies the template and nothing else of the
// Deployment: its labels and annotations are for its owner's tools, which would prune or adopt a copy. It refuses a canary
// that the namespace's own rules would not let work, and says who would miss it.
import type { DeploymentWorkload } from '../core/model/policy.ts';
import type { Revision } from '../core/model/split.ts';
import type { KubeObject } from '../kubernetes/index.ts';
import { HaldaneError } from '../lib/errors.ts';
import { canaryName, LABEL, TRAFFIC_GATE } from './names.ts';
import type { Deployment } from './objects.ts';
import { type PodTemplate, plainTemplate } from './revision.ts';

export class CanaryRefused extends HaldaneError {}

export interface CanaryRequest {
  /** Name of the policy. */
  readonly policy: string;
  readonly workload: DeploymentWorkload;
  readonly deployment: Deployment;
  readonly template: PodTemplate;
  readonly revision: Revision;
  readonly replicas: number;
  /** What stable's Service selects; empty when there is none. */
  readonly serviceSelector: Readonly<Record<string, string>>;
}

const SUFFIX = '-canary';

export function canaryDeployment(request: CanaryRequest): KubeObject {
  const { policy, workload, deployment, revision, replicas } = request;
  const { namespace = '', name } = deployment.metadata;
  const own = { [LABEL.policy]: policy, [LABEL.role]: 'canary', [LABEL.revision]: revision };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name: canaryName(name), labels: own },
    spec: {
      replicas,
      selector: { matchLabels: { [LABEL.policy]: policy, [LABEL.role]: 'canary' } },
      template: workload.pods === 'shared' ? sharedTemplate(request, own) : isolatedTemplate(request, own),
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      ...kept(deployment.spec, 'minReadySeconds'),
      ...kept(deployment.spec, 'progressDeadlineSeconds'),
    },
  };
}

function kept<T extends object, K extends keyof T>(object: T, key: K): Partial<T> {
  return object[key] === undefined ? {} : ({ [key]: object[key] } as unknown as Partial<T>);
}

/** All labels stay, so that the Service may select it; a gate of its own lets it in. */
function sharedTemplate({ template }: CanaryRequest, own: Readonly<Record<string, string>>): PodTemplate {
  const { metadata = {}, spec } = plainTemplate(template);
  const gates = (spec.readinessGates as readonly object[] | undefined) ?? [];
  return {
    metadata: { ...metadata, labels: { ...metadata.labels, ...own } },
    spec: { ...spec, readinessGates: [...gates, { conditionType: TRAFFIC_GATE }] },
  };
}

/** One label gets another value, and the template's own selectors of it follow, else its pods would avoid each other or stable's. */
function isolatedTemplate(request: CanaryRequest, own: Readonly<Record<string, string>>): PodTemplate {
  const { metadata = {}, spec } = plainTemplate(request.template);
  const key = isolatingLabel(request);
  const value = metadata.labels?.[key] ?? '';
  const changed = { [key]: isolatedValue(value) };
  const selectors = { topologySpreadConstraints: spec.topologySpreadConstraints, affinity: spec.affinity };
  return {
    metadata: { ...metadata, labels: { ...metadata.labels, ...changed, ...own } },
    spec: { ...spec, ...relabelled(selectors, key, value) },
  };
}

/** "shop" -> "shop-canary", within the 63 characters of a label. */
export function isolatedValue(value: string): string {
  return `${value.slice(0, 63 - SUFFIX.length)}${SUFFIX}`;
}

/** The label that tells canary pods from stable's for the Service and for the Deployment's own selector. */
export function isolatingLabel({
  workload,
  deployment,
  template,
  serviceSelector,
}: Pick<CanaryRequest, 'workload' | 'deployment' | 'template' | 'serviceSelector'>): string {
  const selected = deployment.spec.selector.matchLabels ?? {};
  const labels = template.metadata?.labels ?? {};
  const fits = (key: string) => key in serviceSelector && key in selected && key in labels;
  if (workload.label !== null) {
    if (fits(workload.label)) return workload.label;
    throw new CanaryRefused(`the label ${workload.label} is not one that the Service and the Deployment both select`, {
      code: 'canary-label',
      path: 'spec.workload.deployment.label',
      fix: choices(Object.keys(serviceSelector).filter(fits)),
    });
  }
  const found = Object.keys(serviceSelector).sort().filter(fits);
  const preferred = ['app', 'app.kubernetes.io/name', 'k8s-app', 'name'].find((key) => found.includes(key)) ?? found[0];
  if (preferred !== undefined) return preferred;
  throw new CanaryRefused(
    'the Service and the Deployment select no label in common, so a canary cannot be told apart',
    {
      code: 'canary-label',
      path: 'spec.workload.deployment',
      fix: 'let the Service select a label of the Deployment’s own selector, or set pods: shared with the router replicaShare',
    },
  );
}

function choices(keys: readonly string[]): string {
  return keys.length === 0 ? 'leave it out, or set pods: shared' : `use ${keys.join(' or ')}`;
}

/** The same value wherever a selector of the template asks for the label. */
function relabelled<T>(value: T, key: string, from: string): T {
  if (Array.isArray(value)) return value.map((inner) => relabelled(inner, key, from)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).flatMap(([name, inner]) => {
    if (inner === undefined) return [];
    if (name === 'matchLabels' && (inner as Record<string, string>)[key] === from) {
      return [[name, { ...(inner as object), [key]: isolatedValue(from) }]];
    }
    if (name === 'matchExpressions')
      return [[name, (inner as unknown[]).map((each) => relabelledExpression(each, key, from))]];
    return [[name, relabelled(inner, key, from)]];
  });
  return Object.fromEntries(entries) as T;
}

function relabelledExpression(expression: unknown, key: string, from: string): unknown {
  const { key: of, values } = expression as { readonly key?: string; readonly values?: readonly string[] };
  if (of !== key || values === undefined) return expression;
  return { ...(expression as object), values: values.map((value) => (value === from ? isolatedValue(from) : value)) };
}
