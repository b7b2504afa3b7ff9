// Golden texts: screens and pictures that change only when somebody says so. `UPDATE_GOLDEN=1 npm test -- test/views`
// writes them anew; without it a difference fails with the first line that differs.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const FOLDER = join(import.meta.dirname, 'golden');

export function assertGolden(name: string, text: string): void {
  const path = join(FOLDER, name);
  const whole = text.endsWith('\n') ? text : `${text}\n`;
  if (process.env.UPDATE_GOLDEN === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, whole);
    return;
  }
  assert.ok(existsSync(path), `test/golden/${name} is missing; UPDATE_GOLDEN=1 writes it`);
  assert.equal(whole, readFileSync(path, 'utf8'), `test/golden/${name} differs; UPDATE_GOLDEN=1 writes it anew`);
}
