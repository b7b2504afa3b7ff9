// Writes docs/evidence/ from the results: every row, also where a peer wins, targets met and not met, and pictures.
// Refuses to leave a row out: what the benchmark ran is what it prints.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { comparedSection, sweptSection } from './report-compared.ts';
import { bareSection, equalSection } from './report-evidence.ts';
import { frontPicture, sweptFrontPicture } from './report-front.ts';
import { alarmsPicture, detectionPicture } from './report-pictures.ts';
import { targets } from './report-targets.ts';
import type { Results } from './results.ts';
import { FULL } from './units.ts';

export function writeReport(results: Results, root: string): void {
  const folder = `${root}/docs/evidence`;
  mkdirSync(folder, { recursive: true });
  const remarks = `${root}/bench/results/evidence-remarks.md`;
  writeFileSync(`${folder}/README.md`, markdown(results, existsSync(remarks) ? readFileSync(remarks, 'utf8') : ''));
  writeFileSync(`${folder}/false-aborts.svg`, alarmsPicture(results));
  writeFileSync(`${folder}/detection.svg`, detectionPicture(results));
  writeFileSync(`${folder}/front.svg`, frontPicture(results));
  if (results.swept.length > 0) writeFileSync(`${folder}/front-swept.svg`, sweptFrontPicture(results));
}

/** `remarks`: what a reader of this very run has to know, written by hand beside the results. */
function markdown(results: Results, remarks: string): string {
  return `# How good the verdicts are

Written by \`npm run bench:evidence\` on ${results.date} from the code of commit ${results.commit}; the figures are in
[bench/results/evidence.json](../../bench/results/evidence.json). \`npm run bench:evidence -- --quick\` runs a small set in under a minute and
fails if a bound is broken; the build does that.

How it was done:

- Haldane is the shipped \`decide()\` with its shipped defaults under virtual time, not a copy of its formulas. Its defaults were
  frozen before the reported set was run; what has changed since is said below.
- Parameters of every row were drawn from a seed (\`bench/evidence/scenarios.ts\`); a second seed draws the set that peers' settings were
  swept on. Nothing of Haldane was tuned on either.
- Peers are ports of their rules, held to what the real ones did on a live cluster (\`bench/evidence/peers\`). They are shown with the
  defaults their documents give, with the one setting that does best over the tuning set, and with the best setting of each scenario,
  which nobody can know beforehand. Peers' metrics arrive without delay.
- Each replication has a seed named by its scenario, contestant and number. Equal worlds: ${FULL.equal} replications, the others ${FULL.other},
  each setting of a sweep ${FULL.sweep}. Rates carry exact limits (Clopper and Pearson), means 1.96 standard errors.
- *Excess bad requests* are those beyond what stable would have had, to the end of three hours; who is promoted has everybody.

${remarks}
## Targets

${targets(results)}

${equalSection(results)}

${bareSection(results)}

${comparedSection(results)}

${sweptSection(results)}
`;
}
