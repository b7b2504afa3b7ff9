/**
 * `npm run sim:mutants`: each kept mutant of the shipped code must be caught within 1,000 seeds. Prints the seed and the
 * invariant that caught it. `--mutant NAME` for one, `--seeds N` for a shorter hunt, `--at-least M` for how many it must
 * catch then (all, if left out).
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parseArgs, promisify } from 'node:util';
import { MUTANTS, type Mutant } from './mutants.ts';

const { values } = parseArgs({
  options: {
    mutant: { type: 'string' },
    seeds: { type: 'string', default: '1000' },
    'at-least': { type: 'string' },
    processes: { type: 'string', default: '2' },
  },
});
const run = promisify(execFile);
const root = new URL('../../', import.meta.url);

/** Before anything is run: every mutant still fits the code. */
function misfits(): string[] {
  return MUTANTS.filter(({ file, find }) => readFileSync(new URL(file, root), 'utf8').split(find).length !== 2).map(
    ({ name, file }) => `mutant "${name}": its text must be in ${file} exactly once`,
  );
}

interface Hunted {
  readonly mutant: Mutant;
  readonly line: string;
  readonly isCaught: boolean;
}

async function hunt(mutant: Mutant): Promise<Hunted> {
  const hook = new URL('./mutant-hook.ts', import.meta.url).href;
  const hunter = new URL('./hunt-mutant.ts', import.meta.url).pathname;
  const { stdout } = await run(process.execPath, ['--import', hook, hunter, values.seeds], {
    env: { ...process.env, MUTANT: mutant.name },
    maxBuffer: 1e7,
  });
  const caught = JSON.parse(stdout.trim()) as { seed: number; invariant: string; message: string } | null;
  const line = caught === null ? 'NOT CAUGHT' : `seed ${caught.seed}, ${caught.invariant}: ${caught.message}`;
  return { mutant, line, isCaught: caught !== null };
}

const startedMs = performance.now();
const wrong = misfits();
for (const line of wrong) console.log(line);
const left = MUTANTS.filter(({ name }) => values.mutant === undefined || name === values.mutant);
const total = left.length;
let caught = 0;
if (wrong.length === 0) {
  await Promise.all(
    Array.from({ length: Number(values.processes) }, async () => {
      for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
        const hunted = await hunt(mutant);
        if (hunted.isCaught) caught += 1;
        console.log(`${hunted.isCaught ? 'caught' : 'ESCAPED'}  ${mutant.name}: ${hunted.line.slice(0, 160)}`);
      }
    }),
  );
}
const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
console.log(`${caught} of ${total} mutants caught within ${values.seeds} seeds (${seconds} s)`);
const least = values['at-least'] === undefined ? total : Number(values['at-least']);
process.exitCode = wrong.length === 0 && caught >= least && total > 0 ? 0 : 1;
