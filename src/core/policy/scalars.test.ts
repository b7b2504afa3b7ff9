import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitCommandLine } from './command-line.ts';
import { parseListen, parseUpstream, parseUrl } from './endpoint.ts';
import type { Parsed } from './fields.ts';
import { parseBytes, parsePercentText, parseQuantity, parseWeight } from './quantity.ts';

function value<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new assert.AssertionError({ message: parsed.problem });
  return parsed.value;
}

function refusal(parsed: Parsed<unknown>): string {
  assert.equal(parsed.ok, false);
  return parsed.ok ? '' : `${parsed.problem}; ${parsed.fix}`;
}

test('a weight is a number of percent or text with its sign, in exact steps of 0.01', () => {
  for (const [written, percent] of [
    [5, 5],
    ['5%', 5],
    [0.01, 0.01],
    ['0.07 %', 0.07],
    [33.33, 33.33],
    [100, 100],
  ] as const) {
    assert.equal(value(parseWeight(written)), percent);
  }
  for (let step = 1; step <= 10_000; step++) assert.equal(value(parseWeight(step / 100)), step / 100);
  assert.match(refusal(parseWeight(33.333)), /finer than 0.01 percent; write "33.33%" or "33.34%"/);
  assert.match(refusal(parseWeight('5')), /write a number of percent/);
});

test('a percentage keeps its digits: no dust of binary fractions', () => {
  assert.equal(value(parsePercentText('0.2%')), 0.002);
  assert.equal(value(parsePercentText('0.7%')), 0.007);
  assert.equal(value(parsePercentText('100%')), 1);
  assert.match(refusal(parsePercentText(0.2)), /could mean 0.2% or 20%; write "0.2%" or "20%"/);
});

test('a size has a unit, and the short forms of other tools are named', () => {
  assert.equal(value(parseBytes('10MiB')), 10_485_760);
  assert.equal(value(parseBytes('1.5 GB')), 1_500_000_000);
  assert.match(refusal(parseBytes('10Mi')), /write 10MiB/);
  assert.match(refusal(parseBytes('512m')), /write 512MiB/);
  assert.match(refusal(parseBytes(1024)), /no unit; write 1024B/);
});

test('a line is read in the unit it was written in', () => {
  assert.deepEqual(value(parseQuantity('2%')), { unit: 'fraction', fraction: 0.02, text: '2%' });
  assert.deepEqual(value(parseQuantity('250%')), { unit: 'fraction', fraction: 2.5, text: '250%' });
  assert.deepEqual(value(parseQuantity('1.5s')), { unit: 'duration', durationMs: 1_500, text: '1.5s' });
  assert.deepEqual(value(parseQuantity('1KiB')), { unit: 'bytes', bytes: 1_024, text: '1KiB' });
  assert.match(refusal(parseQuantity(500)), /no unit/);
});

test('a bare port listens on this machine only; the network is opened only in writing', () => {
  assert.deepEqual(value(parseListen(8080)), { host: '127.0.0.1', port: 8080 });
  assert.deepEqual(value(parseListen('8080')), { host: '127.0.0.1', port: 8080 });
  assert.deepEqual(value(parseListen('0.0.0.0:80')), { host: '0.0.0.0', port: 80 });
  assert.deepEqual(value(parseListen('[::1]:8080')), { host: '::1', port: 8080 });
  assert.match(refusal(parseListen(':8080')), /which interface; write 8080 for this machine only, or 0.0.0.0:8080/);
  assert.match(refusal(parseListen('http://localhost:80')), /URL; write "localhost:80"/);
});

test('IPv6 addresses are judged by RFC 4291', () => {
  for (const host of ['::', '::1', '2001:db8::1', '1:2:3:4:5:6:7:8', '::ffff:127.0.0.1', '1::8', 'fe80::1:2']) {
    assert.equal(value(parseListen(`[${host}]:1`)).host, host);
  }
  for (const host of [
    '1:2:3',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    'g::1',
    '1.2.3.4',
    '::1.2.3',
    '::1.2.3.4:5',
  ]) {
    refusal(parseListen(`[${host}]:1`));
  }
});

test('an upstream is an address, and nothing of a URL is dropped in silence (row 84)', () => {
  assert.deepEqual(value(parseUpstream('127.0.0.1:9001')), { host: '127.0.0.1', port: 9001 });
  assert.deepEqual(value(parseUpstream('http://shop-1.internal:80/')), { host: 'shop-1.internal', port: 80 });
  assert.deepEqual(value(parseUpstream('http://shop')), { host: 'shop', port: 80 });
  assert.deepEqual(value(parseUpstream('http://[::1]:9001')), { host: '::1', port: 9001 });
  assert.match(refusal(parseUpstream('http://shop:80/v1')), /has a path/);
  assert.match(refusal(parseUpstream('https://shop')), /TLS to an upstream is not available here yet/);
  assert.match(refusal(parseUpstream('shop')), /has no port; write shop:80/);
});

test('a URL is http or https, without passwords and fragments', () => {
  for (const url of ['https://a.example.com', 'http://localhost:8080/x?y=1', 'https://[::1]/']) {
    assert.equal(value(parseUrl(url)), url);
  }
  for (const url of [
    'a.example.com',
    'file:///etc/passwd',
    'https://u:p@e.com',
    'https://e.com/#x',
    'https://',
    'https://e.com/a b',
  ]) {
    refusal(parseUrl(url));
  }
});

test('a command line is split at blanks, quotes keep words together', () => {
  const words = (line: string) => value(splitCommandLine(line));
  assert.deepEqual(words('node server.js'), ['node', 'server.js']);
  assert.deepEqual(words(`  node  'a b' "c 'd'" e\\ f ''  `), ['node', 'a b', "c 'd'", 'e f', '']);
  assert.deepEqual(words(`node -e 'a && b | $c'`), ['node', '-e', 'a && b | $c']);
  assert.deepEqual(words('node "a\\"b" pre"fix"ed'), ['node', 'a"b', 'prefixed']);
});

test('a command line never holds what a shell would act on', () => {
  for (const character of ['|', '&', ';', '<', '>', '(', ')', '$', '`', '*', '?', '#', '~', '{', '}', '!', '\n']) {
    assert.match(refusal(splitCommandLine(`node a${character}b`)), /no shell runs/);
    if (character === '$' || character === '`') refusal(splitCommandLine(`node "a${character}b"`));
  }
  assert.match(refusal(splitCommandLine('node --port $PORT')), /read PORT and HOST from its environment/);
});
