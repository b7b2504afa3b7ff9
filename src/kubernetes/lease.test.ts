import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../lib/log.ts';
import { MemoryKubeApi } from './doubles/index.ts';
import { FencedOut } from './errors.ts';
import { LeaderLease } from './lease.ts';
import { LEASES } from './resources.ts';
import type { KubeObject } from './types.ts';

const AT = { namespace: 'haldane-system', name: 'haldane' };

interface Sleeper {
  readonly untilMs: number;
  readonly wake: () => void;
}

/** Time that passes when it is told to. */
class Time {
  #ms = 1_000;
  readonly #sleepers = new Set<Sleeper>();

  now = (): number => this.#ms;

  sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const sleeper = { untilMs: this.#ms + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      const off = () => {
        this.#sleepers.delete(sleeper);
        resolve();
      };
      if (signal?.aborted === true) return off();
      signal?.addEventListener('abort', off, { once: true });
    });

  /** Step by step, as a process that runs sees it. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#ms + ms;
    for (;;) {
      await settle();
      const next = Math.min(endMs, ...[...this.#sleepers].map(({ untilMs }) => untilMs));
      this.#ms = Math.max(this.#ms, next);
      this.#wake();
      if (this.#ms >= endMs) break;
    }
    await settle();
  }

  /** As a process that was stopped sees it: all at once, before it runs on. */
  jump(ms: number): void {
    this.#ms += ms;
  }

  #wake(): void {
    for (const sleeper of this.#sleepers) {
      if (sleeper.untilMs > this.#ms) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

class Instance {
  readonly lease: LeaderLease;
  readonly told: string[] = [];
  readonly end = new AbortController();

  constructor(api: MemoryKubeApi, identity: string, time: Time) {
    this.lease = new LeaderLease({
      api,
      ...AT,
      identity,
      clock: time,
      wallTime: () => new Date(time.now()).toISOString(),
      random: () => 0.5,
      log: silentLog,
    });
    this.lease.onGained((transitions) => this.told.push(`gained ${transitions}`));
    this.lease.onLost(() => this.told.push('lost'));
    this.lease.onAnswered(() => this.told.push('answered'));
  }

  run(): this {
    void this.lease.run(this.end.signal);
    return this;
  }
}

const objectOf = (api: MemoryKubeApi) => api.get(LEASES, AT);
const writeSpec = (api: MemoryKubeApi, spec: object) => api.patch(LEASES, AT, { type: 'merge', body: { spec } });
const specOf = async (api: MemoryKubeApi) => (await api.get(LEASES, AT))?.spec as Record<string, unknown> | undefined;

/** From now on this instance's calls are not answered. */
function cutOff(api: MemoryKubeApi): () => void {
  let mend = () => {};
  const held = new Promise<void>((resolve) => {
    mend = resolve;
  });
  api.intercept = () => held;
  return () => {
    api.intercept = () => {};
    mend();
  };
}

/** From now on each call fails. */
function failing(api: MemoryKubeApi, message: string): () => void {
  api.intercept = () => {
    throw new Error(message);
  };
  return () => {
    api.intercept = () => {};
  };
}

test('the first takes it, as the field types want it, and keeps it; nobody else gets it', async () => {
  const api = new MemoryKubeApi();
  const time = new Time();
  const a = new Instance(api, 'a', time).run();
  await time.pass(100);
  const b = new Instance(api, 'b', time).run();
  await time.pass(120_000);
  assert.deepEqual([a.told, b.told], [['gained 0'], []]);
  assert.deepEqual(await specOf(api), {
    holderIdentity: 'a',
    leaseDurationSeconds: 15,
    acquireTime: '1970-01-01T00:00:01.000000Z',
    renewTime: '1970-01-01T00:02:01.000000Z',
    leaseTransitions: 0,
  });
  a.lease.fence();
  assert.throws(() => b.lease.fence(), FencedOut);
  a.end.abort();
  b.end.abort();
});

test('released, it is taken at once by the next; whoever released it does not take it back', async () => {
  const api = new MemoryKubeApi();
  const time = new Time();
  const a = new Instance(api, 'a', time).run();
  await time.pass(100);
  const b = new Instance(api, 'b', time).run();
  await time.pass(5_000);
  await a.lease.release();
  assert.throws(() => a.lease.fence(), FencedOut);
  await time.pass(3_000);
  assert.deepEqual([a.told, b.told], [['gained 0'], ['gained 1']]);
  b.end.abort();
});

test('a release while a renewal is under way does not leave it held', async () => {
  const api = new MemoryKubeApi();
  const time = new Time();
  const a = new Instance(api, 'a', time).run();
  await time.pass(100);
  const mend = cutOff(api);
  await time.pass(3_000);
  const released = a.lease.release();
  mend();
  await released;
  assert.equal(a.lease.isHeld, false);
  assert.equal((await specOf(api))?.holderIdentity, '');
});

test('row 65: whoever is cut off stops writing before the lease has run out, and the next waits for that', async () => {
  const api = new MemoryKubeApi();
  const cut = new MemoryKubeApi();
  const time = new Time();
  const a = new Instance(cut, 'a', time).run();
  await time.pass(100);
  const mend = cutOff(cut);
  await time.pass(11_000);
  assert.equal(a.lease.isHeld, true);
  await time.pass(1_000);
  assert.throws(() => a.lease.fence(), FencedOut);
  await time.pass(4_000);
  assert.equal(a.lease.isHeld, false, 'although its call was never answered');
  await time.pass(60_000);
  assert.throws(() => a.lease.fence(), FencedOut);
  a.end.abort();
  mend();

  const left = await cut.get(LEASES, AT);
  await api.create(LEASES, left as KubeObject);
  const b = new Instance(api, 'b', time).run();
  await time.pass(14_900);
  assert.deepEqual(b.told, [], 'by its own clock, not by the times in the lease');
  await time.pass(3_000);
  assert.deepEqual(b.told, ['gained 1']);
  b.end.abort();
});

test('row 65: a process that was stopped finds itself without it before it does anything', async () => {
  const api = new MemoryKubeApi();
  const time = new Time();
  const a = new Instance(api, 'a', time).run();
  await time.pass(100);
  await writeSpec(api, { holderIdentity: 'b', leaseTransitions: 1 });
  time.jump(60_000);
  assert.equal(a.lease.isHeld, false);
  assert.throws(() => a.lease.fence(), FencedOut);
  await time.pass(0);
  assert.deepEqual(a.told, ['gained 0', 'lost']);
  assert.equal((await specOf(api))?.holderIdentity, 'b', 'nor does it write the lease');
});

test('row 66: one that ran out while nobody could be asked, and that nobody took, is held again within a second', async () => {
  const api = new MemoryKubeApi();
  const time = new Time();
  const a = new Instance(api, 'a', time).run();
  await time.pass(100);
  const mend = failing(api, 'connection refused');
  await time.pass(120_000);
  assert.equal(a.lease.isHeld, false);
  mend();
  await time.pass(1_000);
  a.lease.fence();
  assert.deepEqual(a.told, ['gained 0', 'answered']);
  assert.equal((await specOf(api))?.leaseTransitions, 0);
  a.end.abort();
});

test('row 65: one that ran out is not held again when another had it in the meantime, even if it gave it up or deleted it', async () => {
  const meantime: Readonly<Record<string, (api: MemoryKubeApi) => Promise<unknown>>> = {
    holds: (api) => writeSpec(api, { holderIdentity: 'b', leaseTransitions: 1 }),
    'gave it up': (api) => writeSpec(api, { holderIdentity: '', leaseTransitions: 1 }),
    'gave it back to an instance of this name': (api) => writeSpec(api, { holderIdentity: 'a', leaseTransitions: 2 }),
    'deleted it': (api) => api.delete(LEASES, AT),
  };
  for (const [what, happen] of Object.entries(meantime)) {
    const api = new MemoryKubeApi();
    const time = new Time();
    const a = new Instance(api, 'a', time).run();
    await time.pass(100);
    const mend = failing(api, 'connection refused');
    await time.pass(40_000);
    mend();
    await happen(api);
    await time.pass(10_000);
    assert.deepEqual([what, ...a.told], [what, 'gained 0', 'lost', 'answered']);
    assert.equal(a.lease.isHeld, false);
  }
});

test('a lease that lies as it was written costs one call a renewal', async () => {
  const api = new MemoryKubeApi();
  const time = new Time();
  const a = new Instance(api, 'a', time).run();
  await time.pass(60_100);
  const calls = api.calls.map((call) => call.split(' ')[0]);
  assert.deepEqual([...new Set(calls.slice(2))], ['update']);
  assert.ok(calls.length <= 33, `${calls.length} calls in a minute`);
  a.end.abort();
});

test('what somebody else wrote into it, and its holder stands, takes nothing away', async () => {
  const api = new MemoryKubeApi();
  const time = new Time();
  const a = new Instance(api, 'a', time).run();
  await time.pass(100);
  await api.patch(LEASES, AT, { type: 'merge', body: { metadata: { labels: { seen: 'yes' } } } });
  await time.pass(20_000);
  assert.deepEqual(a.told, ['gained 0']);
  assert.equal((await objectOf(api))?.metadata.labels?.seen, 'yes');
  a.end.abort();
});

test('a renewal counts from when it was sent, not from when it was answered', async () => {
  const api = new MemoryKubeApi();
  const time = new Time();
  const mend = cutOff(api);
  const a = new Instance(api, 'a', time).run();
  await time.pass(10_000);
  mend();
  await time.pass(0);
  assert.equal(a.lease.isHeld, true);
  await time.pass(1_900);
  const again = cutOff(api);
  await time.pass(3_200);
  assert.equal(a.lease.isHeld, false);
  again();
});

test('row 66: errors of the API server cost nothing while the lease lasts', async () => {
  const api = new MemoryKubeApi();
  const time = new Time();
  const a = new Instance(api, 'a', time).run();
  await time.pass(100);
  const mend = failing(api, 'etcdserver: leader changed');
  await time.pass(9_000);
  mend();
  await time.pass(60_000);
  assert.deepEqual(a.told, ['gained 0', 'answered']);
  a.end.abort();
});

test('one that is taken away by hand is lost with the next look', async () => {
  const api = new MemoryKubeApi();
  const time = new Time();
  const a = new Instance(api, 'a', time).run();
  await time.pass(100);
  await writeSpec(api, { holderIdentity: 'b' });
  await time.pass(3_000);
  assert.deepEqual(a.told, ['gained 0', 'lost']);
});

test('one that is deleted is taken again by its holder; another waits as if it were there', async () => {
  const api = new MemoryKubeApi();
  const time = new Time();
  const a = new Instance(api, 'a', time).run();
  await time.pass(100);
  const b = new Instance(api, 'b', time).run();
  await time.pass(1_500);
  await api.delete(LEASES, AT);
  const mend = cutOff(api);
  await time.pass(600);
  mend();
  await time.pass(60_000);
  assert.deepEqual([a.told, b.told], [['gained 0'], []]);
  assert.equal((await specOf(api))?.leaseTransitions, 1, 'the number of holders never goes back');
  a.end.abort();
  b.end.abort();
});

test('a lease of an earlier life of the same identity is not held before it has run out', async () => {
  const api = new MemoryKubeApi();
  const time = new Time();
  const earlier = new Instance(api, 'a', time).run();
  await time.pass(100);
  earlier.end.abort();
  const a = new Instance(api, 'a', time).run();
  await time.pass(14_000);
  assert.deepEqual(a.told, []);
  await time.pass(4_000);
  assert.deepEqual(a.told, ['gained 1']);
  a.end.abort();
});

test('listeners that throw do not keep the others from hearing it', async () => {
  const time = new Time();
  const api = new MemoryKubeApi();
  const a = new Instance(api, 'a', time);
  for (const on of [a.lease.onGained, a.lease.onLost]) {
    on.call(a.lease, () => {
      throw new Error('mine');
    });
  }
  const heard: string[] = [];
  a.lease.onGained(() => heard.push('gained'));
  a.lease.onLost(() => heard.push('lost'));
  a.run();
  await time.pass(100);
  await writeSpec(api, { holderIdentity: 'b' });
  await time.pass(3_000);
  assert.deepEqual(heard, ['gained', 'lost']);
});
