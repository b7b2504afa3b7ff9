import assert from 'node:assert/strict';
import { it } from 'node:test';
import { constantTruth } from './constant-truth.ts';

const RATES = { seed: 'counts', requestsPerSecond: 1000, stableErrorRate: 0.01, canaryErrorRate: 0.5 };

it('a constant truth splits requests by the weight and fails each version at its own rate', () => {
  const { canary, stable } = constantTruth(RATES).draw(0, 1000, 20);
  // A million requests: ten standard deviations are 1 % of the canary's.
  assert.ok(Math.abs(canary.total - 200_000) < 4500, `${canary.total}`);
  assert.ok(Math.abs(stable.total - 800_000) < 9000, `${stable.total}`);
  assert.ok(Math.abs(canary.bad / canary.total - 0.5) < 0.012);
  assert.ok(Math.abs(stable.bad / stable.total - 0.01) < 0.0012);
});

it('a constant truth refuses rates that cannot be, by name', () => {
  assert.throws(() => constantTruth({ ...RATES, canaryErrorRate: 1.5 }), /canaryErrorRate/);
  assert.throws(() => constantTruth({ ...RATES, requestsPerSecond: 0 }), /requestsPerSecond/);
});
