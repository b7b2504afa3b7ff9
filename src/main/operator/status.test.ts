import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inputOf, sampleWorld } from '../../../test/views/samples.ts';
import type { PolicyView } from '../../controller/index.ts';
import { MemoryKubeApi } from '../../kubernetes/doubles/index.ts';
import { LeaderLease } from '../../kubernetes/index.ts';
import { silentLog } from '../../lib/log.ts';
import { leaseNameOf } from './lease-name.ts';
import { type StatusInput, statusOf } from './status.ts';

const version = (label: string) => ({ revision: `rev-${label}`, label, template: { kind: 'deployment', images: [] } });

function view(changes: object = {}, state: object = {}): PolicyView {
  return {
    name: 'shop/web',
    generation: 1,
    policy: null,
    declared: version('v1'),
    state: { stable: version('v1'), release: null, waiting: null, suspended: null, ...state },
    decision: {
      conditions: [],
      because: 'v1 serves everyone',
      next: { what: 'a new version', inMs: null, unless: null },
      can: [],
    },
    seen: null,
    trouble: null,
    owed: [],
    wallTime: '2026-01-01T00:00:00Z',
    looks: 1,
    ...changes,
  } as unknown as PolicyView;
}

function status(of: PolicyView, more: Partial<StatusInput> = {}) {
  const input = {
    sharePercent: null,
    generation: 3,
    deployment: { name: 'web', generation: 7 },
    refusal: null,
    before: [],
    wallTime: 'now',
    ...more,
  };
  return statusOf({ view: of, ...input });
}

const is = (of: ReturnType<typeof status>, type: string) =>
  of.conditions.find((condition) => condition.type === type)?.status;

const release = (phase: object, more: object = {}) => ({
  id: 'shop/web-2',
  from: version('v1'),
  to: version('v2'),
  weightPercent: 25,
  phase,
  policy: { checks: [] },
  awaiting: null,
  verdicts: [
    { check: 'errors', outcome: 'pass' },
    { check: 'latency', outcome: 'undecided' },
  ],
  ...more,
});

describe('the status of a policy', () => {
  test('at rest with what its owner wrote it is Ready and Promoted, of this generation of both objects', () => {
    const at = status(view());
    assert.deepEqual(
      [is(at, 'Ready'), is(at, 'Reconciling'), is(at, 'Stalled'), is(at, 'Promoted')],
      ['True', 'False', 'False', 'True'],
    );
    assert.equal(at.observedGeneration, 3);
    assert.deepEqual(at.workload, { deployment: 'web', observedGeneration: 7 });
    assert.ok(at.conditions.every(({ observedGeneration }) => observedGeneration === 3));
  });

  test('what comes next names the checks that it still needs, and the person it waits for', () => {
    const world = sampleWorld();
    world.runFor(30_000);
    const seen = (more: object = {}) => {
      const input = inputOf(world);
      const { state } = input;
      const under = state === null || state.release === null ? null : { ...state.release, id: 'shop/web-2', ...more };
      return status(view({ decision: input.decision, declared: version('v2') }, { ...state, release: under })).next;
    };
    assert.match(String(seen()), /^\d+ % in .* once errors passes$/);
    assert.match(String(seen({ awaiting: 'approval' })), /% after an approval$/);
  });

  test('hands off is told where people look first', () => {
    const world = sampleWorld();
    world.runUntil((w) => w.state.stable?.label === 'v2', 3_600_000);
    world.command('suspend', { reason: 'night shift' });
    world.runFor(2_000);
    const { decision, state } = inputOf(world);
    assert.match(String(status(view({ decision }, state ?? {})).next), /hands off.*until unsuspend/);
  });

  test('as soon as another template stands in the Deployment it is not Promoted any more', () => {
    const at = status(view({ declared: version('v2') }));
    assert.deepEqual([is(at, 'Ready'), is(at, 'Promoted')], ['False', 'False']);
  });

  test('while a release is under way it is Reconciling, and the columns say who, how much and what keeps it', () => {
    const at = status(view({ declared: version('v2') }, { release: release({ kind: 'testing', stage: 1 }) }));
    assert.deepEqual([is(at, 'Ready'), is(at, 'Reconciling'), is(at, 'Promoted')], ['False', 'True', 'False']);
    assert.deepEqual(
      [at.version, at.weight, at.verdict, at.release],
      ['v1 -> v2', '25 %', 'undecided (latency)', 'web-2'],
    );
  });

  test('the share is the one that was counted, not the weight; where nothing was counted there is none', () => {
    const under = view({}, { release: release({ kind: 'testing', stage: 1 }) });
    assert.equal(status(under, { sharePercent: 23.84 }).share, '23.8 %');
    assert.equal(status(under).share, null);
    assert.equal(status(view(), { sharePercent: 25 }).share, null, 'at rest');
  });

  test('taken back, it is Aborted and Stalled: the template waits, and nothing goes on by itself', () => {
    const outcome = { kind: 'aborted', by: 'verdict', check: 'errors', sentence: 'errors: 6 of 98' };
    const waiting = { version: version('v2'), why: 'known as aborted', sentence: 'v2 waits' };
    const at = status(view({ declared: version('v2') }, { release: release({ kind: 'ended', outcome }), waiting }));
    assert.deepEqual(
      [is(at, 'Ready'), is(at, 'Stalled'), is(at, 'Aborted'), is(at, 'Promoted')],
      ['False', 'True', 'True', 'False'],
    );
    assert.equal(at.version, 'v1 (v2 waits)');
  });

  test('a policy that is refused, trouble, and an effect that fails again and again are said', () => {
    const reason = (of: ReturnType<typeof status>) => of.conditions.find(({ type }) => type === 'Stalled')?.reason;
    assert.equal(reason(status(view(), { refusal: 'spec.router: ...' })), 'PolicyRefused');
    assert.equal(reason(status(view({ trouble: 'forbidden' }))), 'Trouble');
    assert.equal(
      reason(status(view({ owed: [{ effect: 'ensureSplit', message: 'refused', failures: 3 }] }))),
      'EffectFails',
    );
    assert.equal(
      reason(status(view({ owed: [{ effect: 'ensureSplit', message: 'refused', failures: 2 }] }))),
      'NotStalled',
    );
  });

  test('a condition keeps its time until its status changes', () => {
    const before = status(view(), { wallTime: 'then' }).conditions;
    const same = status(view(), { before, wallTime: 'later' });
    assert.ok(same.conditions.every(({ lastTransitionTime }) => lastTransitionTime === 'then'));
    const changed = status(view({ declared: version('v2') }), { before, wallTime: 'later' });
    const ready = changed.conditions.find(({ type }) => type === 'Ready');
    assert.equal(ready?.lastTransitionTime, 'later');
  });
});

test('row 67: two installations side by side have a lease each, and both are held', async () => {
  const api = new MemoryKubeApi();
  const clock = {
    now: () => performance.now(),
    sleep: async (ms: number) => new Promise<void>((done) => setTimeout(done, Math.min(ms, 5))),
  };
  const held = await Promise.all(
    [null, 'shop'].map(async (namespace) => {
      const options = {
        api,
        namespace: 'haldane-system',
        name: leaseNameOf(namespace),
        identity: `of ${namespace}`,
        clock,
      };
      const lease = new LeaderLease({
        ...options,
        wallTime: () => '2026-01-01T00:00:00.000Z',
        random: () => 0.5,
        log: silentLog,
      });
      const end = new AbortController();
      const gained = new Promise<boolean>((resolve) => lease.onGained(() => resolve(lease.isHeld)));
      const running = lease.run(end.signal);
      const isHeld = await gained;
      end.abort();
      await running;
      return isHeld;
    }),
  );
  assert.deepEqual(held, [true, true]);
});
