// The small parts of the gateway that need no socket.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { latencyBoundary, latencyBucket } from '../core/model/latency-buckets.ts';
import { cookieValue } from './cookies.ts';
import { Ended, RouteCounts } from './counters.ts';
import { isTrusted, plainAddress, trustedPeers } from './forwarded.ts';
import { Field, HeaderNames, trimmed } from './header-names.ts';
import { METHODS } from './methods.ts';
import { Repeats } from './repeats.ts';
import { isTraceparent, newTraceparent } from './trace-context.ts';
import { trailerText } from './trailers.ts';
import { UserSet } from './user-set.ts';

test('a cookie is found by its whole name, first of several, quotes taken off', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['uid=7', '7'],
    ['a=b; uid=7; uid=8', '7'],
    ['a=b;uid=7', '7'],
    ['a=b;  uid= 7 ; c=d', '7'],
    ['xuid=1; uid="seven"', 'seven'],
    ['uid=', ''],
    ['uidx=1; x=uid=2', undefined],
    ['', undefined],
    ['uid', undefined],
    ['a="uid=1"; uid=2', '2'],
  ];
  for (const [cookies, value] of cases) assert.equal(cookieValue(cookies, 'uid'), value, cookies);
});

test('field names are recognised in any case and not by their beginnings', () => {
  const names = new HeaderNames(['X-User', 'cookie']);
  const field = (text: string) => names.find(text, 0, text.length);
  assert.equal(field('CONTENT-length').field, Field.contentLength);
  assert.equal(field('content-lengt').field, Field.other);
  assert.equal(field('content-lengtH ').field, Field.other);
  assert.deepEqual([field('x-uSER').field, field('x-uSER').slot], [Field.other, 0]);
  assert.deepEqual([field('Cookie').field, field('Cookie').slot], [Field.cookie, 1]);
  assert.equal(field('Content\x0dLength').field, Field.other, 'CR is not "-" in another case');
  assert.equal(trimmed('a \t b \t', 1, 7), 'b');
});

test('every method number of llhttp has its name', () => {
  assert.equal(METHODS[1], 'GET');
  assert.equal(METHODS[28], 'PATCH');
  assert.equal(METHODS[46], 'QUERY');
});

test('counts: cells by method and ending, latencies by bucket', () => {
  const counts = new RouteCounts('other');
  counts.count(1, 200);
  counts.count(1, 200);
  counts.count(3, Ended.connectFailed);
  counts.time(0.01);
  assert.deepEqual(counts.cells('r'), [
    { revision: 'r', route: 'other', method: 'GET', ended: 200, count: 2 },
    { revision: 'r', route: 'other', method: 'POST', ended: 'connect-failed', count: 1 },
  ]);
  assert.deepEqual(counts.latency('r'), {
    revision: 'r',
    route: 'other',
    counts: [[latencyBucket(0.01), 1]],
    sumSeconds: 0.01,
  });
});

test('a latency lies above the boundary before its bucket and not above its own', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1_000, noNaN: true }), (seconds) => {
      const index = latencyBucket(seconds);
      assert.ok(seconds <= latencyBoundary(index) * (1 + 1e-9));
      if (index > 0) assert.ok(seconds > latencyBoundary(index - 1) * (1 - 1e-9));
    }),
  );
});

test('distinct users are counted exactly, whatever their number and order', () => {
  const users = new UserSet();
  for (let round = 0; round < 2; round++) for (let i = 0; i < 50_000; i++) users.add(`user-${i}`);
  assert.equal(users.size, 50_000);
  const capped = new UserSet(100);
  for (let i = 0; i < 1_000; i++) capped.add(`user-${i}`);
  assert.equal(capped.size, 100);
});

test('a repeat is one within a minute of the first attempt, across generations too', () => {
  const repeats = new Repeats();
  assert.equal(repeats.isRepeat('a', 59_000 + 60_000), false);
  assert.equal(repeats.isRepeat('a', 61_000 + 60_000), true);
  assert.equal(repeats.isRepeat('a', 118_999 + 60_000), true);
  assert.equal(repeats.isRepeat('a', 119_001 + 60_000), false);
  assert.equal(repeats.isRepeat('b', 900_000), false);
  assert.equal(repeats.isRepeat('a', 900_001), false);
});

test('new trace contexts are valid and all different', () => {
  const made = new Set(Array.from({ length: 2_000 }, newTraceparent));
  assert.equal(made.size, 2_000);
  for (const trace of made) assert.ok(isTraceparent(trace), trace);
  assert.ok(isTraceparent('cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-holds'));
});

test('trusted peers: ranges of both families, and IPv4 seen through a dual-stack socket', () => {
  const list = trustedPeers(['198.51.0.0/16', '2001:db8::/32', '192.0.2.7']);
  for (const address of [
    '198.51.100.3',
    '2001:db8:1::1',
    '192.0.2.7',
    plainAddress('::ffff:198.51.100.3'),
    plainAddress('2001:db8::1%eth0'),
  ]) {
    assert.ok(isTrusted(list, address), address);
  }
  for (const address of ['198.52.0.1', '2001:db9::1', '192.0.2.8', 'unknown'])
    assert.ok(!isTrusted(list, address), address);
});

test('trailers that frame, route or authenticate are dropped', () => {
  const text = trailerText([
    'Content-Length',
    '5',
    'X-Sum',
    ' 1 ',
    'HOST',
    'b',
    'Set-Cookie',
    'a=b',
    'Server-Timing',
    'db;dur=1',
  ]);
  assert.equal(text, 'X-Sum: 1\r\nServer-Timing: db;dur=1\r\n');
});
