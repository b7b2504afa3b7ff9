// The readers of recorded data: what they make of good files, and how they refuse bad ones.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CliError } from '../errors.ts';
import { readCsv } from './csv.ts';
import { readCsvParts } from './csv-parts.ts';
import { readJsonParts } from './json-parts.ts';
import { parseMoment, parseTime, timeText } from './times.ts';

const csv = (...lines: string[]) => readCsvParts(lines.join('\n'), { file: 'w.csv', rawStepMs: 10_000 }).parts;
const json = (body: unknown) => readJsonParts(body, { file: 'w.json', text: JSON.stringify(body, null, 1) }).parts;

function refusal(run: () => unknown): { path: string | undefined; text: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof CliError) return { path: error.path, text: `${error.message} | ${error.fix}` };
    throw error;
  }
  throw new Error('it was not refused');
}

describe('CSV', () => {
  it('is read with quotes, doubled quotes, CRLF, a byte order mark and blank lines', () => {
    const { header, rows } = readCsv('\uFEFFtime,version\r\n0,"v ""2"", new"\r\n\r\n"10",v1', 'w.csv');
    assert.deepEqual(header, ['time', 'version']);
    assert.deepEqual(rows, [
      { line: 2, cells: ['0', 'v "2", new'] },
      { line: 4, cells: ['10', 'v1'] },
    ]);
  });

  it('gives counts, cumulative buckets, events and conversions of one row as samples', () => {
    const samples = csv(
      'time,version,total,bad,le_0.1,le_1,events,seconds,exposed,converted_0,converted_2',
      '0,v1,10,1,4,9,2,600,5,1,3',
    ).map(({ sample }) => sample);
    assert.deepEqual(samples, [
      { kind: 'proportion', total: 10, bad: 1 },
      {
        kind: 'latency',
        counts: [
          [0, 4],
          [1, 5],
          [2, 1],
        ],
        boundaries: [0.1, 1, Infinity],
      },
      { kind: 'count', events: 2, seconds: 600 },
      {
        kind: 'cohort',
        exposed: 5,
        converted: [
          [0, 1],
          [2, 3],
        ],
      },
    ]);
  });

  it('puts raw values into windows, by version', () => {
    const parts = csv('time,version,value,count', '1,v1,5,2', '9,v1,5,1', '9,v2,7,', '12,v1,3,1');
    assert.deepEqual(
      parts.map(({ atMs, version, sample }) => [atMs, version, sample]),
      [
        [0, 'v1', { kind: 'values', counts: [[5, 3]] }],
        [0, 'v2', { kind: 'values', counts: [[7, 1]] }],
        [10_000, 'v1', { kind: 'values', counts: [[3, 1]] }],
      ],
    );
  });

  const refused: Record<string, { lines: string[]; path: string; text: RegExp }> = {
    'a misspelt column, with the nearest': {
      lines: ['time,verison,total,bad'],
      path: 'w.csv:1',
      text: /did you mean version\?/,
    },
    'no header': { lines: ['0,v1,10,1'], path: 'w.csv:1', text: /is there a header\?/ },
    'other separators': {
      lines: ['time;version;total;bad', '0;v1;1;0'],
      path: 'w.csv:1',
      text: /not separated by commas/,
    },
    'a ragged row': {
      lines: ['time,version,total,bad', '0,v1,10,1', '0,v2,10'],
      path: 'w.csv:3',
      text: /3 cells, and the header 4/,
    },
    'an open quote': { lines: ['time,version,total,bad', '0,"v1,10,1'], path: 'w.csv:2', text: /quote is not closed/ },
    'a rate where counts are wanted': {
      lines: ['time,version,total,bad', '0,v1,10.5,1'],
      path: 'w.csv:2',
      text: /10.5 is not a count.*never rates/,
    },
    'more bad than all': { lines: ['time,version,total,bad', '0,v1,3,4'], path: 'w.csv:2', text: /4 bad of 3/ },
    'half a row of counts': {
      lines: ['time,version,total,bad', '0,v1,3,'],
      path: 'w.csv:2',
      text: /total is there, and bad is empty/,
    },
    'a time without a zone': {
      lines: ['time,version,total,bad', '2026-05-01T10:00,v1,3,1'],
      path: 'w.csv:2',
      text: /no time zone.*2026-05-01T10:00Z/,
    },
    'buckets that fall': {
      lines: ['time,version,le_0.1,le_1,le_+Inf', '0,v1,5,4,6'],
      path: 'w.csv:2',
      text: /below the 5 before it/,
    },
    'buckets without +Inf': { lines: ['time,version,le_0.1', '0,v1,5'], path: 'w.csv:1', text: /no column le_\+Inf/ },
    'a header alone': { lines: ['time,version,total,bad'], path: 'w.csv:1', text: /no row/ },
    'nothing to judge': { lines: ['time,version,total', '0,v1,3'], path: 'w.csv:1', text: /no column to judge/ },
    'an empty file': { lines: [''], path: 'w.csv:1', text: /is empty/ },
  };
  for (const [name, { lines, path, text }] of Object.entries(refused)) {
    it(`refuses ${name}`, () => {
      const said = refusal(() => csv(...lines));
      assert.equal(said.path, path);
      assert.match(said.text, text);
    });
  }
});

describe('JSON', () => {
  const window = (sample: object) => [{ time: 0, readings: { errors: { v1: sample } } }];

  it('takes an array of windows, or an object that names the versions', () => {
    const windows = window({ kind: 'proportion', total: 10, bad: 1 });
    assert.deepEqual(json(windows), json({ stable: 'v1', windows }));
    assert.equal(json(windows)[0]?.check, 'errors');
  });

  it('writes the last boundary as "+Inf"', () => {
    const [part] = json(window({ kind: 'latency', counts: [[1, 3]], boundaries: [0.1, '+Inf'] }));
    assert.deepEqual(part?.sample, { kind: 'latency', counts: [[1, 3]], boundaries: [0.1, Infinity] });
  });

  const refused: Record<string, { body: unknown; path: string; text: RegExp }> = {
    'an unknown field, with the nearest': {
      body: window({ kind: 'proportion', totla: 10, bad: 1 }),
      path: 'w.json:8',
      text: /errors\.v1\.totla: is not a known field \| did you mean total\?/,
    },
    'an unknown kind': { body: window({ kind: 'proportions' }), path: 'w.json:7', text: /did you mean "proportion"\?/ },
    'a percentage': {
      body: window({ kind: 'proportion', total: 1, bad: 0.5 }),
      path: 'w.json:9',
      text: /0.5 is not a count/,
    },
    'a window without a time': { body: [{ readings: {} }], path: 'w.json:2', text: /\[0\]\.time: there is no time/ },
    'no windows': { body: [], path: 'w.json:1', text: /there is no window/ },
    'boundaries that do not end': {
      body: window({ kind: 'latency', counts: [], boundaries: [1, 2] }),
      path: 'w.json:9',
      text: /end with "\+Inf"/,
    },
  };
  for (const [name, { body, path, text }] of Object.entries(refused)) {
    it(`refuses ${name}`, () => {
      const said = refusal(() => json(body));
      assert.match(said.text, text);
      assert.equal(said.path, path);
    });
  }
});

describe('times', () => {
  it('are RFC 3339, seconds or milliseconds, and read back as they were', () => {
    const atMs = 1_777_629_600_000;
    for (const text of ['2026-05-01T10:00:00Z', '2026-05-01 12:00:00+02:00', '1777629600', '1777629600000']) {
      assert.deepEqual(parseTime(text), { ok: true, atMs }, text);
    }
    assert.equal(timeText(atMs), '2026-05-01T10:00:00Z');
    assert.equal(timeText(90_000), '1m30s');
  });

  it('count back from now where a moment is asked', () => {
    assert.deepEqual(parseMoment('-2h', 10_000_000), { ok: true, atMs: 2_800_000 });
    assert.equal(parseMoment('-2', 0).ok, true);
    assert.equal(parseMoment('yesterday', 0).ok, false);
  });
});
