import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { faultsOf, type Line, totalOf, upperLimit } from './table.ts';

const line: Line = {
  scenario: 'weight changes',
  mayLose: false,
  done: 'changes: 100',
  connections: 'kept alive',
  sent: 30_000,
  lost: 0,
  losses: {},
};
const control: Line = { ...line, scenario: 'control', mayLose: true, lost: 40 };

describe('the table of lost requests', () => {
  it('says 3/n where nothing was lost, and no limit where something was', () => {
    assert.equal(upperLimit(0, 30_000), 0.0001);
    assert.equal(upperLimit(1, 30_000), null);
  });

  it('leaves the control out of the total', () => {
    assert.deepEqual([totalOf([line, control]).sent, totalOf([line, control]).lost], [30_000, 0]);
  });

  it('fails when the control loses nothing: then no loss could have been seen', () => {
    assert.deepEqual(faultsOf([line, control], 30_000), []);
    assert.match(faultsOf([line, { ...control, lost: 0 }], 30_000).join(), /cannot see a loss/);
    assert.match(faultsOf([line], 30_000).join(), /cannot see a loss/);
  });

  it('fails on one lost request, and on too few requests', () => {
    assert.match(faultsOf([{ ...line, lost: 1 }, control], 30_000).join(), /1 of 30000 requests were lost/);
    assert.match(faultsOf([line, control], 30_001).join(), /only 30000/);
  });
});
