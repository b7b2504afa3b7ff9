import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canaryName, policyKey } from './names.ts';
import type { Deployment, Pod, ReplicaSet } from './objects.ts';
import { isRolledOut, lockOf, placesOf } from './places.ts';
import { isUp, troubleOf } from './pods.ts';
import { type PodTemplate, templateLabel, templateRevision } from './revision.ts';

const template = (image: string, metadata: object = {}): PodTemplate => ({
  metadata: { labels: { app: 'shop' }, ...metadata },
  spec: { containers: [{ name: 'app', image }] },
});
const A = templateRevision(template('app:v1'));
const B = templateRevision(template('app:v2'));

function deployment(image: string, spec: object = {}, annotations: Record<string, string> = {}): Deployment {
  return {
    metadata: { name: 'shop', namespace: 'a', uid: 'd', annotations },
    spec: { replicas: 3, selector: {}, template: template(image), ...spec },
  };
}

function set(
  image: string,
  replicas: number,
  more: { readonly at?: number; readonly metadata?: object } = {},
): ReplicaSet {
  const { at = 0, metadata = {} } = more;
  return {
    metadata: {
      name: `shop-${image}-${at}`,
      uid: `${image}-${at}`,
      creationTimestamp: `2026-01-01T00:00:0${at}Z`,
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop', uid: 'd', controller: true }],
    },
    spec: { replicas, template: template(image, { labels: { app: 'shop', 'pod-template-hash': 'x' }, ...metadata }) },
  };
}

const look = (of: Deployment, replicaSets: readonly ReplicaSet[]) =>
  placesOf({ deployment: of, canary: null, replicaSets, pods: [] }).stable;
const said = (of: Deployment, sets: readonly ReplicaSet[]) => {
  const { serving, heading } = look(of, sets);
  return [serving, heading];
};

describe('what a Deployment serves and heads for', () => {
  test('at rest: its only set with replicas', () => {
    assert.deepEqual(said(deployment('app:v1'), [set('app:v1', 3)]), [A, A]);
  });

  test('held: what was there before, and no other', () => {
    assert.deepEqual(said(deployment('app:v2', { paused: true }), [set('app:v1', 3)]), [A, A]);
  });

  test('rolling without a lock: the older one, and the template that is written', () => {
    assert.deepEqual(said(deployment('app:v2'), [set('app:v1', 2), set('app:v2', 2, { at: 1 })]), [A, B]);
    assert.deepEqual(said(deployment('app:v2'), [set('app:v2', 2), set('app:v1', 2, { at: 1 })]), [A, B]);
  });

  test('under a lock: as the lock has it, though another has it all already', () => {
    const lock = JSON.stringify({ verb: 'promote', serving: A, to: B, waiting: null });
    assert.deepEqual(said(deployment('app:v2', {}, { 'haldane.dev/lock': lock }), [set('app:v2', 3)]), [A, B]);
  });

  test('scaled to 0: what would come up, as the Deployment controller chooses', () => {
    const sets = [set('app:v1', 0), set('app:v2', 0, { at: 1 })];
    assert.deepEqual(said(deployment('app:v1', { replicas: 0 }), sets), [A, A]);
    assert.deepEqual(said(deployment('app:v3', { replicas: 0, paused: true }), sets), [B, B]);
    assert.deepEqual(said(deployment('app:v1', { replicas: 0, paused: true }), sets), [A, A]);
  });

  test('new: nothing yet', () => {
    assert.deepEqual(said(deployment('app:v1'), []), [null, A]);
  });

  test('a restart is the same version, and sets of others are nobody’s', () => {
    const restarted = set('app:v1', 2, {
      at: 1,
      metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': 'now' } },
    });
    const other = { ...set('app:v2', 9), metadata: { name: 'other', uid: 'other' } };
    assert.deepEqual(look(deployment('app:v1'), [set('app:v1', 1), restarted, other]).active, [A]);
  });
});

describe('a lock', () => {
  const of = (text: string) => lockOf(deployment('app:v1', {}, { 'haldane.dev/lock': text }));

  test('that cannot be read is none', () => {
    for (const text of [
      '',
      '{',
      'null',
      '{"verb":"eat","to":"b"}',
      '{"verb":"promote","to":7}',
      '{"verb":"restore","to":"b","waiting":{}}',
    ]) {
      assert.equal(of(text), null, text);
      assert.equal(look(deployment('app:v1', {}, { 'haldane.dev/lock': text }), [set('app:v1', 3)]).isLockBroken, true);
    }
  });

  test('is read as it was written', () => {
    const lock = { verb: 'restore', serving: A, to: A, waiting: B, halted: 'the tag moved' };
    assert.deepEqual(of(JSON.stringify(lock)), lock);
  });
});

test('a roll is complete as kubectl rollout status has it', () => {
  const whole = { observedGeneration: 2, replicas: 3, updatedReplicas: 3, availableReplicas: 3 };
  const rolled = (status: object, generation = 2) =>
    isRolledOut({ ...deployment('app:v1'), metadata: { name: 'shop', generation }, status: { ...whole, ...status } });
  assert.equal(rolled({}), true);
  assert.equal(rolled({}, 3), false);
  assert.equal(rolled({ updatedReplicas: 2 }), false);
  assert.equal(rolled({ replicas: 4 }), false);
  assert.equal(rolled({ availableReplicas: 2 }), false);
});

describe('trouble of a pod', () => {
  const pod = (status: object, spec: object = {}): Pod => ({ metadata: { name: 'p' }, spec, status });
  const waiting = (reason: string, more: object = {}) => ({ name: 'app', state: { waiting: { reason } }, ...more });

  test('an init container that fails is named, though the others only wait for it', () => {
    const failed = waiting('CrashLoopBackOff', {
      name: 'migrate',
      restartCount: 2,
      lastState: { terminated: { exitCode: 3 } },
    });
    const containerStatuses = [waiting('PodInitializing')];
    assert.equal(
      troubleOf(pod({ initContainerStatuses: [failed], containerStatuses })),
      'p: migrate CrashLoopBackOff, exit code 3, 2 restarts',
    );
  });

  test('starting is none, nor is an init container that came through at its second try', () => {
    const done = { name: 'migrate', restartCount: 1, state: { terminated: { exitCode: 0, reason: 'Completed' } } };
    const containerStatuses = [waiting('ContainerCreating')];
    assert.equal(troubleOf(pod({ initContainerStatuses: [done], containerStatuses })), null);
  });

  test('a pod behind the router’s gate is up when every other gate is', () => {
    const spec = { readinessGates: [{ conditionType: 'haldane.dev/traffic' }, { conditionType: 'other' }] };
    const conditions = [{ type: 'ContainersReady', status: 'True' }];
    assert.equal(isUp(pod({ conditions }, spec)), false);
    assert.equal(isUp(pod({ conditions: [...conditions, { type: 'other', status: 'True' }] }, spec)), true);
    assert.equal(isUp(pod({ conditions })), false);
  });
});

test('names: of a policy as namespace/name, of a canary within what a Service may be called', () => {
  assert.deepEqual(policyKey('a/shop'), { namespace: 'a', name: 'shop' });
  for (const text of ['shop', '/shop', 'a/', 'a/b/c']) assert.throws(() => policyKey(text), { code: 'policy-key' });
  assert.equal(canaryName('x'.repeat(80)).length, 63);
});

test('a version is called by its tag, else by its digest, else by its revision', () => {
  const digest = `sha256:${'ab'.repeat(32)}`;
  assert.equal(templateLabel(template('r:5000/app:v2'), null), 'v2');
  assert.equal(templateLabel(template(`app:v2@${digest}`), 'app'), 'v2');
  assert.equal(templateLabel(template(`app@${digest}`), 'app'), 'abababababab');
  assert.equal(templateLabel(template('app'), null), templateRevision(template('app')));
});
