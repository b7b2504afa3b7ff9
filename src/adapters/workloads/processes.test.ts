import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Version } from '../../core/model/version.ts';
import { workloadConformance } from '../../ports/conformance/index.ts';
import { samplePolicy } from '../../ports/doubles/index.ts';
import { systemClock, systemRandomness } from '../clock/system.ts';
import { lastErrorLine, rotateLog } from './processes/logs.ts';
import { PortAllocator } from './processes/ports.ts';
import { newReplica, safeName } from './processes/record.ts';
import { describeEnd, describeTrouble } from './processes/words.ts';
import { ProcessWorkloads } from './processes.ts';

const folders: string[] = [];
const folder = () => {
  const made = mkdtempSync(join(tmpdir(), 'haldane-logs-'));
  folders.push(made);
  return made;
};

after(() => {
  for (const made of folders) rmSync(made, { recursive: true, force: true });
});

const policy = samplePolicy('shop');
const version = (label: string, script: string): Version => ({
  revision: `rev-${label}`,
  label,
  template: { kind: 'processes', command: [process.execPath, '-e', script], env: {}, workingDirectory: null },
});
const SERVE = 'require("http").createServer((q, r) => r.end()).listen(process.env.PORT, process.env.HOST)';

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`still not: ${what}`);
    await delay(20);
  }
}

workloadConformance('ProcessWorkloads', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'haldane-processes-'));
  const agent = () =>
    new ProcessWorkloads({
      stateDir: folder,
      clock: systemClock,
      ids: systemRandomness,
      inUse: async () => false,
    });
  let current = agent();
  return {
    workload: current,
    policy,
    stable: version('v1', SERVE),
    canary: version('v2', SERVE),
    broken: version('v3', 'throw new Error("cannot serve")'),
    sizes: true,
    until,
    blind: null,
    nextAgent: async () => {
      current.close();
      current = agent();
      return current;
    },
    end: async () => {
      const { versions } = await current.observe(policy);
      await current.retire(
        policy,
        versions.map(({ revision }) => revision),
      );
      await until('everything has stopped', async () => (await current.observe(policy)).versions.length === 0);
      current.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});

describe('logs of replicas', () => {
  test('a file that has grown is copied aside and cut; only so many old ones are kept', () => {
    const path = join(folder(), '0.log');
    for (const text of ['one', 'two', 'three', 'four']) {
      appendFileSync(path, text);
      assert.equal(rotateLog(path, { maxBytes: 3, files: 2 }), true);
      assert.equal(readFileSync(path, 'utf8'), '');
    }
    assert.equal(rotateLog(path, { maxBytes: 3, files: 2 }), false);
    assert.deepEqual(
      ['0.log.1', '0.log.2'].map((name) => readFileSync(join(path, '..', name), 'utf8')),
      ['four', 'three'],
    );
    assert.deepEqual(readdirSync(join(path, '..')).sort(), ['0.log', '0.log.1', '0.log.2']);
  });

  test('the line that says most is found: the last error, not the stack or the version of the runtime', () => {
    const path = join(folder(), '0.err.log');
    const cases: [string, string | null][] = [
      ['', null],
      ['listening\nall is well\n', 'all is well'],
      ['x.js:1\nthrow new Error("boom")\n^\n\nError: boom\n    at x.js:1:7\n\nNode.js v24.0.0\n', 'Error: boom'],
      ['Traceback (most recent call last):\n  File "x"\nValueError: bad port\n', 'ValueError: bad port'],
      ['panic: runtime error: nil\n\ngoroutine 1 [running]:\nmain.main()\n', 'panic: runtime error: nil'],
    ];
    for (const [text, wanted] of cases) {
      writeFileSync(path, text);
      assert.equal(lastErrorLine(path), wanted);
    }
    assert.equal(lastErrorLine(join(path, 'nowhere')), null);
  });
});

describe('what is said of a replica', () => {
  const at = (monotonicMs: number) => ({ monotonicMs, epoch: 'e', wallTime: '' });

  test('an end is described by how, when and the last error', () => {
    const end = { how: 'exited with code 1', ranMs: 2_000, line: 'Error: boom' };
    assert.equal(describeEnd(end), 'exited with code 1 after 2s: Error: boom');
    assert.equal(describeEnd({ how: 'was killed by SIGKILL', ranMs: null, line: null }), 'was killed by SIGKILL');
  });

  test('a replica that simply starts is in no trouble; one that waits for its next start says when', () => {
    assert.equal(describeTrouble({ record: newReplica(0), now: at(0), problem: null, probe: null }), null);
    const record = {
      ...newReplica(0),
      failures: 4,
      lastEnd: 'exited with code 1',
      nextLaunchAt: at(1_000),
      nextLaunchInMs: 8_000,
    };
    assert.equal(
      describeTrouble({ record, now: at(3_000), problem: null, probe: null }),
      'crash loop, 4 ends in a row: exited with code 1; started again after 8s',
    );
  });
});

test('no port is given twice', async () => {
  const ports = new PortAllocator();
  const given = await Promise.all(Array.from({ length: 200 }, () => ports.take('127.0.0.1')));
  assert.equal(new Set(given).size, given.length);
});

test('names that could climb out of their folder are refused', () => {
  for (const name of ['..', '.', '', 'a/b', '../x', '/etc', 'a\0b', '.hidden', 'x'.repeat(200)]) {
    assert.throws(() => safeName(name), /cannot be the name of a folder/);
  }
  assert.equal(safeName('shop-1.2_x'), 'shop-1.2_x');
});

test('a program that cannot be found, may not be run or whose folder is not there is said so, not thrown', async () => {
  const { launch } = await import('./processes/launch.ts');
  const place = folder();
  const plain = join(place, 'plain');
  writeFileSync(plain, 'x', { mode: 0o600 });
  mkdirSync(join(place, 'logs'));
  const tried = async (command: readonly string[], workingDirectory: string | null = null) => {
    const template = { kind: 'processes' as const, command, env: {}, workingDirectory };
    const launched = await launch({
      version: { revision: 'r', label: 'v', template },
      template,
      endpoint: { host: '127.0.0.1', port: 1 },
      mark: 'test',
      logs: { output: join(place, 'logs/o'), errors: join(place, 'logs/e') },
    });
    return launched.kind === 'failed' ? launched.message : 'started';
  };
  assert.equal(await tried(['no-such-program']), 'there is no program "no-such-program" on the PATH');
  assert.equal(await tried([plain]), `"${plain}" may not be executed`);
  assert.equal(await tried(['node'], join(place, 'nowhere')), `there is no folder ${join(place, 'nowhere')}`);
  assert.equal(await tried([]), 'the command is empty');
});
