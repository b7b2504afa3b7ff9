import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ReleaseView } from '../core/views/index.ts';
import type { Client } from './client.ts';
import { type SteadyOptions, steadyViews } from './steady-views.ts';

function bench(signal: AbortSignal, views: () => AsyncGenerator<ReleaseView>) {
  const said: string[] = [];
  const options: SteadyOptions = {
    policy: 'shop',
    connect: () => ({ views }) as unknown as Client,
    signal,
    patienceMs: 1_000,
    onAway: () => said.push('away'),
    onBack: () => said.push('back'),
  };
  return { said, options };
}

it('does not call the agent away when the reader stops waiting', async () => {
  const leaving = new AbortController();
  const { said, options } = bench(leaving.signal, async function* () {
    yield {} as ReleaseView;
  });
  for await (const _seen of steadyViews(options)) leaving.abort();
  assert.deepEqual(said, []);
});

it('says once that the agent is away, and that it is back', async () => {
  const leaving = new AbortController();
  let streams = 0;
  const { said, options } = bench(leaving.signal, async function* () {
    streams += 1;
    if (streams === 2) leaving.abort();
    yield {} as ReleaseView;
  });
  for await (const _seen of steadyViews(options));
  assert.deepEqual(said, ['away', 'back']);
});
