// The Deployment beside stable's, made from the template that waits. Pure. It copies the template and nothing else of the
// Deployment: its labels and annotations are for its owner's tools, which would prune or adopt a copy. It refuses a canary
// that the namespace's own rules would not let work, and says who would miss it.
import type { DeploymentWorkload } from '../core/model/policy.ts';
import type { Revision } from '../core/model/split.ts';
import { HaldaneError } from '../lib/errors.ts';
import { canaryName, LABEL, TRAFFIC_GATE } from './names.ts';
import type { Deployment } from './objects.ts';
import { type PodTemplate, plainTemplate } from './revision.ts';
import { losers, type NamespaceSelector } from './selectors.ts';

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
  /** Who else selects pods in the namespace; asked only while there is no canary yet. */
  readonly others: readonly NamespaceSelector[];
  /** What stands there already: its label stays. */
  readonly canary: Deployment | null;
}

const SUFFIX = '-canary';

export function canaryDeployment(request: CanaryRequest): Deployment {
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
  const { topologySpreadConstraints, affinity } = spec;
  // Selectors of nodes are no selectors of pods.
  const { podAffinity, podAntiAffinity, ...ofNodes } = (affinity ?? {}) as Readonly<Record<string, unknown>>;
  const ofPods = relabelled({ podAffinity, podAntiAffinity }, key, value);
  const spread = relabelled({ topologySpreadConstraints }, key, value);
  return {
    metadata: { ...metadata, labels: { ...metadata.labels, ...changed, ...own } },
    spec: { ...spec, ...spread, ...(affinity === undefined ? {} : { affinity: { ...ofNodes, ...ofPods } }) },
  };
}

/** "shop" -> "shop-canary", within the 63 characters of a label. */
export function isolatedValue(value: string): string {
  return `${value.slice(0, 63 - SUFFIX.length)}${SUFFIX}`;
}

/**
 * The label that tells canary pods from stable's, for the Service and for the Deployment's own selector. Without a word of
 * the policy it is one that nobody else of the namespace needs; the policy's own word is taken as it is.
 */
export function isolatingLabel(
  request: Pick<CanaryRequest, 'workload' | 'deployment' | 'template' | 'serviceSelector' | 'others' | 'canary'>,
): string {
  const { workload, deployment, template, serviceSelector, others, canary } = request;
  const selected = deployment.spec.selector.matchLabels ?? {};
  const labels = template.metadata?.labels ?? {};
  const isUsual = (key: string) => (USUAL.includes(key) ? 0 : 1);
  const fitting = Object.keys(serviceSelector)
    .filter((key) => key in selected && key in labels)
    .sort((a, b) => isUsual(a) - isUsual(b) || (a < b ? -1 : 1));
  const there = canary?.spec.template.metadata?.labels ?? {};
  const kept = fitting.find((key) => there[key] === isolatedValue(labels[key] ?? ''));
  if (kept !== undefined) return kept;
  if (workload.label !== null) {
    if (fitting.includes(workload.label)) return workload.label;
    throw new CanaryRefused(`the label ${workload.label} is not one that the Service and the Deployment both select`, {
      code: 'canary-label',
      path: 'spec.workload.deployment.label',
      fix: choices(fitting),
    });
  }
  const missedBy = (key: string) => losers(others, labels, { ...labels, [key]: isolatedValue(labels[key] ?? '') });
  const harmless = fitting.filter((key) => missedBy(key).every(({ isNeeded }) => !isNeeded));
  const chosen = harmless.find((key) => missedBy(key).length === 0) ?? harmless[0];
  if (chosen !== undefined) return chosen;
  throw fitting.length === 0 ? noLabel() : needed(fitting, (key) => missedBy(key).filter(({ isNeeded }) => isNeeded));
}

const USUAL = ['app', 'app.kubernetes.io/name', 'k8s-app', 'name'];

function noLabel(): CanaryRefused {
  return new CanaryRefused(
    'the Service and the Deployment select no label in common, so a canary cannot be told apart',
    {
      code: 'canary-label',
      path: 'spec.workload.deployment',
      fix: "let the Service select a label of the Deployment's own selector, or set pods: shared with the router replicaShare",
    },
  );
}

function needed(keys: readonly string[], missedBy: (key: string) => readonly NamespaceSelector[]): CanaryRefused {
  const key = keys[0] ?? '';
  const who = [...new Set(missedBy(key).map((each) => each.who))].join(', ');
  return new CanaryRefused(`with another value of ${key} the canary's pods would be missed by ${who}`, {
    code: 'canary-missed',
    path: 'spec.workload.deployment',
    fix: `let it select the canary too, or accept that by label: ${key}, or set pods: shared with the router replicaShare`,
  });
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
