// Results by commit: .e2e/<commit>/<set>/<name>.json. What was proven at one commit says nothing of another, so it refuses to
// be read there.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT, run } from '../run.ts';

export class Results {
  readonly folder: string;

  constructor(commit: string, set: string) {
    this.folder = join(ROOT, '.e2e', commit, set);
  }

  async read<T>(name: string): Promise<T | null> {
    const text = await readFile(join(this.folder, `${name}.json`), 'utf8').catch(() => null);
    return text === null ? null : (JSON.parse(text) as T);
  }

  async keep(name: string, result: unknown): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    await writeFile(join(this.folder, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
  }
}

/** Asked at the start: it is what runs. */
export async function commitNow(): Promise<string> {
  const { output } = await run('git', ['rev-parse', '--short', 'HEAD']);
  return output.trim();
}
