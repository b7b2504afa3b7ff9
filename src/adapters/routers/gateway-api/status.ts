// What the implementations say of a route: accepted and resolved by every parent for what is written now, not yet, or
// refused and why. Pure. A word about an older generation counts for nothing.
import type { ParentRef, Route, RouteCondition } from './route.ts';

export type Programmed =
  | { readonly kind: 'programmed'; readonly by: string }
  | { readonly kind: 'waiting'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };

const NEEDED = ['Accepted', 'ResolvedRefs'] as const;

export function programmedBy(route: Route): Programmed {
  const parents = route.spec.parentRefs ?? [];
  if (parents.length === 0) return { kind: 'refused', reason: `HTTPRoute ${route.metadata.name} has no parents` };
  const answers = parents.map((parent) => answerOf(route, parent));
  const refused = answers.find(({ kind }) => kind === 'refused');
  const waiting = answers.find(({ kind }) => kind === 'waiting');
  return refused ?? waiting ?? { kind: 'programmed', by: parents.map(parentText).join(', ') };
}

function answerOf(route: Route, parent: ParentRef): Programmed {
  const { generation = 0, name } = route.metadata;
  const statuses = (route.status?.parents ?? []).filter(({ parentRef }) => isSame(parentRef, parent, route));
  if (statuses.length === 0) {
    return { kind: 'waiting', reason: `${parentText(parent)} has not said anything about HTTPRoute ${name} yet` };
  }
  for (const { conditions = [] } of statuses) {
    for (const type of NEEDED) {
      const condition = conditions.find((each) => each.type === type);
      const answer = judged(condition, generation, `${parentText(parent)}: ${type}`);
      if (answer !== null) return answer;
    }
  }
  return { kind: 'programmed', by: parentText(parent) };
}

/** null: it is true of what is written now. */
function judged(condition: RouteCondition | undefined, generation: number, what: string): Programmed | null {
  if (condition === undefined || (condition.observedGeneration ?? 0) < generation) {
    return { kind: 'waiting', reason: `${what} is not said of the latest change yet` };
  }
  if (condition.status === 'True') return null;
  const why = condition.message || condition.reason || condition.status;
  return {
    kind: condition.status === 'False' ? 'refused' : 'waiting',
    reason: `${what} is ${condition.status}: ${why}`,
  };
}

function isSame(left: ParentRef, right: ParentRef, { metadata }: Route): boolean {
  return keyOf(left, metadata.namespace) === keyOf(right, metadata.namespace);
}

function keyOf(ref: ParentRef, namespace = ''): string {
  const { group = 'gateway.networking.k8s.io', kind = 'Gateway', name, sectionName = '', port = '' } = ref;
  return [group, kind, ref.namespace ?? namespace, name, sectionName, port].join('/');
}

export function parentText({ kind = 'Gateway', namespace, name, sectionName }: ParentRef): string {
  const section = sectionName === undefined ? '' : ` (${sectionName})`;
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}${section}`;
}
