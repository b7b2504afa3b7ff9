import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storeConformance } from '../conformance/store.ts';
import { chainEntry, checkChain, EMPTY_CHAIN } from '../journal-chain.ts';
import { MemoryStore } from './memory-store.ts';

storeConformance('MemoryStore', async () => {
  const store = new MemoryStore();
  return { store, reopen: null, fillUp: async () => store.fillUp('the disk is full'), end: () => store.close() };
});

test('the chain names the first entry that was changed, dropped or put in', () => {
  const first = chainEntry(EMPTY_CHAIN, 'shop', { release: null, wallTime: 't', document: '1' });
  const second = chainEntry(first, 'shop', { release: null, wallTime: 't', document: '2' });
  const third = chainEntry(second, 'shop', { release: null, wallTime: 't', document: '3' });
  const firstBad = (...entries: (typeof first)[]) => {
    const check = checkChain(entries);
    return check.kind === 'broken' ? check.sequence : null;
  };
  assert.equal(firstBad(first, second, third), null);
  assert.equal(firstBad(first, { ...second, document: '9' }, third), 2);
  assert.equal(firstBad(first, { ...second, policy: 'blog' }, third), 2);
  assert.equal(firstBad(first, third), 2);
  assert.equal(firstBad(second, third), 1);
  assert.equal(firstBad(first, second, second, third), 3);
});
