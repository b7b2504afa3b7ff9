// The files given to `haldane up -f`: taken when they changed since they were last taken, also across restarts. A version
// released by command is not undone by a file that still names the one before, nor by an edit of anything else in it.
// A file that cannot be taken changes nothing.
import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { AppliedAnswer } from '../core/views/index.ts';
import { readJsonFile, writeFileAtomic } from '../lib/atomic-file.ts';
import { describeError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { sha256Hex } from '../lib/sha256.ts';
import type { Store } from '../ports/index.ts';
import { applyText } from '../server/index.ts';

export interface PolicyFilesOptions {
  readonly files: readonly string[];
  readonly stateDir: string;
  readonly store: Store;
  readonly log: Log;
  readonly onApplied: (file: string, applied: readonly AppliedAnswer[]) => void;
  readonly onRefused: (file: string, error: unknown) => void;
}

/** By file: the text last taken, and the version it named of each policy. */
type TakenFiles = Readonly<
  Record<string, { readonly hash: string; readonly versions: Readonly<Record<string, string>> }>
>;

const DEBOUNCE_MS = 250;
/** Watching can miss a change (network folders, replaced folders); a look at the text now and then does not. */
const LOOK_EVERY_MS = 3_000;

export class PolicyFiles {
  readonly #options: PolicyFilesOptions;
  readonly #watchers: FSWatcher[] = [];
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #seen = new Map<string, string>();
  #look: NodeJS.Timeout | null = null;
  #busy: Promise<void> = Promise.resolve();

  constructor(options: PolicyFilesOptions) {
    this.#options = options;
  }

  /** Takes what changed since last time and watches from now on. Rejects if a file cannot be read or is refused. */
  async start(): Promise<void> {
    const taken = this.#taken();
    for (const file of this.#options.files) {
      const text = readFileSync(file, 'utf8');
      this.#seen.set(file, text);
      if (taken[file]?.hash === sha256Hex(text) && (await this.#isDeclared(text, file))) continue;
      await this.#apply(file, text);
    }
    for (const file of this.#options.files) this.#watch(file);
    this.#look = setInterval(() => {
      for (const file of this.#options.files) this.#changed(file);
    }, LOOK_EVERY_MS);
    this.#look.unref();
  }

  stop(): void {
    for (const watcher of this.#watchers) watcher.close();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    if (this.#look !== null) clearInterval(this.#look);
  }

  /** Editors replace files, so the folder is watched. */
  #watch(file: string): void {
    try {
      const watcher = watch(dirname(file), (_event, name) => {
        if (name === null || name === basename(file)) this.#changed(file);
      });
      watcher.on('error', () => {});
      this.#watchers.push(watcher);
    } catch (error) {
      this.#options.log.warn('a policy file is looked at now and then only', { file, error });
    }
  }

  #changed(file: string): void {
    clearTimeout(this.#timers.get(file));
    this.#timers.set(
      file,
      setTimeout(() => {
        this.#busy = this.#busy.then(() => this.#takeIfChanged(file));
      }, DEBOUNCE_MS),
    );
  }

  async #takeIfChanged(file: string): Promise<void> {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch {
      return;
    }
    if (text === this.#seen.get(file)) return;
    this.#seen.set(file, text);
    try {
      await this.#apply(file, text);
    } catch (error) {
      this.#options.onRefused(file, error);
    }
  }

  async #apply(file: string, text: string): Promise<void> {
    const before = this.#taken()[file];
    const applied = await applyText(this.#options.store, {
      text,
      folder: dirname(file),
      dryRun: false,
      isOldNews: (policy, revision) => before?.versions[policy] === revision,
    });
    const versions = Object.fromEntries(applied.map(({ policy, asked }) => [policy, asked]));
    const taken: TakenFiles = { ...this.#taken(), [file]: { hash: sha256Hex(text), versions } };
    writeFileAtomic(this.#takenFile(), JSON.stringify(taken));
    this.#options.onApplied(file, applied);
  }

  /** A policy withdrawn meanwhile is declared again: the file was named on purpose. */
  async #isDeclared(text: string, file: string): Promise<boolean> {
    const planned = await applyText(this.#options.store, { text, folder: dirname(file), dryRun: true });
    return planned.every(({ change }) => change !== 'created');
  }

  #takenFile(): string {
    return join(this.#options.stateDir, 'taken.json');
  }

  #taken(): TakenFiles {
    try {
      return (readJsonFile(this.#takenFile()) as TakenFiles | undefined) ?? {};
    } catch (error) {
      this.#options.log.warn('what was taken before is not known', { error: describeError(error) });
      return {};
    }
  }
}
