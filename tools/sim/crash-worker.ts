/** Sweeps one named scenario in a thread of its own; see crash.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { sweep } from '../../src/simulator/crash-sweep.ts';
import { NAMED_SCENARIOS } from '../../src/simulator/named-scenarios.ts';

const { name, every } = workerData as { readonly name: string; readonly every: number };
const scenario = NAMED_SCENARIOS.find((one) => one.name === name);
if (scenario === undefined) throw new RangeError(`no scenario is called "${name}"`);
parentPort?.postMessage(await sweep(scenario, every));
