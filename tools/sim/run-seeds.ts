/** Spreads seeds over threads and adds up what they tell. The order of seeds never changes what a seed does. */
import { Worker } from 'node:worker_threads';
import { emptyTally, mergeTally, type Tally } from '../../src/simulator/tally.ts';

export interface SeedRange {
  readonly from: number;
  readonly count: number;
  readonly threads: number;
  readonly stopAtFirst: boolean;
}

export async function runSeeds(range: SeedRange, progress: (done: number) => void): Promise<Tally> {
  const done = new Map<number, number>();
  const report = (thread: number, count: number): void => {
    done.set(thread, count);
    progress([...done.values()].reduce((sum, one) => sum + one, 0));
  };
  const tallies = await Promise.all(
    Array.from({ length: Math.min(range.threads, range.count) }, (_, thread) => runShare(range, thread, report)),
  );
  const total = emptyTally();
  for (const tally of tallies) mergeTally(total, tally);
  total.failures.sort((a, b) => a.seed - b.seed);
  return total;
}

function runShare(range: SeedRange, thread: number, report: (thread: number, done: number) => void): Promise<Tally> {
  const seeds: number[] = [];
  for (let index = thread; index < range.count; index += range.threads) seeds.push(range.from + index);
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./seeds-worker.ts', import.meta.url), {
      workerData: { seeds, stopAtFirst: range.stopAtFirst },
    });
    worker.on('message', (message: { done: number; tally?: Tally }) => {
      report(thread, message.done);
      if (message.tally !== undefined) resolve(message.tally);
    });
    worker.on('error', reject);
    worker.on('exit', (code) => {
      if (code !== 0) reject(new Error(`a simulation thread ended with code ${code}`));
    });
  });
}
