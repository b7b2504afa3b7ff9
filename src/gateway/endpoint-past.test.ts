import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Ended } from './counters.ts';
import { EndpointPast, SLICE_MS, SLICES, sliceAt } from './endpoint-past.ts';

/** A moment of performance.now() in the middle of a slice. */
const START_MS = SLICE_MS * 1.5 - (performance.timeOrigin % SLICE_MS);
const later = (slices: number) => START_MS + slices * SLICE_MS;

describe('the past of one endpoint', () => {
  test('requests are counted by status class or by how they ended, each in the slice it ended in', () => {
    const past = new EndpointPast();
    for (const status of [200, 204, 301, 404, 500, 503, 503]) past.count(later(0), status);
    for (const ended of [Ended.connectFailed, Ended.timeout, Ended.reset, Ended.clientClosed])
      past.count(later(2), ended);
    assert.deepEqual(past.slices(later(2)), [
      {
        slice: sliceAt(later(0)),
        ended: [
          ['2xx', 2],
          ['3xx', 1],
          ['4xx', 1],
          ['5xx', 3],
        ],
      },
      {
        slice: sliceAt(later(2)),
        ended: [
          ['connect-failed', 1],
          ['timeout', 1],
          ['reset', 1],
          ['client-closed', 1],
        ],
      },
    ]);
  });

  test('after an hour a slice is forgotten, whether or not another takes its place', () => {
    const past = new EndpointPast();
    past.count(later(0), 200);
    past.count(later(1), 200);
    past.count(later(SLICES), 500);
    assert.deepEqual(past.slices(later(SLICES)), [
      { slice: sliceAt(later(1)), ended: [['2xx', 1]] },
      { slice: sliceAt(later(SLICES)), ended: [['5xx', 1]] },
    ]);
    assert.deepEqual(past.slices(later(2 * SLICES)), []);
  });

  test('a status without a class of its own is counted with the last', () => {
    const past = new EndpointPast();
    past.count(later(0), 799);
    assert.deepEqual(past.slices(later(0))[0]?.ended, [['5xx', 1]]);
  });
});
