import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  change,
  type Instance,
  releaseOf,
  StoreTrial,
  stateOf,
  step,
  template,
  versionOf,
} from '../../../../test/support/kubernetes-store-trial.ts';
import {
  type KubeApi,
  KubeError,
  RELEASE_COMMANDS,
  RELEASE_POLICIES,
  RELEASES,
  type Resource,
} from '../../../kubernetes/index.ts';
import { checkChain } from '../../../ports/index.ts';
import type { ReleaseResource } from './documents.ts';

const STATUS = { subresource: 'status' } as const;
const V2 = versionOf('app:v2').revision;

async function declared(context: { after: (end: () => Promise<void>) => void }, trial = new StoreTrial()) {
  await trial.deployment();
  await trial.policy();
  const instance = await trial.open();
  context.after(() => instance.stop());
  await instance.store.declaration('a/shop');
  return { trial, ...instance };
}

/** Everything of one kind that is asked fails. */
function failing(
  trial: StoreTrial,
  verb: string,
  resource: string,
  error = new KubeError(verb, 500, { message: 'no' }),
) {
  trial.memory.intercept = (asked, { plural }) => {
    if (asked === verb && plural === resource) throw error;
  };
}

/** An instance that hears of nothing new after it began. */
function deaf(api: KubeApi): KubeApi {
  return new Proxy(api, {
    get: (target, name) => {
      if (name === 'watch') return hearNothing;
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

async function* hearNothing(_resource: Resource, { signal }: { readonly signal: AbortSignal }) {
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

const WRITES: readonly PropertyKey[] = ['create', 'patch', 'delete', 'replace'];

/** Its process dies at one write: before it, or after it without its answer. */
function mortalApi(api: KubeApi, at: number, mode: 'before' | 'after') {
  let writes = 0;
  let isDead = false;
  const mortal = (write: (...args: unknown[]) => Promise<unknown>) => {
    return async (...args: unknown[]) => {
      const isLast = writes === at;
      isDead ||= isLast && mode === 'before';
      if (isDead) throw new Error('dead');
      writes += 1;
      const answer = await write(...args);
      isDead = isLast;
      if (isDead) throw new Error('dead');
      return answer;
    };
  };
  const proxy = new Proxy(api, {
    get: (target, name) => {
      const value = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return WRITES.includes(name) ? mortal(value.bind(target)) : value.bind(target);
    },
  });
  return { api: proxy, writes: () => writes };
}

describe('a record in the API server', () => {
  test('row 64: two instances decide on the same version, and one of them is refused by the API server', async (context) => {
    const { trial, store } = await declared(context);
    const other = await trial.open(deaf(trial.api));
    context.after(() => other.stop());
    assert.equal(await other.store.readState('a/shop'), null);
    assert.equal((await store.record(change(0, { state: stateOf(null, { by: 'one' }) }))).kind, 'recorded');
    const late = await other.store.record(change(0, { state: stateOf(null, { by: 'other' }) }));
    assert.deepEqual(late, { kind: 'conflict' });
    assert.match((await other.store.readState('a/shop'))?.state ?? '', /"by":"one"/);
  });

  test('row 65: an instance that was stopped and goes on writes nothing over the one that took its place', async (context) => {
    const { trial, store } = await declared(context);
    const old = await trial.open(deaf(trial.api));
    context.after(() => old.stop());
    assert.equal((await old.store.record(step(0, { number: 1, to: 'app:v2' }))).kind, 'recorded');
    await trial.heard();
    await store.readState('a/shop');
    await store.record(step(1, { number: 1, to: 'app:v2', phase: 'promoting' }));
    const before = await trial.api.get(RELEASES, { namespace: 'a', name: 'shop-1' });
    assert.deepEqual(await old.store.record(step(1, { number: 1, to: 'app:v2', phase: 'aborting' })), {
      kind: 'conflict',
    });
    assert.deepEqual(await trial.api.get(RELEASES, { namespace: 'a', name: 'shop-1' }), before);
    assert.match((await old.store.readState('a/shop'))?.state ?? '', /"kind":"promoting"/);
  });

  test('row 71: what an instance before this one decided is read from the API server, however late it is heard of', async (context) => {
    const { trial, store } = await declared(context);
    const command = await trial.command({ verb: 'pause' });
    const late = await trial.open(deaf(trial.api));
    context.after(() => late.stop());
    await trial.setImage('app:v2');
    await trial.heard();
    const answers = [{ id: command.metadata.uid ?? '', document: '{"accepted":true,"message":"paused"}' }];
    await store.record(change(0, { answers }));
    await store.record(change(1));
    await store.record(change(2));
    const [declaration, state, pending] = await Promise.all([
      late.store.declaration('a/shop'),
      late.store.readState('a/shop'),
      late.store.pendingCommands('a/shop'),
    ]);
    assert.equal(state?.version, 3);
    assert.deepEqual(pending, []);
    assert.match(declaration?.document ?? '', new RegExp(V2));
  });

  test('row 69: a command whose answer could not be written is answered all the same, and told later', async (context) => {
    const { trial, store } = await declared(context);
    const { uid = '' } = (await trial.command({ verb: 'advance' })).metadata;
    await trial.heard();
    assert.equal((await store.pendingCommands('a/shop')).length, 1);
    failing(trial, 'patch', 'releasecommands');
    const answers = [{ id: uid, document: '{"accepted":true,"message":"advanced"}' }];
    assert.equal((await store.record(change(0, { answers }))).kind, 'recorded');
    assert.deepEqual(await store.pendingCommands('a/shop'), []);
    trial.memory.intercept = () => {};
    const next = await trial.open();
    context.after(() => next.stop());
    assert.deepEqual(await next.store.pendingCommands('a/shop'), []);
    await next.store.readState('a/shop');
    assert.match((await next.store.command(uid))?.answer ?? '', /advanced/);
  });

  test('I3: a Release that cannot be written blocks no decision, and is written whole as soon as it can be', async (context) => {
    const { trial, store } = await declared(context);
    await trial.setImage('app:v2');
    await trial.heard();
    await store.declaration('a/shop');
    failing(trial, 'create', 'releases');
    for (let version = 0; version < 3; version += 1) {
      assert.equal((await store.record(step(version, { number: 1, to: 'app:v2' }))).kind, 'recorded');
      assert.equal((await store.readState('a/shop'))?.version, version + 1);
    }
    assert.equal((await store.releases('a/shop')).length, 1);
    assert.deepEqual(store.templates.get('a/shop', V2), template('shop', 'app:v2'));
    trial.memory.intercept = () => {};
    await store.readState('a/shop');
    const release = await trial.api.get<ReleaseResource>(RELEASES, { namespace: 'a', name: 'shop-1' });
    assert.equal(release?.status?.journal?.length, 3);
    assert.deepEqual(release?.spec.template, template('shop', 'app:v2'));
    await store.record(step(3, { number: 1, to: 'app:v2' }));
    assert.equal((await trial.read())?.status?.record?.pending?.releases.length, 1);
  });

  test('a Release that another wrote meanwhile keeps its journal', async (context) => {
    const { trial, store } = await declared(context);
    await store.record(step(0, { number: 1, to: 'app:v2' }));
    const late = await trial.open(deaf(trial.api));
    context.after(() => late.stop());
    for (const version of [1, 2, 3]) await store.record(step(version, { number: 1, to: 'app:v2' }));
    assert.equal((await late.store.record(step(4, { number: 1, to: 'app:v2' }))).kind, 'recorded');
    const entries = await late.store.journal({ policy: 'a/shop' });
    assert.equal(entries.length, 5);
    assert.equal(checkChain(entries).kind, 'intact');
  });

  test('an object that is too large is an answer for its policy alone, a full etcd for all, until it is tried again', async (context) => {
    const { trial, store } = await declared(context);
    failing(trial, 'patch', 'releasepolicies', new KubeError('patch', 413, { message: 'limit is 3145728' }));
    assert.equal((await store.record(change(0))).kind, 'full');
    assert.deepEqual(await store.health(), { writable: true, message: '' });
    const space = new KubeError('patch', 500, { message: 'etcdserver: mvcc: database space exceeded' });
    failing(trial, 'patch', 'releasepolicies', space);
    assert.equal((await store.record(change(0))).kind, 'full');
    assert.equal((await store.health()).writable, false);
    trial.wallMs += 30_000;
    assert.equal((await store.health()).writable, true);
    trial.memory.intercept = () => {};
    assert.equal((await store.record(change(0))).kind, 'recorded');
  });

  test('what the admission policies read is in the same write: hands off, and how far stable may shrink', async (context) => {
    const { trial, store } = await declared(context);
    await store.record(step(0, { number: 1, to: 'app:v2' }));
    assert.equal((await trial.read())?.status?.floor, 4);
    assert.equal((await trial.read())?.status?.suspended, false);
    const ended = releaseOf({ number: 1, to: 'app:v2', phase: 'ended', endedAt: '2026-01-01T00:01:00.000Z' });
    await store.record(change(1, { state: stateOf(ended, { suspended: { actor: 'ann' } }) }));
    assert.equal((await trial.read())?.status?.floor, undefined);
    assert.equal((await trial.read())?.status?.suspended, true);
    assert.equal(store.isSuspended('a/shop'), true);
  });

  test('a record of a later program is refused, and nothing is written over it', async (context) => {
    const { trial, store } = await declared(context);
    await store.record(change(0));
    const body = { status: { record: { schema: 2 } } };
    await trial.api.patch(RELEASE_POLICIES, { namespace: 'a', name: 'shop' }, { type: 'merge', body }, STATUS);
    await trial.heard();
    await assert.rejects(store.readState('a/shop'), { code: 'record-too-new' });
    await assert.rejects(store.record(change(1)), { code: 'record-too-new' });
  });

  test('a journal too long for one object gives up its oldest entries, and the rest is still one chain', async (context) => {
    const { trial, store } = await declared(context);
    const long = 'x'.repeat(60_000);
    for (let version = 0; version < 12; version += 1) {
      const journal = [
        { release: 'a/shop-1', wallTime: '2026-01-01T00:00:00.000Z', document: JSON.stringify({ long }) },
      ];
      await store.record(step(version, { number: 1, to: 'app:v2' }, { journal }));
    }
    const kept = (await trial.api.get<ReleaseResource>(RELEASES, { namespace: 'a', name: 'shop-1' }))?.status?.journal;
    assert.ok(kept !== undefined && kept.length >= 5 && kept.length < 8, `${kept?.length} entries`);
    const [first, ...rest] = kept;
    assert.ok(first !== undefined);
    assert.equal(checkChain(rest, first).kind, 'intact');
    assert.equal(kept.at(-1)?.sequence, 12);
  });
});

describe('I6: killed at any write', () => {
  /** A whole life: two releases, a command, a change at rest. */
  const SCRIPT = [
    step(0, { number: 1, to: 'app:v2' }),
    step(1, { number: 1, to: 'app:v2', phase: 'promoting' }),
    step(2, { number: 1, to: 'app:v2', phase: 'ended', endedAt: '2026-01-01T00:01:00.000Z' }),
    change(3, {
      state: stateOf(null),
      journal: [{ release: null, wallTime: '2026-01-01T00:00:03.000Z', document: '{"sentence":"at rest"}' }],
    }),
    step(4, { number: 2, to: 'app:v1' }),
    step(5, { number: 2, to: 'app:v1', phase: 'ended', endedAt: '2026-01-01T00:02:00.000Z' }),
  ];

  async function live({ store, caches }: Instance): Promise<void> {
    for (;;) {
      const state = await store.readState('a/shop');
      const version = state?.version ?? 0;
      const next = SCRIPT[version];
      if (next === undefined) return;
      const [command] = await store.pendingCommands('a/shop');
      const answers =
        version === 1 && command !== undefined
          ? [{ id: command.id, document: '{"accepted":true,"message":"promoted"}' }]
          : [];
      const recorded = await store.record({ ...next, answers });
      assert.ok(recorded.kind === 'recorded' || recorded.kind === 'conflict', recorded.kind);
      assert.ok(caches.policies.isSynced);
    }
  }

  async function outcome(trial: StoreTrial) {
    const policy = await trial.read();
    const { items } = await trial.api.list<ReleaseResource>(RELEASES, { namespace: 'a' });
    const commands = await trial.api.list(RELEASE_COMMANDS, { namespace: 'a' });
    const last = await trial.open();
    const { store } = last;
    const seen = {
      record: { ...policy?.status?.record, pending: null },
      releases: items.map(({ metadata, spec, status }) => ({ name: metadata.name, spec, status })),
      answers: commands.items.map(({ status }) => status),
      pending: await store.pendingCommands('a/shop'),
      journal: await store.journal({ policy: 'a/shop' }),
      templates: [store.templates.get('a/shop', V2), store.templates.get('a/shop', versionOf('app:v1').revision)],
    };
    await last.stop();
    return seen;
  }

  async function world(): Promise<StoreTrial> {
    const trial = new StoreTrial();
    await trial.deployment('shop', 'app:v2');
    await trial.policy();
    await trial.command({ verb: 'promote' });
    return trial;
  }

  async function withDeath(at: number, mode: 'before' | 'after'): Promise<{ trial: StoreTrial; writes: number }> {
    const trial = await world();
    const mortal = mortalApi(trial.api, at, mode);
    const first = await trial.open(mortal.api);
    await first.store.declaration('a/shop').catch(() => null);
    await live(first).catch((error: Error) => assert.equal(error.message, 'dead'));
    await first.stop();
    const next = await trial.open();
    await next.store.declaration('a/shop');
    await live(next);
    await next.stop();
    return { trial, writes: mortal.writes() };
  }

  test('after any write, with and without its answer, the next instance comes to the same end', async () => {
    const whole = await withDeath(Number.POSITIVE_INFINITY, 'before');
    const expected = await outcome(whole.trial);
    assert.equal(expected.releases.length, 2);
    assert.equal(checkChain(expected.journal).kind, 'intact');
    assert.equal(expected.journal.length, 6);
    assert.match(JSON.stringify(expected.answers), /promoted/);
    assert.ok(whole.writes >= 15, `${whole.writes} writes`);
    for (let at = 0; at < whole.writes; at += 1) {
      for (const mode of ['before', 'after'] as const) {
        const { trial } = await withDeath(at, mode);
        assert.deepEqual(await outcome(trial), expected, `killed ${mode} write ${at}`);
      }
    }
  });
});
