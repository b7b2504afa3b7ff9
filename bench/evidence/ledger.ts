// What is done already, one line per unit. A run that was broken off goes on from it. The file is named by the content of
// everything the results depend on, so that units of other code, other defaults or other worlds are never mixed in.
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { UnitResult } from './work.ts';

/** What the results depend on: the code under test with its defaults, the worlds, the contestants and their rules. */
export const DEPENDS_ON: readonly string[] = [
  ...['model', 'policy', 'statistics', 'analysis', 'engine', 'rehearsal'].map((room) => `src/core/${room}`),
  ...['worlds', 'peers'].map((folder) => `bench/evidence/${folder}`),
  ...['bare', 'excess', 'haldane', 'scenarios', 'work'].map((file) => `bench/evidence/${file}.ts`),
];

export class Ledger {
  /** The commit whose code was run. */
  readonly commit: string;
  readonly #path: string | null;
  readonly #results = new Map<string, UnitResult>();

  private constructor(commit: string, path: string | null) {
    this.commit = commit;
    this.#path = path;
  }

  static inMemory(): Ledger {
    return new Ledger('working tree', null);
  }

  /** Begins the ledger of this content, or goes on with it: then the commit is the one it was begun at. */
  static of(content: string, commit: string, folder: string): Ledger {
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `${content}.jsonl`);
    if (!existsSync(path)) writeFileSync(path, `${JSON.stringify({ commit })}\n`);
    const [head = '{}', ...lines] = readFileSync(path, 'utf8').split('\n');
    const ledger = new Ledger((JSON.parse(head) as { commit: string }).commit, path);
    for (const line of lines) {
      const read = parsed(line);
      if (read !== null) ledger.#results.set(...read);
    }
    return ledger;
  }

  has(name: string): boolean {
    return this.#results.has(name);
  }

  get(name: string): UnitResult | undefined {
    return this.#results.get(name);
  }

  add(name: string, result: UnitResult): void {
    this.#results.set(name, result);
    if (this.#path !== null) appendFileSync(this.#path, `${JSON.stringify([name, result])}\n`);
  }
}

/** A line that was broken off in mid-writing is none. */
function parsed(line: string): [string, UnitResult] | null {
  if (line === '') return null;
  try {
    return JSON.parse(line) as [string, UnitResult];
  } catch {
    return null;
  }
}
