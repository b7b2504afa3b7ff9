// The tutorial's files are written, its commands are run as they stand, and what it says they print, they print.
// "…" in its texts stands for anything. Only the port is another, so that tests do not get in each other's way.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../cli/support.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/tutorials/first-release.md'), 'utf8');

interface Fence {
  readonly language: string;
  readonly text: string;
  readonly line: number;
}

function fences(page: string): Fence[] {
  return [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map((match) => ({
    language: match[1] ?? '',
    text: match[2] ?? '',
    line: page.slice(0, match.index).split('\n').length,
  }));
}

const folder = mkdtempSync(join(tmpdir(), 'haldane-tutorial-'));
const background: ChildProcess[] = [];
let port = 0;

const inPlace = (text: string) => text.replaceAll('8080', String(port));

const environment = () => ({
  ...process.env,
  NO_COLOR: '1',
  HALDANE_STATE_DIR: join(folder, 'state'),
  PATH: [join(folder, 'bin'), dirname(process.execPath), process.env.PATH].join(':'),
});

before(async () => {
  port = await freePort();
  mkdirSync(join(folder, 'bin'));
  const program = join(folder, 'bin/haldane');
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, 'src/main/haldane.ts')}" "$@"\n`);
  chmodSync(program, 0o755);
});

after(async () => {
  await run('haldane down');
  for (const child of background) if (child.exitCode === null) child.kill('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
});

async function run(script: string): Promise<string> {
  const child = spawn('bash', ['-euc', script], { cwd: folder, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let all = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    all += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    all += text;
  });
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 0, `${script}\n${all}`);
  return out;
}

/** As in a terminal of its own: runs on; `exec` makes it one process, so that it can be ended. */
function runInBackground(script: string): void {
  const command = script.trim().split('\n').at(-1) ?? '';
  background.push(spawn('bash', ['-c', `exec ${command}`], { cwd: folder, env: environment(), stdio: 'ignore' }));
}

/** A text fence is lines that are printed, in this order, "…" being anything. */
function assertPrinted(out: string, wanted: string): void {
  const lines = out.split('\n');
  let from = 0;
  for (const line of wanted.trimEnd().split('\n')) {
    const escaped = line.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const pattern = new RegExp(`^${escaped.join('.*')}$`);
    const found = lines.findIndex((each, index) => index >= from && pattern.test(each.trimEnd()));
    assert.notEqual(found, -1, `"${line}" was not printed; this was:\n${out}`);
    from = found + 1;
  }
}

async function untilAnswered(): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => null);
    if (answer?.status === 200) return;
    await sleep(100);
  }
  throw new Error('the service did not come up');
}

async function untilCounted(): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const { traffic } = JSON.parse(await run('haldane status hello --json')) as { traffic: { requests: number } };
    if (traffic.requests > 100) return;
  }
}

describe('the tutorial "Your first release"', () => {
  it('does what it says, command by command', async () => {
    const all = fences(PAGE);
    for (const [index, { language, text, line }] of all.entries()) {
      const name = /^(?:\/\/|#) (\S+\.\w+)\n/.exec(text)?.[1];
      if ((language === 'js' || language === 'yaml') && name !== undefined)
        writeFileSync(join(folder, name), inPlace(text));
      if (language !== 'sh') continue;
      if (text.startsWith('# in a terminal of its own')) {
        runInBackground(inPlace(text));
        if (text.includes('haldane up')) await untilAnswered();
        else await untilCounted();
        continue;
      }
      const out = await run(inPlace(text));
      const next = all[index + 1];
      if (next?.language === 'text') assertPrinted(out, next.text);
      assert.ok(out.length > 0, `line ${line} printed nothing`);
    }
  });
});
