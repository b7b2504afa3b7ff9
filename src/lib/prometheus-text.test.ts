import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { MetricsTextError, numberOf, parseMetricsText } from './prometheus-text.ts';

const parse = (text: string, ...names: string[]) => parseMetricsText(text, new Set(names));

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

describe('the text of an exporter', () => {
  test('is read as it was written, whatever stands in a label (fuzzed)', () => {
    const name = fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,8}$/);
    const label = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,5}$/);
    const labels = fc.dictionary(label, fc.string({ unit: 'binary' }), { maxKeys: 3, noNullPrototype: true });
    const sample = fc.record({ name, labels, value: fc.double() }, { noNullPrototype: true });
    const tail = fc.constantFrom('', ' 1795744224000', ' 1795744224.5', ' # {trace_id="a}b",x="1"} 0.3 1.5');
    fc.assert(
      fc.property(fc.array(fc.tuple(sample, tail), { maxLength: 6 }), (written) => {
        const text = written.map(([{ name: of, labels: own, value }, rest]) => {
          const pairs = Object.entries(own).map(([key, each]) => `${key}="${escaped(each)}"`);
          const number = String(value).replace('Infinity', 'Inf');
          return `${of}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${number}${rest}\n`;
        });
        const read = parse(text.join(''), ...written.map(([{ name: of }]) => of));
        assert.deepEqual(
          read.map(({ name: of, labels: own, value }) => [of, Object.entries(own), value + 0]),
          written.map(([{ name: of, labels: own, value }]) => [of, Object.entries(own), value + 0]),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('is taken whole or not at all: no text makes it throw anything but the line it cannot read (fuzzed)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        try {
          for (const { value } of parse(`a{b="c"} 1\n${text}`, 'a')) assert.equal(typeof value, 'number');
        } catch (error) {
          assert.ok(error instanceof MetricsTextError);
        }
      }),
    );
  });

  test('may be OpenMetrics: exemplars, time stamps and the end are read past', () => {
    const text = [
      '# TYPE took histogram',
      'took_bucket{le="0.1"} 5 # {trace_id="KOO5S4vxi0o"} 0.067',
      'took_bucket{le="+Inf",} 7 1520879607.789 # {trace_id="oHg5SJYRHA0"} 9.8 1520879607.789',
      'took_created 1520430000.123',
      '# EOF',
    ].join('\r\n');
    assert.deepEqual(
      parse(text, 'took_bucket').map(({ labels, value }) => [labels.le, value]),
      [
        ['0.1', 5],
        ['+Inf', 7],
      ],
    );
  });

  test('that cannot be read is refused with its line, also where nobody asked for it', () => {
    for (const line of [
      'a',
      'a{',
      'a{b=c} 1',
      'a{b="c} 1',
      'a{b="c"} one',
      'a{b="c"} 0x10',
      'a{b="c" d="e"} 1',
      'a{b="c",b="d"} 1',
      'a{b="\\x"} 1',
      '1a 1',
      'a 1 2 3',
      'a{b="c"}',
      '<html>',
    ]) {
      assert.throws(() => parse(`ok 1\n${line}\n`, 'ok'), /line 2 is not a sample/, line);
    }
  });
});

test('numbers are what they are, and what is none is NaN', () => {
  const texts = [
    '1',
    '+1',
    '-0.5',
    '1e3',
    '.5',
    '5.',
    '+Inf',
    'Inf',
    '-inf',
    'NaN',
    '',
    ' ',
    '0x10',
    '1_000',
    'Infinity',
  ];
  assert.deepEqual(texts.map(numberOf), [
    ...[1, 1, -0.5, 1_000, 0.5, 5, Infinity, Infinity, -Infinity],
    ...[NaN, NaN, NaN, NaN, NaN, Infinity],
  ]);
});
