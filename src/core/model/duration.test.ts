import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { describeDuration, formatDuration, LONGEST_DURATION_MS, parseDuration } from './duration.ts';

const readable: Record<string, number> = {
  '250ms': 250,
  '30s': 30_000,
  '10m': 600_000,
  '1h30m': 5_400_000,
  '1.5h': 5_400_000,
  '2d': 172_800_000,
  '0s': 0,
  '0.1s': 100,
  '1m250ms': 60_250,
};

for (const [text, durationMs] of Object.entries(readable)) {
  test(`"${text}" is read as ${durationMs} milliseconds`, () => {
    assert.deepEqual(parseDuration(text), { ok: true, durationMs });
  });
}

const refused: Record<string, RegExp> = {
  '': /empty/,
  '10': /no unit/,
  '0': /no unit/,
  ten: /not a duration/,
  '-5m': /not a duration/,
  '5 m': /not a duration/,
  '5min': /not a duration/,
  '30m1h': /out of order/,
  '1h1h': /twice/,
  '0.5ms': /whole number/,
  '1e3s': /not a duration/,
  '40000d': /100 years/,
  ['9'.repeat(80)]: /longer than 64/,
};

for (const [text, reason] of Object.entries(refused)) {
  test(`"${text.slice(0, 12)}" is refused with a reason and a fix`, () => {
    const parsed = parseDuration(text);
    assert.ok(!parsed.ok);
    assert.match(parsed.reason, reason);
    assert.ok(parsed.fix.length > 0);
  });
}

test('a bare number is answered with the two likely meanings', () => {
  const parsed = parseDuration('10');
  assert.ok(!parsed.ok);
  assert.match(parsed.fix, /10s .* 10m/);
});

test('what is formatted parses back to the same milliseconds', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: LONGEST_DURATION_MS }), (durationMs) => {
      assert.deepEqual(parseDuration(formatDuration(durationMs)), { ok: true, durationMs });
    }),
  );
});

test('no text makes the parser throw', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseDuration(text)));
});

test('a duration for the eye keeps two units and carries when rounded up', () => {
  assert.equal(describeDuration(5_423_456), '1h30m');
  assert.equal(describeDuration(3_599_900), '1h');
  assert.equal(describeDuration(59_999), '1m');
  assert.equal(describeDuration(12_345), '12s');
  assert.equal(describeDuration(345), '345ms');
  assert.equal(describeDuration(0), '0s');
});
