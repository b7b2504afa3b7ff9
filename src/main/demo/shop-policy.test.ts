import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gatewayRouterOf } from '../../core/model/place.ts';
import { parsePolicyText } from '../../core/policy/index.ts';
import { sha256Hex } from '../../lib/sha256.ts';
import { findPlaces } from './places.ts';
import { shopPolicy } from './shop-policy.ts';

const { policy, shop } = findPlaces();
const settings = { name: 'shop', shop, port: 8123, version: { label: 'v2', env: { SEED: '7' } } };

function compiled(text: string) {
  const result = parsePolicyText(text, { hash: sha256Hex });
  assert.equal(result.kind, 'ok', JSON.stringify(result));
  const [document] = result.kind === 'ok' ? result.documents : [];
  assert.ok(document);
  return document;
}

describe('the policy of the demo', () => {
  it('is the shop’s own file with port, version and command put in, and keeps its comments', () => {
    const text = shopPolicy(policy, settings);
    assert.match(text, /# A few users first/);
    const { policy: parsed, version } = compiled(text);
    assert.deepEqual(gatewayRouterOf(parsed).listen, { host: '127.0.0.1', port: 8123 });
    assert.equal(version?.label, 'v2');
    assert.deepEqual(version?.template, {
      kind: 'processes',
      command: [process.execPath, shop],
      env: { SEED: '7' },
      workingDirectory: null,
    });
  });

  it('differs between two versions in the template alone', () => {
    const [left, right] = ['v2', 'v3'].map((label) =>
      compiled(shopPolicy(policy, { ...settings, version: { label, env: {} } })),
    );
    assert.deepEqual(left?.policy, right?.policy);
    assert.notEqual(left?.version?.revision, right?.version?.revision);
  });

  it('takes other values by their path', () => {
    const text = shopPolicy(policy, { ...settings, overrides: [[['stages', 0, 'bake'], '2s']] });
    const { ramp } = compiled(text).policy;
    assert.equal(ramp.kind === 'stages' && ramp.stages[0]?.bakeMs, 2_000);
  });
});
