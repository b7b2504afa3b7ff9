/** Runs seeds until an invariant catches what is loaded (see mutant-hook.ts), and prints what did, as JSON. */
import { addRun, emptyTally, judgeShares } from '../../src/simulator/tally.ts';
import { runSeed } from '../../src/simulator/trial-run.ts';

const most = Number(process.argv[2] ?? '1000');
const tally = emptyTally();
let caught: { seed: number; invariant: string; message: string } | null = null;
for (let seed = 1; seed <= most && caught === null; seed++) {
  const report = await runSeed(seed);
  addRun(tally, report);
  if (report.violation !== null) {
    const { invariant, message } = report.violation;
    caught = { seed, invariant, message };
  } else {
    const share = judgeShares(tally).find(({ holds }) => !holds);
    if (share !== undefined) caught = { seed, invariant: 'I8', message: share.sentence };
  }
}
process.stdout.write(`${JSON.stringify(caught)}\n`);
