/** docs/pictures: what the terminal shows of a release under way, drawn by the code that draws it in the terminal. */
import { terminalPicture, watchLines } from '../../src/core/views/index.ts';
import { samples } from '../../test/views/samples.ts';
import type { GeneratedFile } from '../generate.ts';

const COLUMNS = 112;

export async function generate(): Promise<readonly GeneratedFile[]> {
  const sample = samples().find(({ name }) => name === 'testing');
  if (sample === undefined) throw new Error('test/views/samples.ts has no sample "testing"');
  const lines = watchLines(sample.view, { columns: COLUMNS, offsetMinutes: 0, keys: true });
  return [{ path: 'docs/pictures/watch.svg', text: terminalPicture(lines, 'haldane watch') }];
}
