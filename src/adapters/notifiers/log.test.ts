import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NotifyMessage } from '../../core/model/effect.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import { createLog } from '../../lib/log.ts';
import { LogNotifier } from './log.ts';

const news = (key: string): NotifyMessage => ({ key, kind: 'promoted', release: 'shop-1', sentence: `news ${key}` });

test('the log notifier tells each key once, and only where the policy asks for it', async () => {
  const lines: string[] = [];
  const log = createLog({ level: 'info', format: 'json', write: (line) => lines.push(line), wallTime: () => '' });
  const made = new LogNotifier(log);
  const asking = { name: 'shop', notify: [{ kind: 'log' }] } as unknown as ReleasePolicy;
  await made.notify(asking, news('a'));
  await made.notify(asking, news('a'));
  await made.notify({ name: 'quiet', notify: [] } as unknown as ReleasePolicy, news('b'));
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /news a/);
});
