/**
 * docs/catalogue.generated.md: each row of the catalogue of failures with the tests that show it, found by the row
 * numbers in their titles. It refuses a row of scope "here" that no test cites.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { CATALOGUE, type CatalogueRow } from '../catalogue/rows.ts';
import type { GeneratedFile } from '../generate.ts';
import { ROOT } from '../run.ts';

export interface CitedTest {
  readonly file: string;
  readonly title: string;
  readonly rows: readonly number[];
}

/** "row 33", "rows 46, 48", "rows 1-5 and 9": the numbers. */
export function rowsIn(title: string): number[] {
  const rows: number[] = [];
  for (const [, list] of title.matchAll(/\brows? ((?:\d+(?:-\d+)?(?:, | and )?)+)/g)) {
    for (const [, first, last] of (list ?? '').matchAll(/(\d+)(?:-(\d+))?/g)) {
      for (let row = Number(first); row <= Number(last ?? first); row++) rows.push(row);
    }
  }
  return rows;
}

/** Titles of tests (and of tables of tests) in a source text that cite a row. */
export function titlesIn(source: string): string[] {
  const literals = source.matchAll(/(['"`])((?:(?!\1)[^\\\n]|\\.)*?\brows? \d(?:(?!\1)[^\\\n]|\\.)*)\1/g);
  return [...literals].map(([, , text]) => (text ?? '').replaceAll("\\'", "'"));
}

function testFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !name.includes('node_modules'))
    .map((name) => join(folder, name))
    .sort();
}

export function citedTests(): CitedTest[] {
  return ['src', 'test'].flatMap(testFiles).flatMap((file) => {
    const source = readFileSync(join(ROOT, file), 'utf8');
    return titlesIn(source).map((title) => ({ file: relative('.', file), title, rows: rowsIn(title) }));
  });
}

const WHERE: Readonly<Record<CatalogueRow['scope'], string>> = {
  here: '',
  mesh: 'about a mesh or a load balancer that is not here yet',
  later: 'not claimed yet',
};

function lineOf({ row, seen, promise, scope }: CatalogueRow, tests: readonly CitedTest[]): string {
  const own = tests.filter(({ rows }) => rows.includes(row));
  if (scope === 'here' && own.length === 0) {
    throw new Error(`row ${row} of the catalogue (${promise}) is cited by no test title`);
  }
  const shown = own.map(({ title, file }) => `${title.replaceAll('|', '\\|')} (\`${file}\`)`);
  return `| ${row} | ${seen} | ${promise} | ${shown.length === 0 ? WHERE[scope] : shown.join('<br>')} |`;
}

export async function generate(): Promise<readonly GeneratedFile[]> {
  const tests = citedTests();
  const shown = CATALOGUE.filter(({ row }) => tests.some(({ rows }) => rows.includes(row))).length;
  const text = [
    '# Catalogue of failures',
    '',
    'Failures that tools of this kind really had, and the tests that show Haldane does not have them. Made by',
    '`npm run generate` from `tools/catalogue/rows.ts` and from the titles of tests. A row that no test',
    'shows says why.',
    '',
    'Seen in: F fluxcd/flagger, A the progressive delivery controller of argoproj, P its Gateway API plugin, K openkruise,',
    'Y spinnaker/kayenta, N kubernetes/ingress-nginx.',
    '',
    `${shown} of ${CATALOGUE.length} rows are shown by at least one test.`,
    '',
    '| row | seen in | what is promised | tests |',
    '|---|---|---|---|',
    ...CATALOGUE.map((row) => lineOf(row, tests)),
  ].join('\n');
  return [{ path: 'docs/catalogue.generated.md', text }];
}
