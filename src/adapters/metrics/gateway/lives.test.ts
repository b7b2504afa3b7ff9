import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Check, CountedEvent } from '../../../core/model/check.ts';
import type { VersionLife } from '../../../core/model/observed.ts';
import { type LifeMarks, type Lives, lifeMarks, lifeReading } from './lives.ts';

const count = (event: CountedEvent) => ({ name: event, metric: { kind: 'count', event } }) as unknown as Check;
const RESTARTS = count('restarts');
const seen = (...value: VersionLife[]): Lives => ({ kind: 'seen', value });
const life = (revision: string, restarts: number, replicaMs: number, id = `${revision}-1`): VersionLife => ({
  revision,
  id,
  restarts,
  replicaMs,
});
const revisions = ['v1', 'v2'];

function countsOf(since: LifeMarks | undefined, lives: Lives): unknown {
  const reading = lifeReading(RESTARTS, { revisions, since, lives });
  if (reading.kind !== 'samples') return reading.kind;
  return Object.fromEntries(
    Object.entries(reading.byRevision).map(([revision, sample]) => [
      revision,
      sample.kind === 'count' ? [sample.events, sample.seconds] : null,
    ]),
  );
}

describe('events of the replicas’ lives', () => {
  test('a window holds what came since the mark: restarts, and the seconds in which they could come', () => {
    const since = lifeMarks(seen(life('v1', 7, 60_000), life('v2', 1, 2_000)), undefined);
    assert.deepEqual(countsOf(since, seen(life('v1', 7, 90_000), life('v2', 4, 12_500))), {
      v1: [0, 30],
      v2: [3, 10.5],
    });
  });

  test('a version that came after the mark counts from its beginning, and one retired and asked for again too', () => {
    const since = lifeMarks(seen(life('v1', 7, 60_000)), undefined);
    assert.deepEqual(countsOf(since, seen(life('v1', 1, 4_000, 'v1-2'), life('v2', 2, 1_000))), {
      v1: [1, 4],
      v2: [2, 1],
    });
  });

  test('numbers that fell are no negative count, and count on from where they are', () => {
    const since = lifeMarks(seen(life('v1', 7, 60_000)), undefined);
    const fallen = seen(life('v1', 5, 50_000), life('v2', 0, 1_000));
    assert.deepEqual(countsOf(since, fallen), { v1: [0, 0], v2: [0, 1] });
    assert.deepEqual(countsOf(lifeMarks(fallen, since), seen(life('v1', 6, 51_000))), { v1: [1, 1], v2: [0, 0] });
  });

  test('what cannot be read is an error and leaves the mark, so that the next window holds both (I6)', () => {
    const since = lifeMarks(seen(life('v1', 1, 1_000)), undefined);
    const error: Lives = { kind: 'error', message: 'the registry is damaged' };
    assert.equal(countsOf(since, error), 'error');
    assert.equal(lifeMarks(error, since), since);
    assert.deepEqual(countsOf(since, seen(life('v1', 3, 3_000))), { v1: [2, 2], v2: [0, 0] });
  });

  test('without a place to count from, without replicas, and of upstreams there is no data', () => {
    assert.equal(countsOf(undefined, seen(life('v1', 1, 1_000))), 'no-data');
    assert.equal(countsOf({}, seen()), 'no-data');
    assert.equal(countsOf({}, { kind: 'seen', value: null }), 'no-data');
  });

  test('an event that nobody counts is no data with the reason', () => {
    for (const event of ['oomKills', 'throttledPeriods'] as const) {
      const reading = lifeReading(count(event), { revisions, since: {}, lives: seen(life('v1', 1, 1)) });
      assert.ok(reading.kind === 'no-data' && reading.message.includes('control group'));
    }
  });
});
