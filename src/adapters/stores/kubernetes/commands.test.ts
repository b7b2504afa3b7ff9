import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  change,
  releaseOf,
  StoreTrial,
  stateOf,
  step,
  versionOf,
} from '../../../../test/support/kubernetes-store-trial.ts';
import { ANNOTATION } from '../../../cluster/names.ts';
import type { Command } from '../../../core/model/command.ts';
import { DEPLOYMENTS, RELEASE_COMMANDS, RELEASE_POLICIES, RELEASES } from '../../../kubernetes/index.ts';

async function declared(context: { after: (end: () => Promise<void>) => void }) {
  const trial = new StoreTrial();
  await trial.deployment();
  await trial.policy();
  const instance = await trial.open();
  context.after(() => instance.stop());
  await instance.store.declaration('a/shop');
  return { trial, ...instance };
}

describe('commands as objects', () => {
  test('what a person created is read with who the API server says it was', async (context) => {
    const { trial, store } = await declared(context);
    const given = { verb: 'promote', release: 'shop-3', reason: 'hotfix', actor: 'ann', skipAnalysis: true };
    const { metadata } = await trial.command(given);
    await trial.heard();
    const [pending] = await store.pendingCommands('a/shop');
    const command = JSON.parse(pending?.document ?? '{}') as Command;
    assert.deepEqual(command, {
      id: metadata.uid,
      policy: 'a/shop',
      wallTime: metadata.creationTimestamp,
      gate: null,
      revision: null,
      ...given,
      release: 'a/shop-3',
    });
    assert.deepEqual(await store.command(metadata.uid ?? ''), pending);
  });

  test('commands of one second are taken in the order they came', async (context) => {
    const { trial, store } = await declared(context);
    const verbs = ['pause', 'resume', 'abort'];
    for (const verb of verbs) await trial.command({ verb });
    await trial.heard();
    const pending = await store.pendingCommands('a/shop');
    assert.deepEqual(
      pending.map(({ document }) => (JSON.parse(document) as Command).verb),
      verbs,
    );
  });

  for (const kind of ['missing', 'unknown'] as const) {
    test(`where what stamps them is ${kind}, only the way back is taken, by nobody's name (I3)`, async (context) => {
      const { trial, store } = await declared(context);
      trial.stamp = { kind, why: 'haldane-actor is not installed' };
      const given = ['promote', 'abort', 'approve', 'pause', 'rollback', 'suspend'];
      for (const verb of given) await trial.command({ verb, actor: 'the boss' });
      await trial.heard();
      const taken = (await store.pendingCommands('a/shop')).map(({ document }) => JSON.parse(document) as Command);
      assert.deepEqual(
        taken.map(({ verb, actor }) => [verb, actor]),
        ['abort', 'pause', 'rollback'].map((verb) => [verb, 'unknown']),
      );
      const { items } = await trial.api.list(RELEASE_COMMANDS);
      const answers = items.map(({ status }) => status as { accepted?: boolean; message?: string } | undefined);
      const refused = answers.filter((answer) => answer?.accepted === false);
      // What is only not known yet waits, and is taken when it is known.
      assert.equal(refused.length, kind === 'missing' ? 3 : 0);
      for (const answer of refused) assert.match(answer?.message ?? '', /haldane-actor is not installed/);
      trial.stamp = { kind: 'there' };
      await trial.heard();
      assert.equal((await store.pendingCommands('a/shop')).length, kind === 'missing' ? 3 : 6);
    });
  }

  test('a refusal that cannot be written keeps no abort waiting (I3)', async (context) => {
    const { trial, store } = await declared(context);
    trial.stamp = { kind: 'missing', why: 'haldane-verbs is not bound' };
    for (const verb of ['promote', 'abort']) await trial.command({ verb });
    await trial.heard();
    trial.memory.intercept = (verb) => {
      if (verb === 'patch') throw new Error('the API server is busy');
    };
    const [taken] = await store.pendingCommands('a/shop');
    assert.equal((JSON.parse(taken?.document ?? '{}') as Command).verb, 'abort');
  });

  test('a command that was deleted is not carried out', async (context) => {
    const { trial, store } = await declared(context);
    const { metadata } = await trial.command({ verb: 'abort' });
    await trial.api.delete(RELEASE_COMMANDS, metadata);
    await trial.heard();
    assert.deepEqual(await store.pendingCommands('a/shop'), []);
    const answers = [{ id: metadata.uid ?? '', document: '{"accepted":false,"message":"too late"}' }];
    assert.equal((await store.record(change(0, { answers }))).kind, 'recorded');
  });

  test('the last 20 answered ones of a policy are kept, and all that wait', async (context) => {
    const { trial, store } = await declared(context);
    const made = [];
    for (let number = 0; number < 24; number += 1) made.push(await trial.command({ verb: 'pause' }));
    await trial.heard();
    const answers = made.slice(0, 23).map(({ metadata }) => ({
      id: metadata.uid ?? '',
      document: '{"accepted":true,"message":"paused"}',
    }));
    await store.record(change(0, { answers }));
    const kept = (await trial.api.list(RELEASE_COMMANDS)).items.map(({ metadata }) => metadata.uid);
    assert.deepEqual(
      kept,
      made.slice(3).map(({ metadata }) => metadata.uid),
    );
    assert.equal((await store.pendingCommands('a/shop')).length, 1);
  });
});

describe('releases as objects', () => {
  test('one whose version may still be needed is kept, however old', async (context) => {
    const { trial, store } = await declared(context);
    const images = ['app:v1', 'app:v2', 'app:v3', 'app:v4'];
    for (const [version, to] of images.entries()) {
      const release = releaseOf({ number: version + 1, to });
      const state = stateOf(release, { stable: versionOf('app:v1'), known: [] });
      await store.record(step(version, { number: version + 1, to }, { state, keepReleases: 2 }));
    }
    const names = (await trial.api.list(RELEASES)).items.map(({ metadata }) => metadata.name);
    assert.deepEqual(names, ['shop-1', 'shop-3', 'shop-4']);
  });

  test('what kubectl prints of a release is written with it, and Kubernetes takes it away with its policy', async (context) => {
    const { trial, store } = await declared(context);
    await store.record(step(0, { number: 1, to: 'app:v2' }));
    const ended = { number: 1, to: 'app:v2', phase: 'ended', endedAt: '2026-01-01T00:01:00.000Z' };
    await store.record(step(1, ended));
    const release = await trial.api.get(RELEASES, { namespace: 'a', name: 'shop-1' });
    const { document: _document, journal: _journal, ...columns } = (release?.status ?? {}) as Record<string, unknown>;
    assert.deepEqual(columns, {
      phase: 'ended',
      weight: '5 %',
      verdict: 'undecided (errors)',
      startedAt: '2026-01-01T00:00:00.000Z',
      endedAt: '2026-01-01T00:01:00.000Z',
      outcome: 'promoted',
      sentence: 'no harm was found',
    });
    assert.equal(release?.metadata.ownerReferences?.[0]?.kind, 'ReleasePolicy');
    assert.deepEqual(release?.spec, {
      policy: 'shop',
      number: 1,
      revision: versionOf('app:v2').revision,
      label: 'v2',
      document: JSON.stringify(releaseOf({ number: 1, to: 'app:v2' }).policy),
    });
  });
});

describe('row 22: news of the cluster', () => {
  test('a new template, a lock, a changed spec, a command and the end of a policy are news; what Haldane writes into a status is none', async (context) => {
    const { trial, store } = await declared(context);
    const told: string[] = [];
    const stop = store.watch((policy) => told.push(policy));
    const news = async (what: () => Promise<unknown>) => {
      told.length = 0;
      await what();
      await trial.heard();
      return told.length;
    };
    const at = { namespace: 'a', name: 'shop' };
    const merge = (body: object) => ({ type: 'merge', body }) as const;
    await news(() => trial.setImage('app:v0'));
    await news(() => trial.api.patch(RELEASE_POLICIES, at, merge({ spec: { historyLimit: 1 } })));
    assert.equal(await news(() => store.record(step(0, { number: 1, to: 'app:v2' }))), 0);
    assert.equal(await news(() => trial.setImage('app:v2')), 1);
    const status = merge({ status: { replicas: 1 } });
    assert.equal(await news(() => trial.api.patch(DEPLOYMENTS, at, status, { subresource: 'status' })), 0);
    const locked = merge({ metadata: { annotations: { [ANNOTATION.lock]: '{}' } } });
    assert.equal(await news(() => trial.api.patch(DEPLOYMENTS, at, locked)), 1);
    assert.equal(await news(() => trial.api.patch(RELEASE_POLICIES, at, merge({ spec: { historyLimit: 2 } }))), 1);
    assert.equal(await news(() => trial.command({ verb: 'pause' })), 1);
    assert.equal(await news(() => trial.deployment('other')), 0);
    assert.equal(await news(() => trial.api.delete(RELEASE_POLICIES, at)), 1);
    assert.equal(await news(() => store.finish('a/shop')), 1);
    stop();
    assert.equal(await news(() => trial.policy()), 0);
  });
});
