// The sections that set Haldane beside its peers, scenario by scenario.
import { badText, number, percentText, secondsText, table } from './report-format.ts';
import type { Results } from './results.ts';
import { drawScenarios, REPORTED_SEED } from './scenarios.ts';
import type { ReleaseSummary } from './summary.ts';

const MAIN = 'Haldane default';

export function comparedRows({ releases }: Results): ReadonlyMap<string, readonly ReleaseSummary[]> {
  const rows = new Map<string, ReleaseSummary[]>();
  for (const row of releases) {
    if (row.section !== 'compared') continue;
    const list = rows.get(row.scenario.id) ?? [];
    list.push(row);
    rows.set(row.scenario.id, list);
  }
  return rows;
}

const HEAD = ['', 'aborted', 'promoted', 'seconds to abort', 'seconds to promotion', 'excess bad requests'] as const;

function line(row: ReleaseSummary): string[] {
  return [
    row.contestant,
    percentText(row.aborted.rate),
    percentText(row.promoted.rate),
    secondsText(row.abortSeconds),
    secondsText(row.promoteSeconds),
    row.scenario.truth === 'equal' ? '-' : badText(row.excessBad),
  ];
}

export function comparedSection(results: Results): string {
  const parts: string[] = [];
  const falseAborts = worstFalseAborts(results);
  for (const rows of comparedRows(results).values()) {
    const [first] = rows;
    if (first === undefined) continue;
    parts.push(`### ${first.scenario.title}\n\n${table(HEAD, rows.map(line))}\n\n${whoWins(rows, falseAborts)}`);
  }
  return `## Whole releases, beside peers

![Excess bad requests against the time to promote a healthy version](front.svg)

${parts.join('\n\n')}`;
}

/** Said of every scenario with harm, whoever it is. */
function whoWins(rows: readonly ReleaseSummary[], falseAborts: ReadonlyMap<string, number>): string {
  const main = rows.find(({ contestant }) => contestant === MAIN);
  if (main?.scenario.truth === 'inside') {
    return 'Worse than stable, and within the tolerance as shipped (1.1 times stable and 0.2 %): either answer is allowed.';
  }
  if (main === undefined || main.scenario.truth !== 'harmful') return '';
  const better = rows.filter(
    ({ contestant, excessBad }) => !contestant.startsWith('Haldane') && excessBad.mean < main.excessBad.mean,
  );
  if (better.length === 0) return 'No peer at its defaults exposes users to less.';
  const reasons = better.map(({ contestant, excessBad }) => {
    const rate = falseAborts.get(contestant) ?? 0;
    return `${contestant}: ${number(excessBad.mean)}, and up to ${percentText(rate)} of equal versions aborted`;
  });
  return `Less exposure than Haldane's default (${number(main.excessBad.mean)}): ${reasons.join('; ')}. ${WHY}`;
}

/** Of each contestant the part of equal versions it aborts in the world where it does so most. */
function worstFalseAborts(results: Results): ReadonlyMap<string, number> {
  const worst = new Map<string, number>();
  const fair = new Set(drawScenarios(REPORTED_SEED).equal.map(({ id }) => id));
  for (const { scenario, contestant, aborted } of results.releases) {
    if (fair.has(scenario.id)) worst.set(contestant, Math.max(worst.get(contestant) ?? 0, aborted.rate));
  }
  return worst;
}

const WHY =
  "Why: Haldane counts nothing in a replica's first minute, spends requests on learning what stable does, asks for harm beyond its tolerance and keeps a promise about false aborts at every look; a rule that waives any of these is quicker where the harm is plain.";

export function sweptSection(results: Results): string {
  const { swept: best } = results;
  if (best.length === 0) return '';
  const overview = best.map(({ family, single, settings, feasible }) => [
    family,
    String(settings),
    String(feasible),
    single,
  ]);
  const rows = best.flatMap(({ family, reported }) =>
    reported.map(({ scenario, own, ours, perScenario }) => [
      scenario.title,
      family,
      brief(own),
      `${perScenario.contestant}: ${brief(perScenario)}`,
      brief(ours),
    ]),
  );
  return `## Peers with swept settings

Each peer's settings were swept on the tuning set, with the true base rate known to them, and the setting with the smallest geometric
mean of excess bad requests among those that abort no more than 1 % of equal versions was taken: its best single setting. Beside it the
best of them for each scenario by itself, chosen by looking at its result. Haldane knows no base rate and has one setting.

![Exposure against time, beside peers' swept settings](front-swept.svg)

${table(['peer', 'settings tried', 'of them with at most 1 % false aborts', 'best single setting'], overview)}

Part aborted, mean seconds to that (healthy versions: to promotion), and excess bad requests:

${table(['scenario', 'peer', 'best single setting', 'best setting of this scenario', 'Haldane default'], rows)}`;
}

function brief({ scenario, aborted, abortSeconds, promoteSeconds, excessBad }: ReleaseSummary): string {
  const part = `${percentText(aborted.rate)} aborted`;
  if (scenario.truth === 'equal') return `${part}, promoted in ${secondsText(promoteSeconds)} s`;
  return `${part}, ${secondsText(abortSeconds)} s, ${number(excessBad.mean)} bad`;
}
