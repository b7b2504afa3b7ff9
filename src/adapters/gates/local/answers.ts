// What each gate answered, kept on disk by key: a restart neither forgets a yes nor asks twice without need (row 69).
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { GateAnswer } from '../../../core/model/observed.ts';
import { readJsonFile, removeFileDurably, writeFileAtomic } from '../../../lib/atomic-file.ts';
import type { ProcessIdentity } from '../../../lib/proc.ts';

export interface GateRecord {
  readonly schema: 1;
  readonly key: string;
  readonly kind: 'webhook' | 'job';
  readonly answer: GateAnswer;
  /** The job's process while it runs. */
  readonly process: ProcessIdentity | null;
}

const KEPT_MS = 90 * 86_400_000;

export class GateAnswers {
  readonly #folder: string;
  readonly #known = new Map<string, GateRecord>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  get(key: string): GateRecord | null {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = readJsonFile(this.#path(key)) as GateRecord | undefined;
    if (found?.schema !== 1 || found.key !== key) return null;
    this.#known.set(key, found);
    return found;
  }

  /** Durable when it returns; throws if the disk did not take it. */
  set(record: GateRecord): void {
    writeFileAtomic(this.#path(record.key), JSON.stringify(record));
    this.#known.set(record.key, record);
  }

  /** Where a job's output goes. */
  logPath(key: string): string {
    return join(this.#folder, `${fileName(key)}.log`);
  }

  /** Forgets answers nobody can ask for any more. What cannot be looked at stays. */
  tidy(nowMs: number): void {
    try {
      for (const name of readdirSync(this.#folder)) {
        const path = join(this.#folder, name);
        if (nowMs - statSync(path).mtimeMs > KEPT_MS) removeFileDurably(path);
      }
    } catch {
      // There is no folder yet, or it cannot be read now; nothing hangs on it.
    }
  }

  #path(key: string): string {
    return join(this.#folder, `${fileName(key)}.json`);
  }
}

function fileName(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 32);
}
