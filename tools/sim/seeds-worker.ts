/** Runs a share of the seeds in a thread of its own and posts the tally; see run-seeds.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { addRun, emptyTally } from '../../src/simulator/tally.ts';
import { runSeed } from '../../src/simulator/trial-run.ts';

const { seeds, stopAtFirst } = workerData as { readonly seeds: readonly number[]; readonly stopAtFirst: boolean };
const tally = emptyTally();
for (const seed of seeds) {
  addRun(tally, await runSeed(seed));
  if (stopAtFirst && tally.failures.length > 0) break;
  if (tally.runs % 100 === 0) parentPort?.postMessage({ done: tally.runs });
}
parentPort?.postMessage({ done: tally.runs, tally });
