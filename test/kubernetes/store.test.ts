/** The store on a real API server: its one guarded patch, what its schema takes, what the garbage collector does, and too much. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { EventNotifier } from '../../src/adapters/notifiers/events.ts';
import type { ReleaseResource } from '../../src/adapters/stores/kubernetes/documents.ts';
import { FINALIZER } from '../../src/cluster/names.ts';
import type { ReleasePolicy } from '../../src/core/model/policy.ts';
import { compileObject } from '../../src/core/policy/index.ts';
import {
  clusterConfigOf,
  EVENTS,
  HttpKubeApi,
  RELEASE_COMMANDS,
  RELEASE_POLICIES,
  RELEASES,
} from '../../src/kubernetes/index.ts';
import { silentLog } from '../../src/lib/log.ts';
import { sha256Hex } from '../../src/lib/sha256.ts';
import { checkChain, type StateChange } from '../../src/ports/index.ts';
import {
  change,
  type Instance,
  StoreTrial,
  stateOf,
  step,
  template,
  versionOf,
} from '../support/kubernetes-store-trial.ts';
import { Namespace, noCluster } from './cluster.ts';

const V2 = versionOf('app:v2');

describe('the store on a real API server', { skip: noCluster }, () => {
  const space = new Namespace('store');
  let api: HttpKubeApi;
  let trial: StoreTrial;
  let instance: Instance;

  before(async () => {
    space.create();
    const config = clusterConfigOf({ kubeconfig: null, context: null, env: process.env });
    api = new HttpKubeApi({ config, userAgent: 'haldane-test' });
    trial = new StoreTrial(api, space.name);
    instance = await trial.open();
  });

  after(async () => {
    await instance?.stop();
    // Claimed policies wait for their workload to be given back, and nobody is there to do it.
    for (const { metadata } of (await api.list(RELEASE_POLICIES, { namespace: space.name })).items) {
      await api.patch(RELEASE_POLICIES, metadata, { type: 'merge', body: { metadata: { finalizers: [] } } });
    }
    await api.close();
    space.remove();
  });

  /** Revisions are those of the templates as the API server fills them in. */
  async function began(name: string) {
    await trial.deployment(name);
    await trial.policy(name, { ...SPEC, workload: { deployment: { name } } });
    const key = `${space.name}/${name}`;
    await eventually(async () => (await instance.store.declaration(key)) !== null);
    const own = (made: StateChange): StateChange => {
      const id = (old: string) => old.replace('a/shop', key);
      return {
        ...made,
        policy: key,
        journal: made.journal.map((entry) => ({
          ...entry,
          release: entry.release === null ? null : id(entry.release),
        })),
        releases: made.releases.map((release) => ({ ...release, id: id(release.id) })),
      };
    };
    return { key, own, at: { namespace: space.name, name } };
  }

  test('row 64: the first record and each after it hold only for the version they were decided on', async () => {
    const { key, own, at } = await began('guarded');
    const { store } = instance;
    const other = await trial.open();
    assert.equal(await other.store.readState(key), null);
    assert.deepEqual(await store.record(own(change(0, { state: stateOf(null, { by: 'one' }) }))), {
      kind: 'recorded',
      version: 1,
    });
    const stale = other.store.record(own(change(0, { state: stateOf(null, { by: 'other' }) })));
    assert.deepEqual(await stale, { kind: 'conflict' });
    assert.match((await other.store.readState(key))?.state ?? '', /"by":"one"/);
    assert.equal((await store.record(own(change(1)))).kind, 'recorded');
    assert.equal((await store.record(own(change(1)))).kind, 'conflict');
    await other.stop();
    const policy = await api.get(RELEASE_POLICIES, at);
    assert.deepEqual(policy?.metadata.finalizers, [FINALIZER]);
  });

  test('row 64: of many writers of one version exactly one is heard, by the API server alone', async () => {
    const { own, key } = await began('raced');
    const others = await Promise.all([1, 2, 3, 4].map(() => trial.open()));
    for (const { store } of others) assert.equal(await store.readState(key), null);
    const results = await Promise.all(others.map(({ store }) => store.record(own(change(0)))));
    assert.deepEqual(results.map(({ kind }) => kind).sort(), ['conflict', 'conflict', 'conflict', 'recorded']);
    await Promise.all(others.map((each) => each.stop()));
  });

  test('the first record goes beside conditions that were written before it, and leaves them alone', async () => {
    const name = 'missing';
    const at = { namespace: space.name, name };
    await trial.policy(name, { ...SPEC, workload: { deployment: { name } } });
    const key = `${space.name}/${name}`;
    await eventually(async () => {
      assert.equal(await instance.store.declaration(key), null);
      return space.ask(['get', 'releasepolicy', name, '-o', 'jsonpath={.status.conditions[*].reason}']).text !== '';
    });
    await trial.deployment(name);
    await eventually(async () => (await instance.store.declaration(key)) !== null);
    assert.equal((await instance.store.record({ ...change(0), policy: key })).kind, 'recorded');
    const { status } = (await api.get(RELEASE_POLICIES, at)) as { status: Record<string, unknown> };
    assert.match(JSON.stringify(status.conditions), /DeploymentMissing/);
    assert.equal(status.suspended, false);
  });

  test('I6: a Release keeps template, document and journal as they were given, for the next instance', async () => {
    const { own, key, at } = await began('kept');
    const { metadata } = await trial.command({ policy: 'kept', verb: 'pause', reason: 'to look' });
    await eventually(async () => (await instance.store.pendingCommands(key)).length === 1);
    const answers = [{ id: metadata.uid ?? '', document: '{"accepted":true,"message":"paused"}' }];
    await trial.setImage('app:v2', 'kept');
    const wanted = async () => {
      const { document = '{}' } = (await instance.store.declaration(key)) ?? {};
      return (JSON.parse(document) as { version: { label: string; revision: string } }).version;
    };
    await eventually(async () => (await wanted()).label === 'v2');
    const { revision } = await wanted();
    const real = (made: StateChange) => JSON.parse(JSON.stringify(own(made)).replaceAll(V2.revision, revision));
    const late = await trial.open();
    await late.store.readState(key);
    for (const version of [0, 1, 2]) {
      const more = version === 1 ? { answers } : {};
      const recorded = await instance.store.record(real(step(version, { number: 1, to: 'app:v2' }, more)));
      assert.equal(recorded.kind, 'recorded');
    }
    const release = await api.get<ReleaseResource>(RELEASES, { ...at, name: 'kept-1' });
    const images = release?.spec.template?.spec.containers.map(({ image }) => image);
    assert.deepEqual(
      images,
      template('kept', 'app:v2').spec.containers.map(({ image }) => image),
    );
    const next = await trial.open();
    assert.equal((await next.store.readState(key))?.version, 3);
    assert.deepEqual(next.store.templates.get(key, revision), release?.spec.template);
    const entries = await next.store.journal({ policy: key });
    assert.equal(entries.length, 3);
    assert.equal(checkChain(entries).kind, 'intact');
    assert.deepEqual(await next.store.pendingCommands(key), []);
    assert.match((await next.store.command(metadata.uid ?? ''))?.answer ?? '', /paused/);
    const recorded = await late.store.record(real(step(3, { number: 1, to: 'app:v2', phase: 'ended' })));
    assert.equal(recorded.kind, 'recorded');
    assert.equal((await late.store.journal({ policy: key })).length, 4);
    await Promise.all([next.stop(), late.stop()]);
  });

  test('what is too large for one object is an answer, and nothing of it is written', async () => {
    const { own, key } = await began('large');
    const { store } = instance;
    await store.record(own(change(0)));
    for (const characters of [800_000, 4_000_000]) {
      const state = stateOf(null, { large: 'x'.repeat(characters) });
      const full = await store.record(own(change(1, { state })));
      assert.equal(full.kind, 'full', JSON.stringify(full).slice(0, 300));
    }
    assert.equal((await store.readState(key))?.version, 1);
    assert.equal((await store.health()).writable, true);
  });

  test('row 78: a policy goes when its workload was given back, with its Releases and commands', async () => {
    const { own, key, at } = await began('ended');
    const { store } = instance;
    await store.record(own(step(0, { number: 1, to: 'app:v2' })));
    await trial.command({ policy: 'ended', verb: 'pause' });
    await eventually(async () => (await store.pendingCommands(key)).length === 1);
    assert.equal(space.ask(['delete', 'releasepolicy', 'ended', '--wait=false']).code, 0);
    await eventually(async () => (await store.declaration(key))?.removed === true);
    assert.notEqual(await api.get(RELEASE_POLICIES, at), null);
    await store.finish(key);
    assert.equal(await api.get(RELEASE_POLICIES, at), null);
    await eventually(async () => (await api.get(RELEASES, { ...at, name: 'ended-1' })) === null);
    const { items } = await api.list<{ spec: { policy: string }; metadata: { name: string } }>(RELEASE_COMMANDS, {
      namespace: space.name,
    });
    assert.deepEqual(
      items.filter(({ spec }) => spec.policy === 'ended'),
      [],
    );
  });

  test('a policy as people write it is declared by the real compiler, and an Event is taken by the API server', async () => {
    const real = new StoreTrial(api, space.name);
    real.compile = (object) => compileObject(object, { hash: sha256Hex });
    const { key, at } = await began('compiled');
    const { store, caches, stop } = await real.open();
    const { document = '{}' } = (await store.declaration(key)) ?? {};
    assert.equal((JSON.parse(document) as { policy: ReleasePolicy }).policy.name, key);
    const wallTime = () => new Date().toISOString();
    const events = new EventNotifier({ api, policies: caches.policies, wallTime, identity: 'test', log: silentLog });
    const message = { key: 'k', kind: 'promoted', release: `${key}-1`, sentence: 'v2 for everybody' } as const;
    for (const _twice of [1, 2]) await events.notify({ name: key } as ReleasePolicy, message);
    await events.settled();
    const { items } = await api.list(EVENTS, {
      namespace: space.name,
      fieldSelector: `involvedObject.name=${at.name}`,
    });
    assert.equal(items.length, 1);
    await stop();
  });
});

const SPEC = { router: { replicaShare: { service: 'shop' } }, metrics: { pods: {} } };

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await holds()) return;
    await delay(100);
  }
  assert.fail('not within 10 seconds');
}
