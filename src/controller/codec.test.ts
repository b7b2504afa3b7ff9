import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initialState, STATE_SCHEMA } from '../core/engine/index.ts';
import { samplePolicy, sampleVersion } from '../ports/doubles/index.ts';
import { decodeState, encodeBody, isSameButClock, migrate, withClock } from './codec.ts';
import { decodeDeclared, encodeDeclared } from './declared.ts';

const at = { monotonicMs: 5, epoch: 'boot-1', wallTime: '2026-01-01T00:00:00.000Z' };
const state = { ...initialState('shop', at), stable: sampleVersion('v1'), releases: 3 };

test('a state is read back as it was written', () => {
  assert.deepEqual(decodeState('shop', withClock(encodeBody(state), state.clock)), state);
});

test('two states that differ in the clock alone have one body', () => {
  const later = { ...state, clock: { ...at, monotonicMs: 99 } };
  assert.equal(encodeBody(later), encodeBody(state));
  assert.ok(isSameButClock(state, later));
  assert.ok(!isSameButClock(state, { ...state, releases: 4 }));
});

test('a state of a later program, of another policy, or no state at all is refused with the reason', () => {
  const text = withClock(encodeBody(state), at);
  const refusals: Record<string, RegExp> = {
    [text.replace(`"schema":${STATE_SCHEMA}`, '"schema":99')]: /schema 99, and this program knows/,
    [text.replace('"policy":"shop"', '"policy":"blog"')]: /not a state of this policy/,
    [text.replace(/"schema":\d+/, '"schema":"x"')]: /no schema number/,
    [text.slice(0, 40)]: /not JSON/,
    null: /not an object/,
  };
  for (const [damaged, reason] of Object.entries(refusals)) {
    assert.throws(
      () => decodeState('shop', damaged),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'document-unreadable');
        assert.match(error.message, reason);
        return true;
      },
    );
  }
});

test('an older document is brought forward step by step', () => {
  const steps = {
    1: (document: Record<string, unknown>) => ({ ...document, name: `${document.name}, renamed` }),
    2: (document: Record<string, unknown>) => ({ ...document, added: [] }),
  };
  const migrated = migrate('a document', { schema: 1, name: 'old' }, steps, 3);
  assert.deepEqual(migrated, { schema: 3, name: 'old, renamed', added: [] });
  assert.throws(() => migrate('a document', { schema: 0 }, steps, 3), /schema 0/);
});

test('a declaration is read with its hash; the same policy has the same hash in whatever order it is written', () => {
  const policy = samplePolicy('shop');
  const shuffled = Object.fromEntries(Object.entries(policy).reverse()) as unknown as typeof policy;
  const read = (document: string) => decodeDeclared({ policy: 'shop', document, generation: 2, removed: false });
  const declared = read(encodeDeclared(policy, sampleVersion('v1')));
  assert.equal(declared.version?.revision, 'rev-v1');
  assert.equal(declared.policyHash, read(encodeDeclared(shuffled, sampleVersion('v2'))).policyHash);
  assert.notEqual(
    declared.policyHash,
    read(encodeDeclared({ ...policy, leastBakeMs: 1 }, sampleVersion('v1'))).policyHash,
  );
  assert.throws(() => read('{"policy":{"name":"blog"}}'), /does not hold this policy/);
});
