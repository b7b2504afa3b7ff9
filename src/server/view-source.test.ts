import assert from 'node:assert/strict';
import { it } from 'node:test';
import { inputOf, sampleWorld } from '../../test/views/samples.ts';
import type { Controller } from '../controller/index.ts';
import type { Clock, Store } from '../ports/index.ts';
import type { LiveTraffics } from './live-traffic.ts';
import { ViewSource } from './view-source.ts';

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
