// JSON patch (RFC 6902: add, remove, replace, test) and JSON merge patch (RFC 7386), on copies.
import { isDeepStrictEqual } from 'node:util';
import type { JsonPatchOperation } from '../api.ts';

type Container = Record<string, unknown>;

export function jsonPatched(
  value: unknown,
  operations: readonly JsonPatchOperation[],
  fail: (path: string) => never,
): unknown {
  const root = structuredClone(value) as Container;
  for (const operation of operations) perform(root, operation, fail);
  return root;
}

function perform(root: Container, { op, path, value }: JsonPatchOperation, fail: (path: string) => never): void {
  const keys = keysOf(path);
  const last = keys.pop() ?? '';
  let parent: unknown = root;
  for (const key of keys) parent = (parent as Container | undefined)?.[key];
  if (typeof parent !== 'object' || parent === null) return fail(path);
  const holder = parent as Container;
  if (op === 'test') {
    if (!isDeepStrictEqual(holder[last] ?? null, value ?? null)) fail(path);
  } else if (op === 'add') {
    add(holder, last, value);
  } else if (!(last in holder)) {
    fail(path);
  } else if (op === 'replace') {
    holder[last] = structuredClone(value);
  } else if (Array.isArray(holder)) {
    holder.splice(Number(last), 1);
  } else {
    delete holder[last];
  }
}

function keysOf(path: string): string[] {
  const keys = path.split('/').slice(1);
  return keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function add(holder: Container, last: string, value: unknown): void {
  if (!Array.isArray(holder)) holder[last] = structuredClone(value);
  else if (last === '-') holder.push(structuredClone(value));
  else holder.splice(Number(last), 0, structuredClone(value));
}

export function mergePatched(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return structuredClone(patch);
  const base = typeof target === 'object' && target !== null && !Array.isArray(target) ? (target as Container) : {};
  const result: Container = structuredClone(base);
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (value === null) delete result[key];
    else result[key] = mergePatched(base[key], value);
  }
  return result;
}
