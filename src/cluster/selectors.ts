// Who selects pods by their labels in a namespace, and whom of them pods with other labels would be missing to. Pure. An
// operator that it does not know matches nothing.
import type { KubeObject } from '../kubernetes/index.ts';
import type { LabelSelector } from './objects.ts';

export interface NamespaceSelector {
  /** "NetworkPolicy shop" */
  readonly who: string;
  readonly selector: LabelSelector;
  /** Pods it does not select would be open, or cut off; others are merely less looked after. */
  readonly isNeeded: boolean;
}

type Labels = Readonly<Record<string, string>>;

interface Expression {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

export function selects({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: Labels): boolean {
  const asked = Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
  return asked && (matchExpressions as readonly Expression[]).every((expression) => holds(expression, labels));
}

function holds({ key, operator, values = [] }: Expression, labels: Labels): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}

/** Those that select pods with these labels, and would not with those. */
export function losers(
  others: readonly NamespaceSelector[],
  labels: Labels,
  changed: Labels,
): readonly NamespaceSelector[] {
  return others.filter(({ selector }) => selects(selector, labels) && !selects(selector, changed));
}

interface Peer {
  readonly podSelector?: LabelSelector;
}

interface Selecting {
  readonly selector?: LabelSelector;
  readonly podSelector?: LabelSelector;
  readonly ingress?: readonly { readonly from?: readonly Peer[] }[];
  readonly egress?: readonly { readonly to?: readonly Peer[] }[];
}

/** The selectors of pods in a NetworkPolicy (its own, and of those it lets through) or a PodDisruptionBudget. */
export function selectorsIn(kind: string, { metadata, spec }: KubeObject): readonly NamespaceSelector[] {
  const { selector, podSelector, ingress = [], egress = [] } = (spec ?? {}) as Selecting;
  const peers = [...ingress.flatMap(({ from = [] }) => from), ...egress.flatMap(({ to = [] }) => to)];
  const all = [selector, podSelector, ...peers.map((peer) => peer.podSelector)];
  return all.flatMap((each) => {
    if (each === undefined) return [];
    return [{ who: `${kind} ${metadata.name}`, selector: each, isNeeded: kind === 'NetworkPolicy' }];
  });
}
