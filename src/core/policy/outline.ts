/**
 * The schema as an outline of fields: for `explain`, the reference page, and the tests that hold the schema to its
 * promises. It adds nothing that the schema does not say.
 */
import * as z from 'zod';
import { listed } from './describe-value.ts';
import { fieldMetas, type Json, leafMetas, objectMetas } from './fields.ts';
import { policySchema } from './schema.ts';
import { isRequired } from './walk.ts';

export interface FieldOutline {
  /** Names from the document down; `[]` for an entry of a list, `*` for a value of a map. */
  readonly path: readonly string[];
  readonly type: string;
  readonly description: string;
  readonly example: Json;
  readonly required: boolean;
  /** As a person would write it; null when there is none. */
  readonly default: Json;
  /** One of the keys of an exactly-one-key union. */
  readonly alternative: boolean;
  /** In words, where the default depends on other fields. */
  readonly absent: string | null;
  /** The closed list of words that may be written, if there is one. */
  readonly values: readonly string[];
  readonly oneKey: boolean;
  readonly notYet: readonly string[];
  readonly children: readonly FieldOutline[];
  readonly schema: z.ZodType;
}

/** Every field of the policy, from the document down. */
export function outlinePolicy(): readonly FieldOutline[] {
  return childrenOf(policySchema, []);
}

function childrenOf(schema: z.ZodType, path: readonly string[]): readonly FieldOutline[] {
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodArray) return childrenOf(inner.element as z.ZodType, [...path, '[]']);
  if (!(inner instanceof z.ZodObject)) return [];
  const shape = inner.shape as Readonly<Record<string, z.ZodType>>;
  return Object.entries(shape).map(([name, field]) => outlineField(field, [...path, name]));
}

function outlineField(schema: z.ZodType, path: readonly string[]): FieldOutline {
  const meta = fieldMetas.get(schema);
  const object = objectMetas.get(listElement(schema));
  return {
    path,
    type: typeOf(schema),
    description: meta?.description ?? '',
    example: meta?.example ?? null,
    required: isRequired(schema),
    default: schema instanceof z.ZodPrefault ? (schema.def.defaultValue as Json) : null,
    absent: meta?.absent ?? null,
    alternative: meta?.alternative ?? false,
    values: leafMetas.get(listElement(schema))?.values ?? [],
    oneKey: object?.oneKey ?? false,
    notYet: object?.notYet ?? [],
    children: childrenOf(schema, path),
    schema,
  };
}

/** Without the marks of default and optional. */
export function unwrapped(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional)
    return unwrapped(schema.unwrap() as z.ZodType);
  return schema;
}

function listElement(schema: z.ZodType): z.ZodType {
  const inner = unwrapped(schema);
  return inner instanceof z.ZodArray ? unwrapped(inner.element as z.ZodType) : inner;
}

function typeOf(schema: z.ZodType): string {
  const inner = unwrapped(schema);
  const leaf = leafMetas.get(inner);
  if (leaf !== undefined) return leaf.what;
  if (inner instanceof z.ZodArray) return `list, each ${typeOf(inner.element as z.ZodType)}`;
  if (inner instanceof z.ZodRecord) {
    const each = leafMetas.get(inner.valueType as z.ZodType)?.what ?? 'text';
    return each === 'text' ? 'map of text' : `map, each ${each}`;
  }
  const meta = objectMetas.get(inner);
  if (inner instanceof z.ZodObject && meta?.oneKey === true) {
    return `${meta.what}: exactly one of ${listed(Object.keys(inner.shape))}`;
  }
  return meta?.what ?? 'a value';
}
