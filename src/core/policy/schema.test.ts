import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainField, flatten, showPath } from './explain.ts';
import { policyJsonSchema } from './json-schema.ts';
import { outlinePolicy } from './outline.ts';
import { walkValue } from './walk.ts';

const FIELDS = outlinePolicy().flatMap(flatten);

test('R10: every field has a description, an example, and says what happens when it is left out', () => {
  assert.ok(FIELDS.length > 150);
  for (const field of FIELDS) {
    const path = showPath(field.path);
    assert.match(field.description, /^[`A-Z/].{5,}[.)]$/su, `${path} has a description that is a sentence`);
    assert.notEqual(field.example, null, `${path} has an example`);
    const isSaid = field.required || field.alternative || field.default !== null || field.absent !== null;
    assert.ok(isSaid, `${path} says what happens when it is left out`);
  }
});

test('R10: every example is right by the schema of its own field', () => {
  for (const field of FIELDS) {
    assert.deepEqual(walkValue(field.schema, field.example).problems, [], showPath(field.path));
  }
});

test('every default, written out, is right by the schema of its own field', () => {
  for (const field of FIELDS) {
    if (field.default !== null)
      assert.deepEqual(walkValue(field.schema, field.default).problems, [], showPath(field.path));
  }
});

test('the JSON Schema carries description and example of every field, and refuses unknown ones', () => {
  const fields: string[] = [];
  const visit = (schema: unknown, path: string): void => {
    if (typeof schema !== 'object' || schema === null) return;
    const { properties, items, additionalProperties } = schema as Record<string, unknown>;
    if (properties !== undefined) assert.equal(additionalProperties, false, `${path} is closed`);
    for (const [name, field] of Object.entries((properties ?? {}) as Record<string, Record<string, unknown>>)) {
      fields.push(`${path}.${name}`);
      assert.equal(typeof field.description, 'string', `${path}.${name}`);
      assert.equal((field.examples as unknown[]).length, 1, `${path}.${name}`);
      visit(field, `${path}.${name}`);
    }
    visit(items, `${path}[]`);
  };
  const schema = policyJsonSchema();
  assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema');
  visit(schema, '');
  assert.equal(fields.length, FIELDS.length);
});

test('explain tells what a field means, with or without list indices', () => {
  const explained = explainField('spec.stages[3].weight');
  assert.equal(explained.kind, 'field');
  if (explained.kind !== 'field') return;
  assert.equal(explained.path, 'spec.stages[].weight');
  assert.equal(explained.required, true);
  assert.match(explained.description, /100 means promote/);
  assert.deepEqual(explainField('spec.stages.weight'), explained);
});

test('explain lists what may be written below a field, and what is not there yet', () => {
  const router = explainField('spec.router');
  assert.equal(router.kind, 'field');
  if (router.kind !== 'field') return;
  assert.deepEqual(
    router.children.map((child) => child.name),
    ['gateway', 'replicaShare', 'gatewayApi'],
  );
  assert.ok(router.notYet.includes('istio'));
  assert.deepEqual(router.default, { gateway: {} });
});

test('every path that explain knows can be asked for', () => {
  for (const field of FIELDS) assert.equal(explainField(showPath(field.path)).kind, 'field', showPath(field.path));
});

test('explain answers an unknown path with the nearest known ones', () => {
  const near = explainField('spec.stages.weigth');
  assert.equal(near.kind, 'unknown');
  if (near.kind === 'unknown') assert.equal(near.nearest[0], 'spec.stages[].weight');
  const anywhere = explainField('quantile');
  if (anywhere.kind === 'unknown') assert.equal(anywhere.nearest[0], 'spec.checks[].metric.latency.quantile');
  const planned = explainField('spec.router.istio');
  assert.equal(planned.kind === 'unknown' && planned.isPlanned, true);
  const far = explainField('spec.zzzzzz');
  if (far.kind === 'unknown') assert.deepEqual(far.nearest, []);
  assert.equal(explainField('').kind, 'unknown');
});
