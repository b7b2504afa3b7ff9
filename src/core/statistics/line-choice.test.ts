// Which lines a latency comparison takes from stable's past.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { chooseLines } from './line-choice.ts';

describe('the choice of lines', () => {
  it('takes those nearest to the wanted tails, and the first that only hangs cross', () => {
    const tails = Array.from({ length: 60 }, (_, i) => 0.97 * 0.8 ** i);
    const chosen = chooseLines(tails, [20]).map((line) => tails[line] ?? 0);
    assert.equal(chosen.length, 8);
    assert.ok(chosen.includes(tails[20] ?? 0));
    for (const wanted of [0.5, 0.25, 0.1, 0.04, 0.003]) {
      assert.ok(
        chosen.some((tail) => Math.abs(Math.log(tail / wanted)) < 0.12),
        `${wanted} of ${chosen}`,
      );
    }
    assert.equal(chosen.filter((tail) => tail < 0.0005).length, 1);
    assert.ok((chosen.at(-1) ?? 0) >= 0.0005 * 0.8);
  });

  it('takes fewer lines of a coarse histogram, and each once', () => {
    assert.deepEqual(chooseLines([0.9, 0.5, 0.1, 0.01, 0], [3]), [0, 1, 2, 3, 4]);
    assert.deepEqual(chooseLines([0.02, 0], [0]), [0, 1]);
  });

  it('answers with ascending positions, at most eight, the musts among them, for any past', () => {
    const anyTails = fc
      .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 80 })
      .map((tails) => tails.sort((a, b) => b - a));
    fc.assert(
      fc.property(anyTails, fc.nat(79), fc.nat(79), (tails, a, b) => {
        const musts = [a % tails.length, b % tails.length];
        const lines = chooseLines(tails, musts);
        assert.ok(lines.length >= 1 && lines.length <= 8);
        for (const must of musts) assert.ok(lines.includes(must));
        lines.forEach((line, i) => {
          assert.ok(line >= 0 && line < tails.length && (i === 0 || line > (lines[i - 1] ?? 0)));
        });
      }),
    );
  });

  it('refuses a must that is no line', () => {
    assert.throws(() => chooseLines([0.5], [1]), /one of 1, but got 1/);
  });
});
