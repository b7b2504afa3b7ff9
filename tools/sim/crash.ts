/**
 * `npm run sim:crash`: every await of every named scenario crashed once before and once after; the end must be that of
 * the undisturbed run. `--scenario NAME` for one, `--every N` for each n-th await only, `--at N --when before` to replay.
 */
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { SweepReport } from '../../src/simulator/crash-sweep.ts';
import { NAMED_SCENARIOS } from '../../src/simulator/named-scenarios.ts';

const { values } = parseArgs({
  options: {
    scenario: { type: 'string' },
    every: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
  },
});

const names = NAMED_SCENARIOS.map(({ name }) => name).filter(
  (name) => values.scenario === undefined || name === values.scenario,
);
if (names.length === 0) throw new RangeError(`no scenario is called "${values.scenario}"`);

function sweepInThread(name: string): Promise<SweepReport> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./crash-worker.ts', import.meta.url), {
      workerData: { name, every: Number(values.every) },
    });
    worker.on('message', resolve);
    worker.on('error', reject);
  });
}

function print(report: SweepReport): void {
  const { scenario, awaits, runs, end, failures } = report;
  console.log(`${failures.length === 0 ? 'ok  ' : 'FAIL'} ${scenario}: ${awaits} awaits, ${runs} runs`);
  console.log(`       ends: ${end.releases.join('; ')} | ${end.objects.join(', ')} | ${end.weights.join(', ')}`);
  for (const { crash, message } of failures.slice(0, 5)) console.log(`       crash ${crash}: ${message}`);
  if (failures.length > 5) console.log(`       and ${failures.length - 5} more`);
}

const startedMs = performance.now();
const left = [...names];
const reports: SweepReport[] = [];
await Promise.all(
  Array.from({ length: Number(values.threads) }, async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      const report = await sweepInThread(name);
      print(report);
      reports.push(report);
    }
  }),
);
const runs = reports.reduce((sum, report) => sum + report.runs, 0);
const failures = reports.reduce((sum, report) => sum + report.failures.length, 0);
const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
console.log(`${reports.length} scenarios, ${runs} runs, ${failures} ends differ (${seconds} s)`);
process.exitCode = failures === 0 ? 0 : 1;
