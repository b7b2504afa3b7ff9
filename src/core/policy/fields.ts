/**
 * How a field of the policy is written down once: its schema, its description, an example, and what happens when it
 * is left out. Types, defaults, JSON Schema, reference pages, `explain` and errors all come from here.
 *
 * It refuses a field without description or example, and it knows nothing of any particular field.
 */
import * as z from 'zod';

/** A value as it stands in YAML or JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface FieldMeta {
  readonly description: string;
  readonly example: Json;
  /** In words: what is used when the field is left out and there is no fixed default. */
  readonly absent?: string;
  /** One of the keys of a `oneOf`: it is there, or another one is. */
  readonly alternative?: boolean;
}

/** What a leaf (anything that is not an object, list or map) says about a value. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string; readonly fix: string; readonly nearest?: string };

export interface LeafMeta {
  /** For errors and reference pages: "a duration such as 10m". */
  readonly what: string;
  readonly parse: (value: unknown) => Parsed<unknown>;
  /** Names that may be written, where they are a closed list. */
  readonly values?: readonly string[];
  readonly pattern?: RegExp;
  /** What the JSON Schema can say beyond the type, for editors. Never stricter than `parse`. */
  readonly json?: { readonly [keyword: string]: Json };
}

export interface ObjectMeta {
  /** For errors: "a stage". */
  readonly what: string;
  /** Exactly one key must be there ("prefer exactly-one-key unions": Kubernetes schemas forbid tagged ones). */
  readonly oneKey?: boolean;
  /** Of these fields at most one may be written. */
  readonly atMostOne?: readonly string[];
  /** Known to Haldane's design, not built: refused with "not available here yet". */
  readonly notYet?: readonly string[];
  /** Names other tools use for something we have: name -> what to write here. */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** What to do when a list stands here: it was meant for something else. */
  readonly ifList?: string;
}

export const fieldMetas = new WeakMap<z.ZodType, FieldMeta>();
export const leafMetas = new WeakMap<z.ZodType, LeafMeta>();
export const objectMetas = new WeakMap<z.ZodType, ObjectMeta>();

type FieldTexts = Pick<FieldMeta, 'description' | 'example'>;

/** A field that must be written. */
export function required<S extends z.ZodType>(schema: S, meta: FieldTexts): S {
  const own = schema.clone() as S;
  copyMetas(schema, own);
  fieldMetas.set(own, meta);
  return own;
}

/** A field with a fixed default, given as a person would write it. */
export function defaulted<S extends z.ZodType>(schema: S, value: z.input<S>, meta: FieldTexts): z.ZodPrefault<S> {
  const own = schema.prefault(value as never) as unknown as z.ZodPrefault<S>;
  fieldMetas.set(own, meta);
  return own;
}

/** A field that may be left out; `absent` says in words what is done then. */
export function optional<S extends z.ZodType>(schema: S, absent: string, meta: FieldTexts): z.ZodOptional<S> {
  const own = schema.optional() as unknown as z.ZodOptional<S>;
  fieldMetas.set(own, { ...meta, absent });
  return own;
}

/** One alternative of a `oneOf`. */
export function choice<S extends z.ZodType>(schema: S, meta: FieldTexts): z.ZodOptional<S> {
  const own = schema.optional() as unknown as z.ZodOptional<S>;
  fieldMetas.set(own, { ...meta, alternative: true });
  return own;
}

export function object<T extends z.core.$ZodLooseShape>(meta: ObjectMeta, shape: T): z.ZodObject<T, z.core.$strict> {
  const schema = z.strictObject(shape) as unknown as z.ZodObject<T, z.core.$strict>;
  objectMetas.set(schema, meta);
  return schema;
}

/** An object of which exactly one key is written. */
export function oneOf<T extends z.core.$ZodLooseShape>(
  meta: Omit<ObjectMeta, 'oneKey'>,
  shape: T,
): z.ZodObject<T, z.core.$strict> {
  const schema = object(meta, shape).refine(
    (value) => Object.values(value as object).filter((each) => each !== undefined).length === 1,
    'exactly one key',
  );
  const own = schema as unknown as z.ZodObject<T, z.core.$strict>;
  objectMetas.set(own, { ...meta, oneKey: true });
  return own;
}

/** The zod schema of a leaf: `base` gives the JSON type, `meta.parse` the value and every error. */
export function leaf<I, T>(
  base: z.ZodType<I, I>,
  meta: Omit<LeafMeta, 'parse'> & { readonly parse: (value: unknown) => Parsed<T> },
): z.ZodPipe<z.ZodType<I, I>, z.ZodTransform<T, I>> {
  const schema = base.transform((value, context): T => {
    const parsed = meta.parse(value);
    if (parsed.ok) return parsed.value;
    context.issues.push({ code: 'custom', message: parsed.problem, input: value, params: { fix: parsed.fix } });
    return z.NEVER;
  });
  const own = schema as unknown as z.ZodPipe<z.ZodType<I, I>, z.ZodTransform<T, I>>;
  leafMetas.set(own, meta);
  return own;
}

/** A copy of a schema is another schema to the registries. */
function copyMetas(from: z.ZodType, to: z.ZodType): void {
  const leafMeta = leafMetas.get(from);
  if (leafMeta !== undefined) leafMetas.set(to, leafMeta);
  const objectMeta = objectMetas.get(from);
  if (objectMeta !== undefined) objectMetas.set(to, objectMeta);
}

export function refuse(problem: string, fix: string, nearest?: string): Parsed<never> {
  return nearest === undefined ? { ok: false, problem, fix } : { ok: false, problem, fix, nearest };
}

export function accept<T>(value: T): Parsed<T> {
  return { ok: true, value };
}
