// A thread of the benchmark: does units until there are no more.
import { parentPort } from 'node:worker_threads';
import type { Unit } from './units.ts';
import { doUnit } from './work.ts';

parentPort?.on('message', async (unit: Unit) => {
  parentPort?.postMessage(await doUnit(unit));
});
