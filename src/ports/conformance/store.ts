// What every Store must do, as tests: versions and conflicts, one write or none, the hash chain, commands once,
// retention, and what is still there after reopening. An adapter's test calls this with a way to make one. Policies are
// called "a/shop" as on Kubernetes: their names are opaque to a store, and releases are called after them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkChain } from '../journal-chain.ts';
import type { StateChange, Store } from '../store.ts';

export interface StoreUnderTest {
  readonly store: Store;
  /** Closes the store and opens the same again; null if it is not durable. */
  readonly reopen: (() => Promise<Store>) | null;
  /** From now on the disk is full; null if this cannot be brought about. */
  readonly fillUp: (() => Promise<void>) | null;
  end(): Promise<void>;
}

/** What a store may do otherwise, as its page says. */
export interface StoreTraits {
  /** Entries are numbered and chained for each policy, and go with their release. */
  readonly journalOfEachPolicy?: boolean;
  /** A withdrawn policy cannot be declared again before it is given back. */
  readonly withdrawsForGood?: boolean;
}

export function storeConformance(name: string, make: () => Promise<StoreUnderTest>, traits: StoreTraits = {}): void {
  const trial = (title: string, body: (under: StoreUnderTest) => Promise<void>) =>
    test(title, async () => {
      const under = await make();
      try {
        await body(under);
      } finally {
        await under.end();
      }
    });
  describe(`${name} as a Store`, () => {
    stateTrials(trial);
    if (traits.journalOfEachPolicy === true) separateJournalTrials(trial);
    else journalTrials(trial);
    declarationTrials(trial, traits);
    commandTrials(trial);
    releaseTrials(trial, traits);
    durabilityTrials(trial);
  });
}

type Trial = (title: string, body: (under: StoreUnderTest) => Promise<void>) => void;

function changeOf(policy: string, expectedVersion: number, rest: Partial<StateChange> = {}): StateChange {
  const state = JSON.stringify({ policy, version: expectedVersion + 1 });
  return { policy, expectedVersion, state, journal: [], releases: [], answers: [], keepReleases: 3, ...rest };
}

function line(document: string, release: string | null = null) {
  return { release, wallTime: '2026-01-01T00:00:00.000Z', document };
}

function stateTrials(trial: Trial): void {
  trial('a policy nobody recorded has no state', async ({ store }) => {
    assert.equal(await store.readState('a/shop'), null);
  });

  trial('what was recorded is read back, with a version that rises by one', async ({ store }) => {
    assert.deepEqual(await store.record(changeOf('a/shop', 0, { state: '{"a":1}' })), { kind: 'recorded', version: 1 });
    assert.deepEqual(await store.record(changeOf('a/shop', 1, { state: '{"a":2}' })), { kind: 'recorded', version: 2 });
    const read = await store.readState('a/shop');
    assert.equal(read?.state, '{"a":2}');
    assert.equal(read?.version, 2);
    assert.equal(await store.readState('a/other'), null);
  });

  trial('row 64: a decision made on an older version is refused, and nothing of it is written', async ({ store }) => {
    await store.addCommand({ id: 'c1', policy: 'a/shop', document: '{}' });
    await store.record(changeOf('a/shop', 0));
    const stale = changeOf('a/shop', 0, {
      journal: [line('"stale"')],
      releases: [{ id: 'a/shop-1', document: '{}' }],
      answers: [{ id: 'c1', document: '{}' }],
    });
    assert.deepEqual(await store.record(stale), { kind: 'conflict' });
    assert.deepEqual(await store.journal({}), []);
    assert.equal(await store.release('a/shop-1'), null);
    assert.equal((await store.command('c1'))?.answer, null);
    assert.equal((await store.readState('a/shop'))?.version, 1);
  });

  trial('a full disk is an answer: nothing is written, reading goes on, nothing new may start', async (under) => {
    if (under.fillUp === null) return;
    const { store } = under;
    await store.record(changeOf('a/shop', 0));
    await under.fillUp();
    const large = changeOf('a/shop', 1, {
      state: JSON.stringify({ large: 'x'.repeat(3_000_000) }),
      journal: [line('"lost"')],
    });
    assert.equal((await store.record(large)).kind, 'full');
    assert.equal((await store.readState('a/shop'))?.version, 1);
    assert.deepEqual(await store.journal({}), []);
    const health = await store.health();
    assert.equal(health.writable, false);
    assert.ok(health.message.length > 0);
  });
}

function journalTrials(trial: Trial): void {
  trial('entries are numbered without gaps across policies and chained by their hashes', async ({ store }) => {
    await store.record(changeOf('a/shop', 0, { journal: [line('1', 'a/shop-1'), line('2')] }));
    await store.record(changeOf('a/blog', 0, { journal: [line('3')] }));
    await store.record(changeOf('a/shop', 1, { journal: [line('4', 'a/shop-1')] }));
    const entries = await store.journal({});
    assert.deepEqual(
      entries.map(({ sequence, document }) => [sequence, document]),
      [
        [1, '1'],
        [2, '2'],
        [3, '3'],
        [4, '4'],
      ],
    );
    assert.equal(checkChain(entries).kind, 'intact');
  });

  trial('the journal is read by policy, release, position and count', async ({ store }) => {
    await store.record(changeOf('a/shop', 0, { journal: [line('1', 'a/shop-1'), line('2')] }));
    await store.record(changeOf('a/blog', 0, { journal: [line('3')] }));
    await store.record(changeOf('a/shop', 1, { journal: [line('4', 'a/shop-1')] }));
    const read = async (query: Parameters<Store['journal']>[0]) =>
      (await store.journal(query)).map(({ sequence }) => sequence);
    assert.deepEqual(await read({ policy: 'a/shop' }), [1, 2, 4]);
    assert.deepEqual(await read({ release: 'a/shop-1' }), [1, 4]);
    assert.deepEqual(await read({ after: 2 }), [3, 4]);
    assert.deepEqual(await read({ policy: 'a/shop', after: 1, limit: 1 }), [2]);
  });
}

function separateJournalTrials(trial: Trial): void {
  trial('entries are numbered without gaps and chained by their hashes, for each policy', async ({ store }) => {
    await store.record(
      changeOf('a/shop', 0, { releases: ended('a/shop-1'), journal: [line('1', 'a/shop-1'), line('2')] }),
    );
    await store.record(changeOf('a/blog', 0, { journal: [line('3')] }));
    await store.record(changeOf('a/shop', 1, { journal: [line('4', 'a/shop-1')] }));
    const read = async (query: Parameters<Store['journal']>[0]) => {
      const entries = await store.journal(query);
      return entries.map(({ sequence, document }) => [sequence, document]);
    };
    const shop = await store.journal({ policy: 'a/shop' });
    assert.equal(checkChain(shop).kind, 'intact');
    assert.equal(checkChain(await store.journal({ policy: 'a/blog' })).kind, 'intact');
    assert.deepEqual(await read({ policy: 'a/shop' }), [
      [1, '1'],
      [2, '2'],
      [3, '4'],
    ]);
    assert.deepEqual(await read({ policy: 'a/blog' }), [[1, '3']]);
    assert.deepEqual(await read({ policy: 'a/shop', after: 1, limit: 1 }), [[2, '2']]);
    assert.deepEqual(await read({ release: 'a/shop-1' }), [
      [1, '1'],
      [3, '4'],
    ]);
    assert.equal((await store.journal({})).length, 4);
  });
}

function declarationTrials(trial: Trial, { withdrawsForGood = false }: StoreTraits): void {
  trial('a declaration is kept, its generation rises with each change only', async ({ store }) => {
    assert.equal((await store.declare('a/shop', '{"a":1}')).generation, 1);
    assert.equal((await store.declare('a/shop', '{"a":1}')).generation, 1);
    assert.equal((await store.declare('a/shop', '{"a":2}')).generation, 2);
    const declaration = await store.declaration('a/shop');
    assert.deepEqual(declaration, { policy: 'a/shop', document: '{"a":2}', generation: 2, removed: false });
    assert.deepEqual(await store.declarations(), [declaration]);
    assert.equal(await store.declaration('a/blog'), null);
  });

  trial(
    'a withdrawn declaration of what was released stays, marked; declaring it again brings it back',
    async ({ store }) => {
      await store.declare('a/shop', '{}');
      await store.record(changeOf('a/shop', 0, { state: JSON.stringify({ stable: { revision: 'v1' } }) }));
      await store.withdraw('a/shop');
      await store.withdraw('a/unknown');
      assert.equal((await store.declaration('a/shop'))?.removed, true);
      assert.equal((await store.declaration('a/shop'))?.generation, 2);
      if (withdrawsForGood) return;
      assert.equal((await store.declare('a/shop', '{}')).removed, false);
      assert.equal((await store.declarations()).length, 1);
    },
  );

  trial('declarations and commands are told to those who watch, with the name of the policy', async ({ store }) => {
    const told: string[] = [];
    const stop = store.watch((policy) => told.push(policy));
    await store.declare('a/shop', '{}');
    await store.declare('a/shop', '{}');
    await store.addCommand({ id: 'c1', policy: 'a/blog', document: '{}' });
    await store.withdraw('a/shop');
    stop();
    await store.declare('a/news', '{}');
    assert.deepEqual(told, ['a/shop', 'a/blog', 'a/shop']);
  });
}

function commandTrials(trial: Trial): void {
  trial('row 69: a command stays pending until it is answered, in the order they came', async ({ store }) => {
    await store.addCommand({ id: 'b', policy: 'a/shop', document: '"first"' });
    await store.addCommand({ id: 'a', policy: 'a/shop', document: '"second"' });
    await store.addCommand({ id: 'c', policy: 'a/blog', document: '"other"' });
    const pending = await store.pendingCommands('a/shop');
    assert.deepEqual(
      pending.map(({ id, document, answer }) => [id, document, answer]),
      [
        ['b', '"first"', null],
        ['a', '"second"', null],
      ],
    );
    await store.record(changeOf('a/shop', 0, { answers: [{ id: 'b', document: '"yes"' }] }));
    assert.deepEqual(
      (await store.pendingCommands('a/shop')).map(({ id }) => id),
      ['a'],
    );
    assert.equal((await store.command('b'))?.answer, '"yes"');
    assert.equal(await store.command('unknown'), null);
  });

  trial('the same command twice is one command', async ({ store }) => {
    await store.addCommand({ id: 'c1', policy: 'a/shop', document: '"once"' });
    await store.addCommand({ id: 'c1', policy: 'a/shop', document: '"twice"' });
    await store.record(changeOf('a/shop', 0, { answers: [{ id: 'c1', document: '"done"' }] }));
    await store.addCommand({ id: 'c1', policy: 'a/shop', document: '"again"' });
    assert.deepEqual(await store.pendingCommands('a/shop'), []);
    assert.equal((await store.command('c1'))?.document, '"once"');
  });

  trial('an answer to a command nobody stored is no error', async ({ store }) => {
    const change = changeOf('a/shop', 0, { answers: [{ id: 'unknown', document: '"no"' }] });
    assert.equal((await store.record(change)).kind, 'recorded');
  });
}

function ended(...ids: string[]) {
  return ids.map((id) => ({ id, document: JSON.stringify(id) }));
}

function releaseTrials(trial: Trial, { journalOfEachPolicy = false }: StoreTraits): void {
  trial('releases are kept by id, oldest first, and changed in place', async ({ store }) => {
    await store.record(changeOf('a/shop', 0, { releases: ended('a/shop-9', 'a/shop-10') }));
    await store.record(changeOf('a/shop', 1, { releases: [{ id: 'a/shop-9', document: '"ended"' }] }));
    assert.deepEqual(await store.releases('a/shop'), [
      { id: 'a/shop-9', document: '"ended"' },
      { id: 'a/shop-10', document: '"a/shop-10"' },
    ]);
    assert.deepEqual(await store.release('a/shop-9'), { id: 'a/shop-9', policy: 'a/shop', document: '"ended"' });
    assert.equal(await store.release('a/shop-1'), null);
  });

  trial(
    'the oldest releases beyond the limit are dropped; what was decided in them stays in a journal of all policies',
    async ({ store }) => {
      for (let number = 1; number <= 5; number += 1) {
        const id = `a/shop-${number}`;
        const change = { releases: ended(id), journal: [line(`"${id}"`, id)], keepReleases: 3 };
        await store.record(changeOf('a/shop', number - 1, change));
      }
      await store.record(changeOf('a/blog', 0, { releases: ended('a/blog-1'), keepReleases: 1 }));
      const kept = (await store.releases('a/shop')).map(({ id }) => id);
      assert.deepEqual(kept, ['a/shop-3', 'a/shop-4', 'a/shop-5']);
      const left = await store.journal({ release: 'a/shop-1' });
      assert.equal(left.length, journalOfEachPolicy ? 0 : 1);
      assert.equal((await store.releases('a/blog')).length, 1);
    },
  );

  trial('the newest release is kept even with a limit of 0', async ({ store }) => {
    await store.record(changeOf('a/shop', 0, { releases: ended('a/shop-1', 'a/shop-2'), keepReleases: 0 }));
    assert.deepEqual(
      (await store.releases('a/shop')).map(({ id }) => id),
      ['a/shop-2'],
    );
  });
}

function durabilityTrials(trial: Trial): void {
  trial('I6: everything is still there after closing and opening again', async ({ store, reopen }) => {
    if (reopen === null) return;
    await store.declare('a/shop', '{"a":1}');
    await store.addCommand({ id: 'c1', policy: 'a/shop', document: '1' });
    await store.addCommand({ id: 'c2', policy: 'a/shop', document: '2' });
    const change = {
      journal: [line('"started"', 'a/shop-1')],
      releases: [{ id: 'a/shop-1', document: '"r"' }],
      answers: [{ id: 'c1', document: '"ok"' }],
    };
    await store.record(changeOf('a/shop', 0, change));
    const before = await everything(store);
    const again = await reopen();
    assert.deepEqual(await everything(again), before);
    await again.record(changeOf('a/shop', 1, { journal: [line('"next"')] }));
    const entries = await again.journal({});
    assert.equal(entries.length, 2);
    assert.equal(checkChain(entries).kind, 'intact');
  });
}

async function everything(store: Store): Promise<unknown> {
  return {
    state: await store.readState('a/shop'),
    declarations: await store.declarations(),
    pending: await store.pendingCommands('a/shop'),
    command: await store.command('c1'),
    releases: await store.releases('a/shop'),
    journal: await store.journal({}),
  };
}
