// A newer Haldane: a copy of the sources whose package.json says a higher version, so that the agent that starts from it
// finds an older gateway running and replaces it.
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../run.ts';

export class NewerProgram {
  readonly #folder: string;
  #patch = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The program `haldane` of a version above all before. */
  async next(): Promise<string> {
    this.#patch += 1;
    const root = join(this.#folder, `haldane-${this.#patch}`);
    await mkdir(root, { recursive: true });
    await cp(join(ROOT, 'src'), join(root, 'src'), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'));
    const description = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    const [major = '0', minor = '0', patch = '0'] = description.version.split('.');
    const version = `${major}.${minor}.${Number.parseInt(patch, 10) + this.#patch}`;
    await writeFile(join(root, 'package.json'), JSON.stringify({ ...description, version, workspaces: undefined }));
    return join(root, 'src/main/haldane.ts');
  }
}
