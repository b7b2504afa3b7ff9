import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { samples } from '../../test/views/samples.ts';
import type { ReleaseView } from '../core/views/index.ts';
import type { Client } from './client.ts';
import type { Context } from './context.ts';
import { Painter, Screen } from './watch-screen.ts';

describe('the painter', () => {
  it('writes only the lines that changed', () => {
    const painter = new Painter();
    assert.match(painter.paint(['a', 'b', 'c'], 24), /1;1H.*2;1H.*3;1H/s);
    assert.equal(painter.paint(['a', 'b', 'c'], 24), '');
    assert.equal(painter.paint(['a', 'x', 'c'], 24), '\u001b[2;1H\u001b[2Kx');
  });

  it('clears lines that are gone, draws no more than fits, and all of it after a resize', () => {
    const painter = new Painter();
    painter.paint(['a', 'b', 'c'], 24);
    assert.equal(painter.paint(['a'], 24), '\u001b[2;1H\u001b[2K\u001b[3;1H\u001b[2K');
    painter.forget();
    assert.equal(painter.paint(['a', 'b'], 1), '\u001b[1;1H\u001b[2Ka');
  });
});

const view = samples().find(({ name }) => name === 'testing')?.view as ReleaseView;

function bench(shown: ReleaseView = view, rows = 40, columns = 100) {
  const asked: object[] = [];
  let written = '';
  const context = {
    env: {},
    terminal: () => ({ isTTY: true, columns, rows }),
    offsetMinutes: 0,
  } as unknown as Context;
  const client = {
    command: async (policy: string, request: object) => {
      asked.push({ policy, ...request });
      return { id: '1', accepted: true, message: 'done' };
    },
  } as unknown as Client;
  const screen = new Screen(context, { connect: () => client, first: shown }, (text) => {
    written += text;
  });
  const drawn = async (...keys: string[]) => {
    for (const key of keys) await screen.key(key);
    screen.close();
    written = '';
    screen.resized();
    return written;
  };
  return { screen, asked, drawn };
}

describe('the screen of haldane watch', () => {
  it('aborts by one key and one confirm that names the consequence', async () => {
    const { asked, drawn } = bench();
    assert.match(
      await drawn('a'),
      /Abort v2: sends all traffic to stable at once\. v1 gets 100 % of the traffic\. y aborts, any other key/,
    );
    assert.deepEqual(asked, []);
    assert.match(await drawn('y'), /abort: done/);
    assert.deepEqual(asked, [
      { policy: 'checkout', verb: 'abort', release: 'checkout-2', reason: 'from haldane watch' },
    ]);
  });

  it('approves by one key and one confirm while a gate waits, and offers it only then', async () => {
    assert.doesNotMatch(await bench().drawn(), /approve/);
    assert.match(await bench().drawn('g'), /approve is refused: no gate of this stage waits for approval/);
    const can = view.can.map((each) => (each.verb === 'approve' ? { ...each, allowed: true, whyNot: null } : each));
    const waiting = { ...view, can };
    const { asked, drawn } = bench(waiting);
    assert.match(await drawn(), /you can .*g approve/);
    assert.match(await drawn('g'), /Approve v2 at 25 %: is recorded with your name; .* y approves, any other key/s);
    assert.match(await drawn('n'), /not approved/);
    assert.deepEqual(asked, []);
    await drawn('g', 'y');
    assert.deepEqual(asked, [{ policy: 'checkout', verb: 'approve', release: 'checkout-2', reason: null }]);
  });

  it('draws no line wider than the screen, in help and questions too', async () => {
    for (const columns of [80, 120]) {
      for (const key of ['?', 'a', 'e', 'g']) {
        const { drawn } = bench(view, 60, columns);
        const rows = (await drawn(key)).split('\u001b[2K').slice(1);
        for (const row of rows) {
          const width = [...stripVTControlCharacters(row)].length;
          assert.ok(width <= columns, `${columns} columns, key ${key}: ${row}`);
        }
      }
    }
  });

  it('does not abort on any other key', async () => {
    const { asked, drawn } = bench();
    assert.match(await drawn('a', 'n'), /not aborted/);
    assert.deepEqual(asked, []);
  });

  it('advances, pauses and resumes by one key, on the release that is shown', async () => {
    const { asked, drawn } = bench();
    await drawn('n', 'p');
    assert.deepEqual(
      asked.map((each) => (each as { verb: string }).verb),
      ['advance', 'pause'],
    );
    const paused = bench(samples().find(({ name }) => name === 'paused')?.view);
    await paused.drawn('p');
    assert.equal((paused.asked[0] as { verb: string }).verb, 'resume');
  });

  it('says why a key does nothing instead of asking', async () => {
    const { asked, drawn } = bench(samples().find(({ name }) => name === 'promoted')?.view);
    assert.match(await drawn('a'), /abort is refused: no release is under way/);
    assert.match(await drawn('n'), /advance is refused: no release is under way/);
    assert.deepEqual(asked, []);
  });

  it('shows every check with e, help with ?, and leaves with q or Ctrl-C', async () => {
    const { screen, drawn } = bench();
    assert.match(await drawn('e'), /weight may rise: pass/);
    assert.match(await drawn('?'), /any key goes back/);
    assert.match(await drawn('x'), /traffic/);
    let left = 0;
    screen.onLeave = () => {
      left += 1;
    };
    await drawn('q', '\u0003');
    assert.equal(left, 2);
  });

  it('keeps what the keys do on a small screen: the log gives way', async () => {
    assert.match(await bench(view, 14).drawn(), /you can .*q leave/);
  });

  it('leaves the last state for the scrollback, without keys', () => {
    const { screen } = bench();
    assert.match(screen.last(), /25 % on v2/);
    assert.ok(!screen.last().includes('you can'));
    screen.close();
  });
});
