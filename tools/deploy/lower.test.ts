import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLUSTER_WORDS } from '../../src/core/policy/cluster-words.ts';
import { compileObject, parsePolicyText } from '../../src/core/policy/index.ts';
import { WHOLE_OR_TEXT } from '../../src/core/policy/rules-kubernetes.ts';
import { customResources } from './custom-resources.ts';
import type { Schema } from './lower.ts';
import { rulePaths } from './rules.ts';

const hash = (text: string) => text.length.toString(16).padStart(12, '0');

/** Every field of spec in the definition of ReleasePolicy, by path. */
function fieldsOf(schema: Schema, path: string): ReadonlyMap<string, Schema> {
  const found = new Map([[path, schema]]);
  const below = [
    ...Object.entries((schema.properties ?? {}) as Record<string, Schema>).map(([name, field]) => [`.${name}`, field]),
    ...(schema.items === undefined ? [] : [['[]', schema.items]]),
    ...(typeof schema.additionalProperties === 'object' ? [['.*', schema.additionalProperties]] : []),
  ] as unknown as readonly (readonly [string, Schema])[];
  for (const [name, field] of below) for (const each of fieldsOf(field, `${path}${name}`)) found.set(...each);
  return found;
}

interface Definition {
  readonly spec: {
    readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: { readonly properties: Schema } } }[];
  };
}

const [policies] = customResources() as unknown as readonly Definition[];
const FIELDS = fieldsOf(policies?.spec.versions[0]?.schema.openAPIV3Schema.properties.spec as Schema, 'spec');

test('no rule and no word about Kubernetes stands at a field that the definition does not have', () => {
  assert.deepEqual(
    [...rulePaths, ...Object.keys(CLUSTER_WORDS)].filter((path) => !FIELDS.has(path)),
    [],
  );
});

test('the compiler knows every field that the API server takes as a whole number or as text', () => {
  const found = [...FIELDS].filter(([, field]) => field['x-kubernetes-int-or-string'] === true);
  assert.deepEqual(found.map(([path]) => path).sort(), [...WHOLE_OR_TEXT].sort());
});

test('no description of the definition speaks of what runs on one machine', () => {
  const wrong =
    /\bagent\b|processes\b|upstreams|embedded|\{gateway:|(?<!kubectl )\bhaldane (?:approve|judge)|conversion/;
  for (const [path, { description = '' }] of FIELDS) assert.doesNotMatch(String(description), wrong, path);
});

test('the examples of spec and of its required fields make a policy that is taken', () => {
  const spec = CLUSTER_WORDS.spec?.example as object;
  for (const key of ['workload', 'router', 'metrics']) {
    const changed = { ...spec, [key]: CLUSTER_WORDS[`spec.${key}`]?.example };
    const compiled = compileObject({ metadata: { name: 'shop', namespace: 'web' }, spec: changed }, { hash });
    assert.equal(compiled.kind, 'ok', `${key}: ${JSON.stringify(compiled)}`);
  }
});

test('a workload that is missing is suggested as what the place has: a Deployment in a cluster, processes on a machine', () => {
  const text = 'apiVersion: haldane.dev/v1alpha1\nkind: ReleasePolicy\nmetadata: {name: shop}\nspec: {}\n';
  const fixOf = (place: object) => {
    const parsed = parsePolicyText(text, { hash, ...place });
    return parsed.kind === 'refused' ? parsed.errors.find(({ path }) => path === 'spec.workload')?.fix : undefined;
  };
  assert.equal(fixOf({ namespace: 'web' }), 'add it, for example workload: {deployment: {name: shop}}');
  assert.match(fixOf({}) ?? '', /workload: \{processes: /);
});
