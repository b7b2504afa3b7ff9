import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readBody } from './prometheus-body.ts';
import { readPrometheusParts } from './prometheus-parts.ts';

type Bucket = [number, string, string, string];

/** Buckets of schema 3 between powers of 2^(1/8). */
function bucket(power: number, count: number, width = 1): Bucket {
  return [0, String(2 ** ((power - width) / 8)), String(2 ** (power / 8)), String(count)];
}

function body(version: string, points: readonly (readonly Bucket[])[]) {
  const histograms = points.map((buckets, i) => [i * 10, { count: '0', sum: '0', buckets }]);
  const metric = { __name__: 'http_request_duration_seconds', version, instance: version };
  return { status: 'success', data: { resultType: 'matrix', result: [{ metric, histograms }] } };
}

const options = { versionLabel: 'version', replicaLabel: null, badWhen: null };

function parts(...bodies: readonly unknown[]) {
  return readPrometheusParts({ total: bodies.map((each) => readBody(each, 'kept.json')), bad: [] }, options).parts;
}

describe('native histograms of Prometheus', () => {
  it('become latency counts in our own buckets, by increases, nothing split', () => {
    const [first] = parts(
      body('v1', [
        [bucket(-20, 100), bucket(-8, 10)],
        [bucket(-20, 160), bucket(-8, 14)],
      ]),
    );
    assert.ok(first?.sample.kind === 'latency');
    const { counts, boundaries = [] } = first.sample;
    const found = counts.map(([index, count]) => [Number((boundaries[index] ?? 0).toPrecision(6)), count]);
    assert.deepEqual(found, [
      [Number((2 ** (-20 / 8)).toPrecision(6)), 60],
      [0.5, 4],
    ]);
  });

  it('of a finer schema are merged: two half buckets are one', () => {
    const fine = (count: number) => [bucket(-20.5, count, 0.5), bucket(-20, count, 0.5)];
    const [first] = parts(body('v1', [fine(10), fine(25)]));
    assert.ok(first?.sample.kind === 'latency');
    assert.deepEqual(
      first.sample.counts.map(([, count]) => count),
      [30],
    );
  });

  it('that start anew count on from 0', () => {
    const found = parts(body('v1', [[bucket(-20, 100)], [bucket(-20, 30)]]));
    assert.ok(found[0]?.sample.kind === 'latency');
    assert.deepEqual(
      found[0].sample.counts.map(([, count]) => count),
      [30],
    );
  });

  it('whose resolution changed on the way are refused: nobody knows which requests were slow', () => {
    const merged = [bucket(-16, 120, 8)];
    assert.throws(() => parts(body('v1', [[bucket(-20, 100), bucket(-16, 10)], merged])), /changed its resolution/);
  });
});
