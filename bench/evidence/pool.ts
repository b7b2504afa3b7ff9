// Two threads, units handed out one by one: what is done is told at once, so that nothing is lost when it is broken off.
import { Worker } from 'node:worker_threads';
import type { Unit } from './units.ts';
import type { UnitResult } from './work.ts';

export async function doAll(
  units: readonly Unit[],
  threads: number,
  done: (unit: Unit, result: UnitResult) => void,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(threads, units.length) }, async () => {
      const worker = new Worker(new URL('worker.ts', import.meta.url));
      try {
        for (;;) {
          const unit = units[next++];
          if (unit === undefined) return;
          done(unit, await ask(worker, unit));
        }
      } finally {
        await worker.terminate();
      }
    }),
  );
}

function ask(worker: Worker, unit: Unit): Promise<UnitResult> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (result: UnitResult) => {
      worker.off('error', reject);
      resolve(result);
    });
    worker.postMessage(unit);
  });
}
