/**
 * Reads a plain value by the schema and tells everything that is wrong with it at once, each with path, reason,
 * nearest known name and fix. Where a part is wrong the result has a hole, so that rules between fields still see
 * the rest.
 *
 * It refuses unknown fields, empty values, values that are no plain data, and it never throws.
 */
import * as z from 'zod';
import { nearestName } from '../model/nearest.ts';
import { describeValue, listed, type Path, quoted } from './describe-value.ts';
import { fieldMetas, type Json, leafMetas, type ObjectMeta, objectMetas } from './fields.ts';

export interface Problem {
  readonly path: Path;
  readonly problem: string;
  readonly fix: string;
  readonly nearest?: string;
  /** The name of the field is at fault, not its value: editors mark the key. */
  readonly atKey?: boolean;
}

/** The deepest nesting of the schema is below this; more is a bomb or a loop. */
const DEEPEST = 32;

interface Walk {
  readonly problems: Problem[];
}

export interface WalkResult {
  /** Has holes (undefined) where something is wrong. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
}

export function walkValue(schema: z.ZodType, value: unknown, at: Path = []): WalkResult {
  const walk: Walk = { problems: [] };
  const read = visit(walk, schema, value, at);
  return { value: read, problems: walk.problems };
}

function visit(walk: Walk, schema: z.ZodType, value: unknown, path: Path): unknown {
  if (schema instanceof z.ZodPrefault) {
    const inner = schema.unwrap() as z.ZodType;
    return visit(walk, inner, value === undefined ? schema.def.defaultValue : value, path);
  }
  if (schema instanceof z.ZodOptional) {
    return value === undefined ? undefined : visit(walk, schema.unwrap() as z.ZodType, value, path);
  }
  if (path.length > DEEPEST)
    return fail(walk, path, 'is nested too deeply', 'write the policy flat, as in the reference');
  if (value === null) {
    const fix = isEmptyObject(schema) ? 'write {} or take the line out' : 'give it a value, or take the line out';
    return fail(walk, path, 'is empty', fix);
  }
  return visitPresent(walk, schema, value, path);
}

function visitPresent(walk: Walk, schema: z.ZodType, value: unknown, path: Path): unknown {
  const leaf = leafMetas.get(schema);
  if (leaf !== undefined) {
    const parsed = leaf.parse(value);
    if (parsed.ok) return parsed.value;
    walk.problems.push({ path, ...omitOk(parsed) });
    return undefined;
  }
  if (schema instanceof z.ZodArray) return visitList(walk, schema.element as z.ZodType, value, path);
  if (schema instanceof z.ZodRecord) return visitMap(walk, schema, value, path);
  if (schema instanceof z.ZodObject) return visitObject(walk, schema, value, path);
  throw new Error(`the schema has a part that cannot be read at ${path.join('.')}`);
}

function omitOk(parsed: { readonly problem: string; readonly fix: string; readonly nearest?: string }) {
  const { problem, fix, nearest } = parsed;
  return nearest === undefined ? { problem, fix } : { problem, fix, nearest };
}

function fail(walk: Walk, path: Path, problem: string, fix: string): undefined {
  walk.problems.push({ path, problem, fix });
  return undefined;
}

function isEmptyObject(schema: z.ZodType): boolean {
  return schema instanceof z.ZodObject && Object.values(schema.shape).every((field) => !isRequired(field as z.ZodType));
}

/** Longest list anybody writes; more is a mistake or an attack. */
const LONGEST_LIST = 1_000;

function visitList(walk: Walk, element: z.ZodType, value: unknown, path: Path): unknown {
  if (!Array.isArray(value)) {
    return fail(walk, path, `${describeValue(value)} is not a list`, 'write a list: put "- " before each entry');
  }
  if (value.length > LONGEST_LIST) {
    return fail(walk, path, `is a list of ${value.length} entries`, `write at most ${LONGEST_LIST}`);
  }
  // Array.from also visits the holes of a sparse array.
  return Array.from(value, (item: unknown, index) => {
    const at = [...path, index];
    return item === undefined ? fail(walk, at, 'is empty', 'give the entry a value') : visit(walk, element, item, at);
  });
}

function visitMap(walk: Walk, schema: z.ZodRecord, value: unknown, path: Path): unknown {
  const entries = plainEntries(value);
  if (entries === null) return fail(walk, path, `${describeValue(value)} is not a map`, 'write "key: value" pairs');
  const read: [string, unknown][] = [];
  const keyMeta = leafMetas.get(schema.keyType as z.ZodType);
  for (const [key, item] of entries) {
    const parsedKey = keyMeta?.parse(key);
    if (parsedKey !== undefined && !parsedKey.ok) {
      walk.problems.push({ path: [...path, key], atKey: true, ...omitOk(parsedKey) });
      continue;
    }
    read.push([key, visit(walk, schema.valueType as z.ZodType, item, [...path, key])]);
  }
  return Object.fromEntries(read);
}

function visitObject(walk: Walk, schema: z.ZodObject, value: unknown, path: Path): unknown {
  const meta = objectMetas.get(schema) ?? { what: 'an object' };
  const entries = plainEntries(value);
  if (entries === null) {
    const meant = Array.isArray(value) ? meta.ifList : undefined;
    const fix = meant ?? `write fields, as in ${exampleOf(schema)}`;
    return fail(walk, path, `${describeValue(value)} is not ${meta.what}`, fix);
  }
  const written = new Map(entries);
  const shape = schema.shape as Readonly<Record<string, z.ZodType>>;
  const known = Object.keys(shape);
  const misspelt = refuseUnknownFields(walk, { written, known, meta }, path);
  if (meta.oneKey === true)
    checkOneKey(
      walk,
      meta,
      { known, written: entries.filter(([, item]) => item !== undefined).map(([key]) => key) },
      path,
    );
  const read: Record<string, unknown> = {};
  for (const key of known) {
    const field = shape[key] as z.ZodType;
    const at = [...path, key];
    const item = written.get(key);
    if (item !== undefined || !isRequired(field)) {
      const result = visit(walk, field, item, at);
      if (result !== undefined) read[key] = result;
    } else if (!misspelt.has(key)) walk.problems.push(missing(at, key, field));
  }
  return read;
}

/** Returns the known names that were meant: a required field misspelt is told once, not as unknown and missing. */
function refuseUnknownFields(
  walk: Walk,
  object: {
    readonly written: ReadonlyMap<string, unknown>;
    readonly known: readonly string[];
    readonly meta: ObjectMeta;
  },
  path: Path,
): ReadonlySet<string> {
  const misspelt = new Set<string>();
  for (const key of object.written.keys()) {
    if (object.known.includes(key)) continue;
    const problem = unknownField([...path, key], key, object.known, object.meta);
    if (problem.nearest !== undefined) misspelt.add(problem.nearest);
    walk.problems.push(problem);
  }
  return misspelt;
}

export function isRequired(field: z.ZodType): boolean {
  return !(field instanceof z.ZodOptional || field instanceof z.ZodPrefault);
}

function missing(path: Path, key: string, field: z.ZodType): Problem {
  const example = fieldMetas.get(field)?.example;
  const fix = example === undefined ? `add ${key}` : `add it, for example ${key}: ${flow(example)}`;
  return { path, problem: `${key} is required and missing`, fix };
}

function unknownField(path: Path, key: string, known: readonly string[], meta: ObjectMeta): Problem {
  const shown = quoted(key);
  const notYet = meta.notYet ?? [];
  const all = known.length === 0 ? 'no fields go in here' : `known here: ${known.join(', ')}`;
  if (notYet.includes(key)) {
    return { path, problem: `${shown} is not available here yet`, fix: `use ${listed(known)}`, atKey: true };
  }
  const elsewhere = Object.hasOwn(meta.elsewhere ?? {}, key) ? meta.elsewhere?.[key] : undefined;
  const nearest = elsewhere ?? nearestName(key, known);
  const problem = `${shown} is not a field of ${meta.what}`;
  const planned = nearest === undefined ? nearestName(key, notYet) : undefined;
  if (planned !== undefined) {
    return { path, problem, fix: `${planned} is not available here yet (${all})`, nearest: planned, atKey: true };
  }
  if (nearest === undefined) return { path, problem, fix: `take it out (${all})`, atKey: true };
  return { path, problem, fix: `did you mean ${nearest}? (${all})`, nearest, atKey: true };
}

function checkOneKey(
  walk: Walk,
  meta: ObjectMeta,
  keys: { readonly known: readonly string[]; readonly written: readonly string[] },
  path: Path,
): void {
  const { known, written } = keys;
  const present = known.filter((key) => written.includes(key));
  if (present.length > 1) {
    fail(
      walk,
      path,
      `names ${listed(present, 'and')}: ${meta.what} is exactly one of them`,
      `keep one of ${listed(present)}`,
    );
  } else if (written.length === 0) {
    fail(
      walk,
      path,
      `does not say which: ${meta.what} is exactly one of ${listed(known)}`,
      `write one of ${listed(known)}`,
    );
  }
}

/** Own enumerable entries of plain data; null for anything else (lists, dates, class instances, accessors). */
export function plainEntries(value: unknown): [string, unknown][] | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return null;
  const entries: [string, unknown][] = [];
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    if (!('value' in descriptor)) return null;
    if (descriptor.enumerable === true) entries.push([key, descriptor.value]);
  }
  return entries;
}

function exampleOf(schema: z.ZodObject): string {
  const written: Record<string, Json> = {};
  for (const [key, field] of Object.entries(schema.shape as Readonly<Record<string, z.ZodType>>)) {
    const example = fieldMetas.get(field)?.example;
    if (example !== undefined && (isRequired(field) || Object.keys(written).length === 0)) written[key] = example;
  }
  return flow(written);
}

/** A value in one line of YAML. */
export function flow(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((item) => flow(item as Json)).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, item]) => `${key}: ${flow(item as Json)}`)
      .join(', ')}}`;
  }
  if (typeof value !== 'string') return String(value);
  const isPlain = /^[A-Za-z/][\w ./-]*$/.test(value) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(value);
  return isPlain || /^\d+(?:\.\d+)?(?:%|[A-Za-z]+)$/.test(value) ? value : JSON.stringify(value);
}

/** What a walk leaves of a value of type T: any part may be missing. */
export type Holes<T> = T extends string | number | boolean | null | undefined
  ? T | undefined
  : T extends readonly (infer E)[]
    ? readonly (Holes<E> | undefined)[]
    : { readonly [K in keyof T]?: Holes<T[K]> | undefined };
