// What is done already, one line per unit. A run that was broken off goes on from it; units of another commit of the code
// under test are never mixed in.
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { UnitResult } from './work.ts';

export class Ledger {
  readonly commit: string;
  readonly #path: string | null;
  readonly #results = new Map<string, UnitResult>();

  private constructor(commit: string, path: string | null) {
    this.commit = commit;
    this.#path = path;
    if (path === null || !existsSync(path)) return;
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      if (line === '') continue;
      const [name, result] = JSON.parse(line) as [string, UnitResult];
      this.#results.set(name, result);
    }
  }

  static inMemory(): Ledger {
    return new Ledger('working tree', null);
  }

  /** `folder` holds one file per frozen commit; the newest one is gone on with if it is named in FROZEN, else HEAD's. */
  static at(folder: string, head: string): Ledger {
    mkdirSync(folder, { recursive: true });
    const begun = readdirSync(folder).find((name) => name.startsWith('frozen-'));
    const commit = begun === undefined ? head : begun.slice('frozen-'.length).replace('.jsonl', '');
    return new Ledger(commit, join(folder, `frozen-${commit}.jsonl`));
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
