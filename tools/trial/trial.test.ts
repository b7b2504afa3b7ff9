import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Draw, drawRun, sharesOf, truthOf } from './draw.ts';
import { faultsOf, type Row, sumOf } from './row.ts';

const TOLERANCES = { errors: { ratio: 1.1, margin: 0.005 }, latency: { ratio: 1.2, margin: 0.01 } };
const draw: Draw = {
  run: 0,
  seed: 'x-0',
  baseErrors: 0.01,
  requestsPerSecond: 500,
  latencySpread: 0.45,
  harm: { kind: 'healthy' },
};
const row: Row = {
  draw,
  truth: 'healthy',
  ended: 'promoted',
  by: null,
  check: null,
  seconds: 10,
  exposed: { requests: 100, bad: 1 },
  sentence: '',
};
const caught: Row = { ...row, truth: 'harmful', ended: 'aborted', by: 'verdict' };

describe('the truth of a run', () => {
  it('is fixed by seed and number, and differs between seeds', () => {
    assert.deepEqual(drawRun('a', 3), drawRun('a', 3));
    assert.notDeepEqual(drawRun('a', 3), drawRun('b', 3));
  });

  it('is harmful only where ratio and margin are both exceeded twice', () => {
    const truth = (baseErrors: number, ratio: number) =>
      truthOf({ ...draw, baseErrors, harm: { kind: 'errors', ratio } }, TOLERANCES);
    assert.equal(truth(0.01, 2.3), 'harmful');
    assert.equal(truth(0.01, 1.9), 'either');
    assert.equal(truth(0.001, 5), 'either');
    assert.equal(truthOf(draw, TOLERANCES), 'healthy');
  });

  it('counts the slow share of a stretched tail against stable’s 99th percentile', () => {
    const shares = (factor: number) => sharesOf({ ...draw, harm: { kind: 'latency', factor } });
    assert.ok(Math.abs((shares(1)?.stable ?? 0) - 0.01) < 1e-6);
    assert.ok(Math.abs((shares(1)?.canary ?? 0) - 0.01) < 1e-6);
    assert.ok((shares(2)?.canary ?? 0) > 0.045);
    assert.ok((shares(3)?.canary ?? 1) <= 0.05 + 1e-9);
  });
});

describe('the sum of a set of runs', () => {
  const users = { sent: 1_000, lost: 0 };

  it('finds no fault in versions that ended as they should', () => {
    const rows = [...Array(20).fill(row), ...Array(20).fill(caught)] as Row[];
    assert.deepEqual(faultsOf(sumOf(rows, users)), []);
  });

  it('does not forgive one harmful version that was promoted', () => {
    const rows = [...Array(20).fill(caught), { ...caught, ended: 'promoted', by: null }] as Row[];
    assert.match(faultsOf(sumOf(rows, users)).join(), /1 harmful versions were promoted/);
  });

  it('holds a small set to its limits only where they exclude the target', () => {
    const undecided: Row = { ...row, ended: 'undecided' };
    assert.deepEqual(faultsOf(sumOf([row, undecided], users)), []);
    const rows = [...Array(16).fill(row), undecided, undecided, undecided] as Row[];
    assert.match(faultsOf(sumOf(rows, users)).join(), /fewer than 90 %/);
  });

  it('counts an abort by anything but a verdict as a harm that was missed', () => {
    const rows = Array(20).fill({ ...caught, by: 'trouble' }) as Row[];
    assert.match(faultsOf(sumOf(rows, users)).join(), /fewer than 95 %/);
  });

  it('names lost requests and more than 1 in 50 false aborts', () => {
    const aborted: Row = { ...row, ended: 'aborted', by: 'verdict' };
    const faults = faultsOf(sumOf([...Array(40).fill(row), aborted, aborted] as Row[], { sent: 10, lost: 1 }));
    assert.match(faults.join(), /more than 1 in 50/);
    assert.match(faults.join(), /1 requests were lost/);
  });
});
