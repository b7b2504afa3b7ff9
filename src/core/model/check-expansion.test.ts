import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Check, KayentaMetric } from './check.ts';
import { measuredChecks } from './check-expansion.ts';

const ALL = { routes: null, methods: null };
const plain: Check = {
  name: 'errors',
  metric: { kind: 'errors' },
  selector: ALL,
  role: 'required',
  tolerance: { ratio: 1.1, margin: 0.005, harmMargin: 0, atDeadline: null, bucketShift: 0 },
  limit: null,
  direction: 'increase',
  weight: 1,
  warmUpMs: 60_000,
  noDataMs: 120_000,
  clusterCap: 1,
  rule: null,
};

function part(name: string, metric: KayentaMetric['metric'], more: Partial<KayentaMetric> = {}): KayentaMetric {
  return {
    name,
    metric,
    selector: ALL,
    group: 'all',
    direction: 'increase',
    critical: false,
    nanStrategy: 'remove',
    mustHaveData: false,
    ...more,
  };
}

const aca: Check = {
  ...plain,
  name: 'aca',
  metric: {
    kind: 'kayenta',
    config: {
      metrics: [
        part('errors', { kind: 'errors' }, { selector: { routes: ['checkout'], methods: null }, direction: 'either' }),
        part('p99', { kind: 'latency', quantile: 0.99 }, { direction: 'decrease' }),
      ],
      groupWeights: {},
      pass: 95,
      marginal: 75,
      stepMs: 10_000,
      intervalMs: 60_000,
      lifetimeMs: 600_000,
      lookbackMs: 0,
    },
  },
};

test('a check of several metrics is measured as one check a metric, named after both, in place', () => {
  const found = measuredChecks([aca, plain]);
  assert.deepEqual(
    found.map(({ name, metric, selector, direction }) => ({ name, metric, selector, direction })),
    [
      {
        name: 'aca/errors',
        metric: { kind: 'errors' },
        selector: { routes: ['checkout'], methods: null },
        direction: 'increase',
      },
      { name: 'aca/p99', metric: { kind: 'latency', quantile: 0.99 }, selector: ALL, direction: 'decrease' },
      { name: 'errors', metric: { kind: 'errors' }, selector: ALL, direction: 'increase' },
    ],
  );
  assert.equal(found[0]?.warmUpMs, aca.warmUpMs);
  assert.equal(found[0]?.tolerance, null, 'only the whole is judged');
});

test('checks of other kinds pass through as they are', () => {
  assert.equal(measuredChecks([plain])[0], plain);
  assert.deepEqual(measuredChecks([]), []);
});
