import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  canLines,
  decisionKey,
  decisionLine,
  exitOf,
  plainLines,
  type ReleaseView,
  renderLines,
  watchLines,
  widthOf,
} from '../../src/core/views/index.ts';
import { assertGolden } from '../golden.ts';
import { samples } from './samples.ts';

const all = samples();

describe('the terminal screen', () => {
  for (const { name, view } of all) {
    for (const columns of [80, 120]) {
      it(`draws "${name}" in ${columns} columns as kept in test/golden`, () => {
        const lines = watchLines(view, { columns, offsetMinutes: 0, keys: true });
        const text = renderLines(lines, false);
        for (const line of text.split('\n')) assert.ok(widthOf(line) <= columns, line);
        assertGolden(`watch/${name}-${columns}.txt`, text);
      });
    }
    it(`says "${name}" in plain words for logs and screen readers, in ASCII`, () => {
      const text = plainLines(view, { offsetMinutes: 0 }).join('\n');
      assert.match(text, /^[\x20-\x7e\n]*$/);
      assertGolden(`watch/${name}-plain.txt`, text);
    });
  }

  it('has no escape codes without colour, and the same characters with it', () => {
    for (const { view } of all) {
      const lines = watchLines(view, { columns: 80, offsetMinutes: 0, keys: true });
      const bare = renderLines(lines, false);
      assert.ok(!bare.includes('\u001b'));
      const coloured = renderLines(lines, true);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes are what is looked for
      assert.equal(coloured.replace(/\u001b\[\d+m/g, '').replace(/ +$/gm, ''), bare);
    }
  });

  it('is never narrower than 80 columns and shows every check with its sentence when asked for details', () => {
    const [{ view } = all[0]!] = all;
    const text = renderLines(watchLines(view, { columns: 20, offsetMinutes: 0, details: true }), false);
    assert.match(text, /evidence of harm\s+\d+ %\s+of\s+its\s+line/);
  });

  it('begins a fix on a line of its own, and tells it apart where there is only one line', () => {
    const [{ view } = all[0]!] = all;
    const trouble =
      'policy "b" asks for deployment shop, which policy "a" already has\n  fix: remove one of the two policies';
    const told = { ...view, state: 'unknown' as const, headline: trouble, troubles: [trouble] };
    const screen = renderLines(watchLines(told, { columns: 120, offsetMinutes: 0 }), false);
    assert.match(screen, /already has\n +fix: remove one/);
    assert.doesNotMatch(screen, /already has +fix/);
    assert.match(plainLines(told, { offsetMinutes: 0 }).join('\n'), /already has; fix: remove one of the two policies/);
    assert.match(decisionLine(told, 0), /already has; fix: remove/);
  });

  it('offers no abort to a release that is on its way out', () => {
    const { view } = all.find(({ name }) => name === 'testing')!;
    const keys = (state: ReleaseView['state']) =>
      renderLines(watchLines({ ...view, state }, { columns: 120, offsetMinutes: 0, keys: true }), false);
    assert.match(keys('testing'), /a abort/);
    assert.doesNotMatch(keys('aborting'), /a abort/);
  });

  it('lists what each command would do within the columns there are', () => {
    for (const { view } of all) {
      for (const line of canLines(view, 80)) assert.ok(widthOf(line) <= 80, line);
    }
  });

  it('shows no control character of a label to the terminal', () => {
    const [{ view } = all[0]!] = all;
    const evil = { ...view, policy: { ...view.policy, name: 'a\u001b[31mred\u0007' } };
    assert.ok(!renderLines(watchLines(evil, { columns: 80, offsetMinutes: 0 }), false).includes('\u001b'));
    assert.ok(!plainLines(evil, { offsetMinutes: 0 }).join('').includes('\u0007'));
  });
});

describe('lines for logs', () => {
  it('stay the same while only numbers move, and differ when the decision does', () => {
    const keys = new Set(all.map(({ view }) => decisionKey(view)));
    assert.equal(keys.size, all.length);
    const [{ view } = all[0]!] = all;
    const moved = {
      ...view,
      now: '2026-01-01T00:00:00.000Z',
      evidence: view.evidence.map((line) => ({ ...line, excess: 0.1 })),
    };
    assert.equal(decisionKey(moved), decisionKey(view));
  });

  it('are one line each', () => {
    for (const { view } of all) assert.ok(!decisionLine(view, 0).includes('\n'));
  });
});

describe('exit codes', () => {
  const byName = (name: string) => all.find((sample) => sample.name === name)!.view;
  it('tell promoted, aborted by verdict, superseded and still under way apart', () => {
    assert.equal(exitOf(byName('promoted'), 'checkout-2')?.code, 0);
    assert.equal(exitOf(byName('aborted'), 'checkout-2')?.code, 2);
    assert.equal(exitOf(byName('promoted'), 'checkout-1')?.code, 6);
    assert.equal(exitOf(byName('testing'), 'checkout-2'), null);
  });
});
