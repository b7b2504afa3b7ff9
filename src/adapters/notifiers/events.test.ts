import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { NotifyMessage } from '../../core/model/effect.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import { MemoryKubeApi } from '../../kubernetes/doubles/index.ts';
import { EVENTS, KubeError, type KubeObject, RELEASE_POLICIES, ResourceCache } from '../../kubernetes/index.ts';
import { createLog, silentLog } from '../../lib/log.ts';
import { EventNotifier } from './events.ts';

const POLICY = { name: 'a/shop' } as unknown as ReleasePolicy;

async function started(context: { after: (end: () => Promise<void>) => void }) {
  const api = new MemoryKubeApi();
  const lines: string[] = [];
  const policy = await api.create(RELEASE_POLICIES, { metadata: { namespace: 'a', name: 'shop' } });
  const clock = { now: () => 0, sleep: async () => {} };
  const policies = new ResourceCache({ api, resource: RELEASE_POLICIES, clock, random: () => 0, log: silentLog });
  policies.start();
  await policies.whenSynced();
  context.after(() => policies.stop());
  const wallTime = () => '2026-01-01T00:00:00.000Z';
  const log = createLog({ level: 'warn', format: 'json', write: (line) => lines.push(line), wallTime });
  const events = new EventNotifier({ api, policies, wallTime, identity: 'one', log });
  const written = async () => {
    await events.settled();
    return (await api.list<KubeObject & { reason: string; message: string; type: string }>(EVENTS)).items;
  };
  return { api, policy, events, written, lines };
}

function message(
  kind: NotifyMessage['kind'],
  key: string,
  sentence = 'v2 gets 25 %: 12,000 requests, no harm',
): NotifyMessage {
  return { key, kind, release: 'a/shop-1', sentence };
}

describe('news as Events of Kubernetes', () => {
  test('an Event on the policy has the sentence with its numbers, and a warning is one', async (context) => {
    const { policy, events, written } = await started(context);
    await events.notify(POLICY, message('advanced', 'k1'));
    await events.notify(POLICY, message('aborted', 'k2', 'errors: 2.1 % against 0.1 %'));
    const [advanced, aborted] = await written();
    assert.deepEqual(
      [advanced?.type, advanced?.reason, advanced?.message],
      ['Normal', 'Advanced', 'v2 gets 25 %: 12,000 requests, no harm'],
    );
    assert.deepEqual([aborted?.type, aborted?.reason], ['Warning', 'Aborted']);
    assert.deepEqual(advanced?.involvedObject, {
      apiVersion: 'haldane.dev/v1alpha1',
      kind: 'ReleasePolicy',
      namespace: 'a',
      name: 'shop',
      uid: policy.metadata.uid,
    });
  });

  test('told twice it is one Event, also by another instance', async (context) => {
    const { events, written, lines } = await started(context);
    await events.notify(POLICY, message('promoted', 'k1'));
    await events.notify(POLICY, message('promoted', 'k1'));
    assert.equal((await written()).length, 1);
    assert.deepEqual(lines, []);
  });

  test('a long sentence is cut to what an Event may hold, in whole characters', async (context) => {
    const { events, written } = await started(context);
    await events.notify(POLICY, message('held', 'k1', `x${'ü'.repeat(900)}`));
    const [event] = await written();
    assert.equal(event?.message, `x${'ü'.repeat(511)}`);
  });

  test('row 77: an API server that does not answer delays nobody, and not everything waits for it', async (context) => {
    const { api, events, written, lines } = await started(context);
    let answer: () => void = () => {};
    const silence = new Promise<void>((resolve) => {
      answer = resolve;
    });
    api.intercept = async (verb) => (verb === 'create' ? silence : undefined);
    for (let number = 0; number < 600; number += 1) await events.notify(POLICY, message('advanced', `k${number}`));
    assert.equal(lines.length, 100);
    answer();
    assert.equal((await written()).length, 500);
    await events.notify(POLICY, message('advanced', 'later'));
    assert.equal((await written()).length, 501);
  });

  test('an Event that is refused is logged, and the next one is written', async (context) => {
    const { api, events, written, lines } = await started(context);
    api.intercept = (verb) => {
      api.intercept = () => {};
      if (verb === 'create') throw new KubeError('create', 403, { message: 'forbidden' });
    };
    await events.notify(POLICY, message('started', 'k1'));
    await events.notify(POLICY, message('promoted', 'k2'));
    assert.equal((await written()).length, 1);
    assert.equal(lines.length, 1);
  });
});
