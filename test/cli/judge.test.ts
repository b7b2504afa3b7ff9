// haldane judge on recorded data: what it says, what it ends with, and that the form of the data changes nothing.
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createRandom } from '../../src/core/statistics/index.ts';
import { type Ran, TestAgent } from './support.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/06-judge');
/** No agent is started: it only has a folder, and runs commands. */
const shell = new TestAgent();
after(() => shell.end());
for (const file of ['haldane.yaml', 'good.csv', 'harmful.csv', 'harmful-counters.json']) {
  copyFileSync(join(EXAMPLE, file), join(shell.folder, file));
}

interface Json {
  readonly verdict: string;
  readonly because: string;
  readonly exitCode: number;
  readonly windows: number;
  readonly windowsAfterHarm: number;
  readonly pastWindows: number;
  readonly harmAt: { text: string } | null;
  readonly combined: { logHarm: number; logHarmLine: number };
  readonly checks: readonly {
    readonly check: string;
    readonly outcome: string;
    readonly warmUpRequests: number;
    readonly numbers: { readonly canary: { total: number; bad: number } };
  }[];
  readonly notes: readonly string[];
}

const judge = (...args: string[]): Promise<Ran> => shell.run('judge', ...args);
async function judged(...args: string[]): Promise<Json> {
  const { code, out } = await judge(...args, '--json');
  const json = JSON.parse(out) as Json;
  assert.equal(code, json.exitCode);
  return json;
}

/** Windows of ten seconds: v1 with 900 requests, v2 with 100. */
function counts(options: { windows: number; badOf: number; from?: number }): string[] {
  const random = createRandom('counts');
  return Array.from({ length: options.windows }, (_, i) => (options.from ?? 0) + i * 10).flatMap((time) => [
    `${time},v1,900,${random.binomial(900, 0.001)}`,
    `${time},v2,100,${random.binomial(100, options.badOf)}`,
  ]);
}

const file = (name: string, header: string, rows: readonly string[]) =>
  shell.write(name, `${[header, ...rows].join('\n')}\n`);
const HEADER = 'time,version,total,bad';
const VERSIONS = ['--stable', 'v1', '--canary', 'v2'];

describe('the example', () => {
  it('passes the good version, with numbers for each check', async () => {
    const { code, out } = await judge('-f', 'haldane.yaml', '--data', 'good.csv', '--stable', 'v1');
    assert.equal(code, 0);
    assert.match(out, /^v2 beside v1: 90 windows of 10s, 2026-05-04T09:03:20Z to .*; 20 before them told/);
    assert.match(out, /pass: errors: \d+ of \d+ failed, stable .* tolerance 0\.30 %; harm beyond it is refuted/);
    assert.match(out, /requests of its warm-up not counted/);
    assert.match(out, /pass: latency: /);
    assert.match(out, /verdict: pass\n$/);
  });

  it('fails the harmful one in the window where a live release would have ended', async () => {
    const json = await judged('-f', 'haldane.yaml', '--data', 'harmful.csv', '--stable', 'v1');
    assert.equal(json.verdict, 'fail');
    assert.equal(json.exitCode, 2);
    assert.equal(json.windows + json.windowsAfterHarm, 90);
    assert.ok(json.windowsAfterHarm > 60);
    assert.ok(json.combined.logHarm >= json.combined.logHarmLine);
  });

  it('says the same of the counters of Prometheus, restart of a process and all', async () => {
    const same = ['-f', 'haldane.yaml', '--check', 'errors', '--stable', 'v1'];
    const counters = await judged(...same, '--data', 'harmful-counters.json', '--bad-when', 'code=5..');
    const rows = await judged(...same, '--data', 'harmful.csv');
    const { notes, ...rest } = counters;
    const { notes: _, ...expected } = rows;
    assert.deepEqual(rest, expected);
    assert.match(notes.join(), /reset/);
  });
});

describe('forms of data', () => {
  it('CSV and JSON of the same counts give the same verdict, number by number', async () => {
    const rows = counts({ windows: 40, badOf: 0.004 });
    const windows = new Map<number, Record<string, object>>();
    for (const row of rows) {
      const [time = 0, version = '', total = 0, bad = 0] = row
        .split(',')
        .map((cell, i) => (i === 1 ? cell : Number(cell))) as [number, string, number, number];
      windows.set(time, { ...windows.get(time), [version]: { kind: 'proportion', total, bad } });
    }
    const body = [...windows].map(([time, errors]) => ({ time, readings: { errors } }));
    const csv = await judged('--data', file('a.csv', HEADER, rows), ...VERSIONS);
    const json = await judged('--data', shell.write('a.json', JSON.stringify(body)), ...VERSIONS);
    assert.deepEqual(json, csv);
  });

  it('rows of replicas are summed, and the order of rows changes nothing', async () => {
    const rows = counts({ windows: 30, badOf: 0.004 });
    const split = rows.flatMap((row) => {
      const [time, version, total, bad] = row.split(',');
      return [`${time},${version},${Number(total) - 40},${bad},a`, `${time},${version},40,0,b`];
    });
    const whole = await judged('--data', file('b.csv', HEADER, rows), ...VERSIONS);
    const parts = await judged('--data', file('c.csv', `${HEADER},replica`, split.reverse()), ...VERSIONS);
    assert.deepEqual(parts, whole);
  });

  it('windows are weighed one by one: totals that would be the same verdict pooled are not', async () => {
    // Stable's errors come while the canary gets little (Simpson): pooled, the canary would look worse than it is.
    const rows = Array.from({ length: 40 }, (_, i) => i * 10).flatMap((time, i) =>
      i < 20 ? [`${time},v1,990,1`, `${time},v2,10,0`] : [`${time},v1,100,10`, `${time},v2,900,90`],
    );
    const json = await judged('--data', file('d.csv', HEADER, rows), ...VERSIONS);
    assert.notEqual(json.verdict, 'fail');
  });
});

describe('what is not a pass', () => {
  it('too little data is undecided, and says what would change it', async () => {
    const { code, out } = await judge(
      '--data',
      file('e.csv', HEADER, counts({ windows: 3, badOf: 0.001 })),
      ...VERSIONS,
    );
    assert.equal(code, 4);
    assert.match(out, /undecided .*more bad ones at once would show it/);
    assert.match(out, /verdict: undecided\n {2}because errors:/);
  });

  const stableOnly = counts({ windows: 50, badOf: 0 }).filter((row) => row.includes('v1'));

  it('a canary of which nothing is there is no data', async () => {
    const json = await judged('--data', file('f.csv', HEADER, stableOnly), ...VERSIONS);
    assert.equal(json.verdict, 'no-data');
    assert.equal(json.exitCode, 7);
  });

  it('a canary that falls silent does not keep what it had proven', async () => {
    const rows = [
      ...counts({ windows: 60, badOf: 0 }),
      ...stableOnly.slice(0, 20).map((_, i) => `${600 + i * 10},v1,900,1`),
    ];
    const whole = await judged('--data', file('g.csv', HEADER, rows.slice(0, 120)), ...VERSIONS);
    assert.equal(whole.verdict, 'pass');
    const json = await judged('--data', file('h.csv', HEADER, rows), ...VERSIONS);
    assert.equal(json.verdict, 'no-data');
  });

  it('an answer of Prometheus without series is no data', async () => {
    const empty = JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: [] } });
    assert.equal((await judged('--data', shell.write('i.json', empty))).verdict, 'no-data');
  });

  it('a check that the data says nothing of is no data, and judged alone the other passes', async () => {
    const data = file('j.csv', HEADER, counts({ windows: 90, badOf: 0 }));
    const both = await judged('-f', 'haldane.yaml', '--data', data, ...VERSIONS);
    assert.equal(both.verdict, 'no-data');
    assert.equal(
      (await judged('-f', 'haldane.yaml', '--check', 'errors', '--data', data, ...VERSIONS)).verdict,
      'pass',
    );
  });

  it('latency without a past is undecided, with the fix', async () => {
    const rows = readFileSync(join(EXAMPLE, 'good.csv'), 'utf8').split('\n').slice(21).filter(Boolean);
    const header = 'time,version,weight,total,bad,le_0.05,le_0.1,le_0.25,le_0.5,le_1';
    const json = await judged('--latency', '--data', file('k.csv', header, rows), ...VERSIONS);
    assert.equal(json.verdict, 'undecided');
    assert.match(json.notes.join(), /give windows from before the canary, or --from/);
    const from = await judged('--latency', '--data', 'k.csv', ...VERSIONS, '--from', '2026-05-04T09:08:20Z');
    assert.equal(from.pastWindows, 30);
    assert.notEqual(from.verdict, 'undecided');
  });

  it('shares that are not those asked for hold a pass up', async () => {
    const rows = counts({ windows: 90, badOf: 0 }).map((row) => `${row},20`);
    const json = await judged('--data', file('l.csv', `${HEADER},weight`, rows), ...VERSIONS);
    assert.equal(json.verdict, 'undecided');
    assert.match(json.because, /shares are off/);
  });
});

describe('mistakes', () => {
  const two = counts({ windows: 2, badOf: 0 });
  const mistakes: Record<string, { args: () => string[]; say: RegExp }> = {
    'no data named': { args: () => [], say: /--data: say which data is judged\n {2}fix: haldane judge --data/ },
    'a file that is not there': { args: () => ['--data', 'none.csv'], say: /none\.csv: there is no such file/ },
    'versions that nobody named': {
      args: () => ['--data', file('m.csv', HEADER, two)],
      say: /which version is stable.*\n {2}fix: the data has v1, v2: write --stable v1 --canary v2/,
    },
    'a version that is nearly one': {
      args: () => [
        '--data',
        file(
          'n.csv',
          HEADER,
          two.map((row) => row.replace('v2', 'canary-2')),
        ),
        '--canary',
        'canray-2',
      ],
      say: /there is no version "canray-2".*\n {2}fix: did you mean canary-2\?/,
    },
    'a check that is nearly one': {
      args: () => ['-f', 'haldane.yaml', '--data', 'good.csv', '--check', 'erorrs'],
      say: /--check: there is no check "erorrs"\n {2}fix: did you mean errors\?/,
    },
    'a check in the data that is nearly one': {
      args: () => ['-f', 'haldane.yaml', '--data', file('o.csv', `${HEADER},check`, ['0,v1,1,0,latnecy']), ...VERSIONS],
      say: /o\.csv:2: there is no check "latnecy"\n {2}fix: did you mean latency\?/,
    },
    'a window given twice': {
      args: () => ['--data', file('p.csv', HEADER, [...two, '0,v1,1,0']), ...VERSIONS],
      say: /p\.csv:6: errors of v1 at 0s is there twice/,
    },
    'counters without saying which are bad': {
      args: () => ['--data', 'harmful-counters.json', ...VERSIONS],
      say: /which of these requests are bad\?\n {2}fix: say --bad-when code=5\.\./,
    },
    'flags beside a policy': {
      args: () => ['-f', 'haldane.yaml', '--data', 'good.csv', '--margin', '1%'],
      say: /--margin: the policy says what is checked/,
    },
    'a margin without its sign': { args: () => ['--data', 'good.csv', '--margin', '0.2'], say: /write --margin 0\.2%/ },
    'a policy with a mistake': {
      args: () => ['-f', shell.write('bad.yaml', 'kind: ReleasePolicy\n'), '--data', 'good.csv'],
      say: /bad\.yaml:1/,
    },
    'an address that is none': { args: () => ['--prometheus', 'localhost:9090'], say: /write --prometheus http:/ },
  };
  for (const [name, { args, say }] of Object.entries(mistakes)) {
    it(`refuses ${name}`, async () => {
      const { code, err } = await judge(...args());
      assert.match(err, say);
      assert.equal(code, 1);
    });
  }
});
