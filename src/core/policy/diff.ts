/**
 * The difference of two compiled policies (or versions), field by field, for `apply --dry-run`.
 * It compares what the engine reads, so a default written out is no difference.
 */
import { formatPath, type Path } from './describe-value.ts';

export interface PolicyDifference {
  /** In the compiled policy: `ramp.stages[0].weightPercent`. */
  readonly path: string;
  /** null also where there is nothing on that side; see `kind`. */
  readonly from: unknown;
  readonly to: unknown;
  readonly kind: 'changed' | 'added' | 'removed';
}

/**
 * @example diffPolicies(before.policy, after.policy) // [{ path: 'intervalMs', from: 10000, to: 5000, kind: 'changed' }]
 */
export function diffPolicies(from: object, to: object): readonly PolicyDifference[] {
  const found: PolicyDifference[] = [];
  compare(found, [], from, to);
  return found;
}

function compare(found: PolicyDifference[], path: Path, from: unknown, to: unknown): void {
  if (Object.is(from, to)) return;
  if (Array.isArray(from) && Array.isArray(to)) {
    compareLists(found, path, from, to);
  } else if (isObject(from) && isObject(to)) {
    const keys = new Set([...Object.keys(from), ...Object.keys(to)]);
    for (const key of keys) {
      const at = [...path, key];
      if (!Object.hasOwn(to, key)) found.push({ path: formatPath(at), from: from[key], to: null, kind: 'removed' });
      else if (!Object.hasOwn(from, key)) found.push({ path: formatPath(at), from: null, to: to[key], kind: 'added' });
      else compare(found, at, from[key], to[key]);
    }
  } else found.push({ path: formatPath(path), from, to, kind: 'changed' });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Entries are compared by position: the order of stages, checks and routes has a meaning. */
function compareLists(found: PolicyDifference[], path: Path, from: readonly unknown[], to: readonly unknown[]): void {
  const length = Math.max(from.length, to.length);
  for (let index = 0; index < length; index++) {
    const at = [...path, index];
    if (index >= to.length) found.push({ path: formatPath(at), from: from[index], to: null, kind: 'removed' });
    else if (index >= from.length) found.push({ path: formatPath(at), from: null, to: to[index], kind: 'added' });
    else compare(found, at, from[index], to[index]);
  }
}
