import assert from 'node:assert/strict';
import { it } from 'node:test';
import { inputOf, sampleWorld } from '../../test/views/samples.ts';
import type { Controller } from '../controller/index.ts';
import type { Clock, Store } from '../ports/index.ts';
import type { LiveTraffics } from './live-traffic.ts';
import { ViewSource } from './view-source.ts';

it('shows a policy that was made anew under a name nothing of what the one before it did', async () => {
  const world = sampleWorld();
  const line = (sequence: number, of: string) => ({
    sequence,
    hash: `${of}-${sequence}`,
    wallTime: '2026-01-01T00:00:00.000Z',
    release: null,
    document: JSON.stringify({ kind: 'verdict', sentence: `${of} ${sequence}` }),
  });
  let lines = [1, 2, 3].map((sequence) => line(sequence, 'before'));
  const journal = async ({ after = 0, limit = 500 }: { after?: number; limit?: number }) =>
    lines.filter(({ sequence }) => sequence > after).slice(0, limit);
  const views = new ViewSource({
    store: { journal } as unknown as Store,
    controller: { view: () => ({ ...inputOf(world), name: 'checkout', looks: 1 }) } as unknown as Controller,
    clock: { now: () => ({ monotonicMs: 0, epoch: '', wallTime: '2026-01-01T00:00:00.000Z' }) } as unknown as Clock,
    live: { of: async () => null } as unknown as LiveTraffics,
  });
  const said = async () => (await views.view('checkout'))?.log.map(({ sentence }) => sentence).toSorted();
  assert.deepEqual(await said(), ['before 1', 'before 2', 'before 3']);
  lines = [...lines, line(4, 'before')];
  assert.deepEqual(await said(), ['before 1', 'before 2', 'before 3', 'before 4']);
  lines = [1, 2, 3, 4, 5].map((sequence) => line(sequence, 'after'));
  assert.deepEqual(await said(), ['after 1', 'after 2', 'after 3', 'after 4', 'after 5']);
});

it('keeps each line of the journal once, however many look at the same moment', async () => {
  const world = sampleWorld();
  const lines = [1, 2, 3].map((sequence) => ({
    sequence,
    wallTime: '2026-01-01T00:00:00.000Z',
    release: null,
    document: JSON.stringify({ kind: 'verdict', sentence: `line ${sequence}` }),
  }));
  const views = new ViewSource({
    store: {
      journal: async ({ after = 0 }: { after?: number }) => lines.filter(({ sequence }) => sequence > after),
    } as unknown as Store,
    controller: { view: () => ({ ...inputOf(world), name: 'checkout', looks: 1 }) } as unknown as Controller,
    clock: {
      now: () => ({ monotonicMs: 0, epoch: 'boot-1', wallTime: '2026-01-01T00:00:00.000Z' }),
    } as unknown as Clock,
    live: { of: async () => null } as unknown as LiveTraffics,
  });
  const seen = await Promise.all([1, 2, 3].map(() => views.view('checkout')));
  for (const view of seen) {
    const sequences = view?.log.map(({ sequence }) => sequence) ?? [];
    assert.deepEqual(sequences.toSorted(), [1, 2, 3]);
  }
});
