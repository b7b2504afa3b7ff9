// `npm run bench:evidence`: how good the verdicts are, beside peers and beside what is possible, through the shipped engine
// under virtual time. Goes on where it was broken off. Writes bench/results/evidence.json and docs/evidence/.
//   --quick        a small set in under a minute; writes nothing; exits 1 if a bound is broken
//   --only NAME    one section: bare, same, equal, compared, tuning, swept
//   --threads N    default 2
//   --report       only write the documents anew from bench/results/evidence.json
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { brokenBounds } from './bounds.ts';
import { DEPENDS_ON, Ledger } from './ledger.ts';
import { peerNames } from './peers/index.ts';
import { doAll } from './pool.ts';
import { writeReport } from './report.ts';
import { resultsText, summariseAll } from './results.ts';
import { FULL, planUnits, QUICK, type Unit, unitName } from './units.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    threads: { type: 'string', default: '2' },
    report: { type: 'boolean', default: false },
  },
});

const root = fileURLToPath(new URL('../..', import.meta.url));
const resultsPath = `${root}/bench/results/evidence.json`;

if (values.report) {
  writeReport(JSON.parse(readFileSync(resultsPath, 'utf8')), root);
  process.exit(0);
}

const units = planUnits(values.quick ? QUICK : FULL, peerNames).filter(
  ({ section }) => values.only === undefined || section === values.only,
);
const ledger = values.quick ? Ledger.inMemory() : ledgerOfHead();
const open = units.filter((unit) => !ledger.has(unitName(unit)));
await doAll(shuffled(open), Number(values.threads), progress(open.length, units.length));
const results = summariseAll(units, ledger, { commit: ledger.commit, date: new Date().toISOString().slice(0, 10) });
const broken = brokenBounds(results);
for (const line of broken) console.error(`BROKEN: ${line}`);
if (!values.quick && values.only === undefined) {
  mkdirSync(`${root}/bench/results`, { recursive: true });
  writeFileSync(resultsPath, resultsText(results));
  writeReport(results, root);
}
console.log(
  `${units.length} units, ${results.releases.length} rows of releases, ${results.bare.length} of bare evidence; ${broken.length} bounds broken`,
);
process.exit(broken.length === 0 ? 0 : 1);

/** Long units and short ones mixed, so that the time left is told honestly; the same order each time. */
function shuffled(list: readonly Unit[]): readonly Unit[] {
  const keyed = list.map((unit, i) => [(i * 7919) % 10007, unit] as const);
  return keyed.sort(([a], [b]) => a - b).map(([, unit]) => unit);
}

function progress(todo: number, all: number): Parameters<typeof doAll>[2] {
  const started = performance.now();
  let done = 0;
  let told = 0;
  return (unit, result) => {
    ledger.add(unitName(unit), result);
    done += 1;
    const seconds = (performance.now() - started) / 1000;
    if (seconds - told < 15 && done < todo) return;
    told = seconds;
    const left = Math.round((seconds / done) * (todo - done));
    console.error(`${all - todo + done} of ${all} units, ${Math.round(seconds)} s, about ${left} s left`);
  };
}

/** What is run has to be what is committed: figures must have come from a commit that others can check out. */
function ledgerOfHead(): Ledger {
  const changed = git('status', '--porcelain', '--', ...DEPENDS_ON);
  if (changed !== '') {
    console.error(`Not committed, and the results depend on it:\n${changed}\nCommit it, or run this in a clone.`);
    process.exit(2);
  }
  const trees = DEPENDS_ON.map((path) => git('rev-parse', `HEAD:${path}`));
  const content = createHash('sha256').update(trees.join('\n')).digest('hex').slice(0, 12);
  return Ledger.of(content, git('rev-parse', '--short', 'HEAD'), `${root}/bench/results/raw`);
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
}
