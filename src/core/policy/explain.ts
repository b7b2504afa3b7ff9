/**
 * `haldane explain spec.checks.tolerance`: what a field means, what may be written and what happens without it.
 * It answers an unknown path with the nearest known ones instead of an error.
 */
import { nearestName } from '../model/nearest.ts';
import type { Json } from './fields.ts';
import { type FieldOutline, outlinePolicy } from './outline.ts';

export interface Explanation {
  readonly kind: 'field';
  /** `spec.stages[].weight` */
  readonly path: string;
  readonly type: string;
  readonly description: string;
  readonly example: Json;
  readonly required: boolean;
  readonly default: Json;
  readonly absent: string | null;
  readonly values: readonly string[];
  /** Designed, not built: refused with "not available here yet". */
  readonly notYet: readonly string[];
  readonly children: readonly {
    readonly name: string;
    readonly type: string;
    readonly required: boolean;
    readonly description: string;
  }[];
}

export type ExplainResult =
  | Explanation
  | {
      readonly kind: 'unknown';
      readonly path: string;
      /** Designed, not built: "not available here yet". */
      readonly isPlanned: boolean;
      /** The part up to which the path is known. */
      readonly knownPath: string;
      readonly nearest: readonly string[];
      /** Every field whose last part is this very name, those nearest to the root first. */
      readonly named: readonly string[];
      readonly children: readonly string[];
    };

/**
 * @example explainField('spec.stages[0].weight').description // 'Percent of requests asked for the canary, ...'
 */
export function explainField(path: string): ExplainResult {
  const wanted = path
    .replaceAll(/\[[^\]]*\]/g, '')
    .split('.')
    .filter((name) => name !== '' && name !== '(document)');
  const everything = outlinePolicy();
  let fields = everything;
  let found: FieldOutline | undefined;
  for (const name of wanted) {
    const next = fields.find((field) => field.path.at(-1) === name);
    if (next === undefined) return unknown(path, found, name, everything);
    found = next;
    fields = next.children;
  }
  return found === undefined ? unknown(path, undefined, '', everything) : explain(found);
}

function explain(field: FieldOutline): Explanation {
  return {
    kind: 'field',
    path: showPath(field.path),
    type: field.type,
    description: field.description,
    example: field.example,
    required: field.required,
    default: field.default,
    absent: field.absent,
    values: field.values,
    notYet: field.notYet,
    children: field.children.map((child) => ({
      name: child.path.at(-1) ?? '',
      type: child.type,
      required: child.required,
      description: child.description,
    })),
  };
}

export function showPath(path: readonly string[]): string {
  return path.join('.').replaceAll('.[]', '[]');
}

/** Near here first; then anywhere a field of that name exists (`explain weight`). */
function unknown(
  path: string,
  parent: FieldOutline | undefined,
  name: string,
  everything: readonly FieldOutline[],
): ExplainResult {
  const here = parent?.children ?? (parent === undefined ? everything : []);
  const names = here.map((field) => field.path.at(-1) ?? '');
  const near = nearestName(name, names);
  const all = everything.flatMap(flatten);
  const anywhere = all.filter((field) => field.path.at(-1) === name);
  const nearAnywhere = nearestName(name, new Set(all.map((field) => field.path.at(-1) ?? '')));
  const matches = anywhere.length > 0 ? anywhere : all.filter((field) => field.path.at(-1) === nearAnywhere);
  const local = here.filter((field) => field.path.at(-1) === near);
  const nearest = [...new Set([...local, ...matches].map((field) => showPath(field.path)))];
  return {
    kind: 'unknown',
    path,
    isPlanned: parent?.notYet.includes(name) ?? false,
    knownPath: parent === undefined ? '' : showPath(parent.path),
    named: anywhere.toSorted((a, b) => a.path.length - b.path.length).map((field) => showPath(field.path)),
    nearest: name === '' ? [] : nearest.slice(0, 5),
    children: names,
  };
}

export function flatten(field: FieldOutline): readonly FieldOutline[] {
  return [field, ...field.children.flatMap(flatten)];
}
