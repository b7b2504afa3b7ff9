/**
 * From the JSON Schema of what people write to the structural schema that the API server of Kubernetes takes: every object
 * typed, no tagged unions, no defaults (the compiler has them, and people should see only what they wrote), and a bound for
 * every list and text, without which CEL rules cost too much. What a structural schema cannot say is in `rules.ts`.
 *
 * It refuses a keyword it does not know: nothing is dropped in silence.
 */
import { CLUSTER_WORDS } from '../../src/core/policy/cluster-words.ts';
import type { Json } from '../../src/core/policy/fields.ts';
import { WHOLE_OR_TEXT } from '../../src/core/policy/rules-kubernetes.ts';
import { flow } from '../../src/core/policy/walk.ts';
import { type CelRule, omittedPaths, rulesOf } from './rules.ts';

export type Schema = { readonly [keyword: string]: Json };

const LONGEST_TEXT = 2_000;
const LONGEST_LIST = 64;
const LARGEST_MAP = 64;

/** Taken over as they are. */
const KEPT = ['minimum', 'maximum', 'minLength', 'pattern', 'enum', 'required'];
/** Said elsewhere: in the description, by the compiler, or not needed since unknown fields are refused by kubectl. */
const LEFT = ['description', 'examples', 'default', 'additionalProperties', 'propertyNames', 'not', 'multipleOf'];
/** Exactly one key: said by a rule with a sentence, which the API server would not reach past a wrong count of keys. */
const ONE_KEY = ['minProperties', 'maxProperties'];
const LOWERED = [...ONE_KEY, 'type', 'properties', 'items', 'maxLength', 'exclusiveMinimum', 'exclusiveMaximum'];

/** Lists whose entries have a name of their own: server-side apply then merges by it, and no name is there twice. */
const NAMED_LISTS = ['spec.checks', 'spec.routes'];

export function lower(schema: Schema, path: string): Schema {
  for (const keyword of Object.keys(schema)) {
    if (![...KEPT, ...LEFT, ...LOWERED].includes(keyword)) {
      throw new Error(`${path}: a structural schema cannot say ${keyword}`);
    }
  }
  if (schema.maxProperties === 1 && rulesOf(path).length === 0) throw new Error(`${path}: no rule says exactly one`);
  const description = describe(schema, path);
  return {
    ...(description === '' ? {} : { description }),
    ...typed(schema, path),
    ...rules(rulesOf(path)),
  };
}

/** `kubectl explain` shows nothing else, so default and example are told in words, and those are of Kubernetes. */
function describe(schema: Schema, path: string): string {
  const words = CLUSTER_WORDS[path] ?? {};
  const { description = '', examples } = {
    ...schema,
    ...(words.description === undefined ? {} : { description: words.description }),
    ...(words.example === undefined ? {} : { examples: [words.example] }),
  };
  const byDefault = words.mustBeWritten === true ? undefined : schema.default;
  const isObject = typeof byDefault === 'object' && byDefault !== null && Object.keys(byDefault).length === 0;
  const left = byDefault === undefined || isObject ? '' : ` Left out: ${flow(byDefault)}.`;
  const [example] = Array.isArray(examples) ? (examples as readonly Json[]) : [];
  return `${String(description)}${left}${example === undefined ? '' : ` Example: ${flow(example)}`}`.trim();
}

function typed(schema: Schema, path: string): Schema {
  const kept = Object.fromEntries(
    KEPT.filter((key) => schema[key] !== undefined).map((key) => [key, schema[key] as Json]),
  );
  const { type } = schema;
  if (Array.isArray(type)) return numberOrText(schema, path);
  switch (type) {
    case 'object':
      return { type, ...kept, ...objectOf(schema, path) };
    case 'array':
      return { type, maxItems: LONGEST_LIST, ...listKind(path), items: lower(schema.items as Schema, `${path}[]`) };
    case 'string':
      return { type, ...kept, ...(schema.enum === undefined ? { maxLength: schema.maxLength ?? LONGEST_TEXT } : {}) };
    case 'number':
    case 'integer':
      return { type, ...kept, ...exclusive(schema) };
    case 'boolean':
      return { type };
    default:
      throw new Error(`${path}: a structural schema cannot say type ${JSON.stringify(type)}`);
  }
}

/** A whole number or text: what is between two whole numbers is written as text, as in "0.5%". */
function numberOrText({ pattern, maximum = 100 }: Schema, path: string): Schema {
  if (pattern === undefined) throw new Error(`${path}: number or text without a pattern`);
  const isKnown = (WHOLE_OR_TEXT as readonly string[]).includes(path);
  if (!isKnown) throw new Error(`${path}: the compiler would take a fraction that the API server refuses`);
  return { 'x-kubernetes-int-or-string': true, maxLength: 20, minimum: 1, maximum, pattern };
}

function exclusive({ exclusiveMinimum, exclusiveMaximum }: Schema): Schema {
  return {
    ...(exclusiveMinimum === undefined ? {} : { minimum: exclusiveMinimum, exclusiveMinimum: true }),
    ...(exclusiveMaximum === undefined ? {} : { maximum: exclusiveMaximum, exclusiveMaximum: true }),
  };
}

function listKind(path: string): Schema {
  return NAMED_LISTS.includes(path)
    ? { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }
    : { 'x-kubernetes-list-type': 'atomic' };
}

function objectOf(schema: Schema, path: string): Schema {
  const { properties, additionalProperties } = schema;
  if (typeof additionalProperties === 'object') {
    return { maxProperties: LARGEST_MAP, additionalProperties: lower(additionalProperties as Schema, `${path}.*`) };
  }
  const names = Object.entries((properties ?? {}) as Record<string, Schema>)
    .map(([name, field]) => ({ name, field, at: path === '' ? name : `${path}.${name}` }))
    .filter(({ at }) => !omittedPaths.includes(at));
  return { properties: Object.fromEntries(names.map(({ name, field, at }) => [name, lower(field, at)])) };
}

function rules(list: readonly CelRule[]): Schema {
  return list.length === 0 ? {} : { 'x-kubernetes-validations': list.map((rule) => ({ ...rule })) };
}
