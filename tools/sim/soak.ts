/** `npm run sim:soak`: 100 releases x 24 h of virtual time with one error check each, in under two minutes. */
import { parseArgs } from 'node:util';
import { createSimulation } from '../../src/simulator/simulation.ts';
import { soakScenario } from '../../src/simulator/soak.ts';

const { values } = parseArgs({
  options: {
    releases: { type: 'string', default: '100' },
    hours: { type: 'string', default: '24' },
    interval: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
  },
});
const releases = Number(values.releases);
const hours = Number(values.hours);
const LIMIT_SECONDS = 120;

const scenario = soakScenario({ releases, hours, intervalMs: Number(values.interval) * 1000 });
const simulation = createSimulation(scenario, { seed: Number(values.seed), readQuietRecords: 60 });
const startedMs = performance.now();
await simulation.runUntil(scenario.endMs);
const seconds = (performance.now() - startedMs) / 1000;

let windows = 0;
let aborted = 0;
for (const service of simulation.services) {
  const book = simulation.monitor.books.get(service.spec.policy);
  const release = book?.state?.release;
  for (const { accepted } of book?.chains.values() ?? []) windows += accepted.length + 1;
  if (release?.phase.kind === 'ended' && release.phase.outcome.kind === 'aborted') aborted += 1;
}
const { user, system } = process.cpuUsage();
const heapMegabytes = process.memoryUsage().heapUsed / 1e6;
console.log(
  `${releases} releases x ${hours} h: ${windows} windows, ${simulation.scheduler.steps} steps, ${simulation.awaits} awaits in ` +
    `${seconds.toFixed(1)} s (${((user + system) / 1e6).toFixed(1)} s of processor, ` +
    `${Math.round((user + system) / Math.max(1, windows))} us a window), heap ${heapMegabytes.toFixed(0)} MB`,
);
console.log(`aborted though alike: ${aborted} of ${releases}; trace ${simulation.trace.hash}`);
for (const { invariant, message } of simulation.monitor.violations)
  console.log(`VIOLATION of ${invariant}: ${message}`);
const isWhole = releases === 100 && hours === 24;
if (isWhole && seconds > LIMIT_SECONDS) console.log(`TOO SLOW: more than ${LIMIT_SECONDS} s`);
process.exitCode = simulation.monitor.violations.length > 0 || (isWhole && seconds > LIMIT_SECONDS) ? 1 : 0;
