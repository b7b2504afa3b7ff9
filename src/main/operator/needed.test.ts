import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MemoryKubeApi } from '../../kubernetes/doubles/index.ts';
import { KubeError } from '../../kubernetes/index.ts';
import { silentLog } from '../../lib/log.ts';
import type { Clock } from '../../ports/index.ts';
import { buildCaches } from './caches.ts';
import { CannotLead, neededOf, whenKnown, whyNotReady } from './needed.ts';

/** An API server that answers everything but lists of this kind. */
class World {
  readonly api = new MemoryKubeApi();
  readonly end = new AbortController();
  ms = 0;
  isHeld = true;
  readonly clock: Clock = {
    now: () => ({ monotonicMs: this.ms, epoch: 'test', wallTime: '2026-01-01T00:00:00Z' }),
    sleep: async (ms) => {
      this.ms += ms;
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
  readonly caches = buildCaches({
    api: this.api,
    namespace: null,
    // Back-offs of the caches are not what is timed here.
    clock: { ...this.clock, sleep: () => new Promise((resolve) => setImmediate(resolve)) },
    random: { fraction: () => 0, id: () => 'id' },
    log: silentLog,
  });

  readonly needed = neededOf(this.caches);

  fails(plural: string): void {
    this.api.intercept = (verb, resource) => {
      if (resource.plural !== plural || verb !== 'list') return;
      throw new KubeError(verb, 403, { message: `${plural} is forbidden` });
    };
  }

  start(): void {
    for (const cache of Object.values(this.caches)) cache.start();
  }

  whenKnown(): Promise<void> {
    const { needed, clock, end } = this;
    return whenKnown({ needed, isAnswered: () => this.isHeld, clock, signal: end.signal });
  }
}

async function inWorld(body: (world: World) => Promise<void>): Promise<void> {
  const world = new World();
  try {
    await body(world);
  } finally {
    world.end.abort();
    await Promise.all(Object.values(world.caches).map((cache) => cache.stop()));
  }
}

describe('what must be known before releases are led', () => {
  test('all of it known, it is ready and leads', () =>
    inWorld(async (world) => {
      world.start();
      await world.whenKnown();
      assert.equal(whyNotReady(world.needed, world.ms), null);
      world.ms += 601_000;
      assert.match(
        whyNotReady(world.needed, world.ms) ?? '',
        /nothing was heard .* ten minutes: ReleasePolicy, Release/,
      );
    }));

  for (const [plural, kind] of [
    ['releasecommands', 'ReleaseCommand'],
    ['endpointslices', 'EndpointSlice'],
  ] as const) {
    test(`without ${plural} it is not ready, and gives up to lead after two minutes, naming the kind and the error`, () =>
      inWorld(async (world) => {
        world.fails(plural);
        world.start();
        await assert.rejects(world.whenKnown(), (error: unknown) => {
          assert.ok(error instanceof CannotLead);
          assert.match(error.message, new RegExp(`${kind} \\(list: ${plural} is forbidden\\)`));
          return true;
        });
        assert.ok(world.ms >= 120_000 && world.ms < 180_000, `${world.ms}`);
        assert.match(whyNotReady(world.needed, world.ms) ?? '', new RegExp(`not known yet: ${kind} .*forbidden`));
      }));
  }

  test('while the API server does not answer, it is waited for however long that takes', () =>
    inWorld(async (world) => {
      world.isHeld = false;
      world.fails('services');
      world.start();
      const led = world.whenKnown();
      while (world.ms < 3_600_000) await new Promise((resolve) => setImmediate(resolve));
      world.api.intercept = () => {};
      await led;
    }));

  test('a list that is only slow is waited for', () =>
    inWorld(async (world) => {
      let answer: () => void = () => {};
      const slow = new Promise<void>((resolve) => {
        answer = resolve;
      });
      world.api.intercept = (verb, resource) => (verb === 'list' && resource.plural === 'pods' ? slow : undefined);
      world.start();
      const led = world.whenKnown();
      while (world.ms < 600_000) await new Promise((resolve) => setImmediate(resolve));
      answer();
      await led;
    }));

  test('a kind that a cluster may be without is not waited for', () =>
    inWorld(async (world) => {
      world.fails('mutatingadmissionpolicies');
      world.start();
      await world.whenKnown();
    }));

  test('an operator that is stopped meanwhile leads nothing', () =>
    inWorld(async (world) => {
      world.fails('releases');
      world.start();
      const led = world.whenKnown();
      world.end.abort(new Error('stopped'));
      await assert.rejects(led, /stopped/);
    }));
});
