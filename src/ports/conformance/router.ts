// What every Router must do, as tests. A harness brings backends that really answer (or doubles of them).
// It judges by what observe() and inFlight() report from the data plane, never by what ensure() was told.
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Backend } from '../../core/model/effect.ts';
import type { Endpoint } from '../../core/model/gateway.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import { type Split, weightOf } from '../../core/model/split.ts';
import type { Router } from '../router.ts';

export interface RouterUnderTest {
  readonly router: Router;
  readonly policy: ReleasePolicy;
  /** Two versions whose endpoints answer. */
  readonly stable: Backend;
  readonly canary: Backend;
  /** Percents for the canary that it is tried with; left out: the smallest step it claims, half, all, little, none. */
  readonly percents?: readonly number[];
  /** Resolves once the condition holds; rejects when it took too long. */
  until(what: string, condition: () => Promise<boolean>): Promise<void>;
  /** The canary's endpoints become others, and so it is then. */
  moveCanary(): Promise<Backend>;
  /** From now on the data plane cannot be reached; null if that cannot be brought about. */
  readonly blind: (() => Promise<void>) | null;
  /** The same data plane as the next agent would find it; null if it does not outlive the agent. */
  readonly nextAgent: (() => Promise<Router>) | null;
  end(): Promise<void>;
}

type Trial = (title: string, body: (under: RouterUnderTest, context: TestContext) => Promise<void>) => void;

export function routerConformance(name: string, make: () => Promise<RouterUnderTest>): void {
  const trial: Trial = (title, body) =>
    test(title, async (context) => {
      const under = await make();
      try {
        await body(under, context);
      } finally {
        await under.end();
      }
    });
  describe(`${name} as a Router`, () => {
    splittingTrials(trial);
    refusingTrials(trial);
    honestyTrials(trial);
  });
}

function splitOf({ stable, canary }: RouterUnderTest, canaryPercent: number, salt = 'salt'): Split {
  const weights = [
    { revision: stable.revision, weightPercent: 100 - canaryPercent },
    { revision: canary.revision, weightPercent: canaryPercent },
  ];
  return { weights, rules: [], salt, userKey: null, affinity: null };
}

function inOrder(endpoints: readonly Endpoint[] = []): readonly string[] {
  return endpoints.map(({ host, port }) => `${host}:${port}`).toSorted();
}

async function untilInForce(under: RouterUnderTest, split: Split): Promise<void> {
  await under.until('the split is in force', async () => {
    const seen = await under.router.observe(under.policy);
    if (seen.state !== 'converged' || seen.split === null) return false;
    const now = seen.split;
    return split.weights.every(({ revision, weightPercent }) => weightOf(now, revision) === weightPercent);
  });
}

function splittingTrials(trial: Trial): void {
  trial('a split that was asked for comes into force and is read back from the data plane', async (under) => {
    const { router, policy, stable, canary } = under;
    const split = splitOf(under, 25);
    assert.notEqual((await router.ensure(policy, split, [stable, canary])).kind, 'rejected');
    await untilInForce(under, split);
    const seen = await router.observe(policy);
    assert.equal(seen.split?.salt, 'salt');
    assert.deepEqual(inOrder(seen.endpoints[stable.revision]), inOrder(stable.endpoints));
    assert.deepEqual(inOrder(seen.endpoints[canary.revision]), inOrder(canary.endpoints));
    assert.ok(seen.instances.length > 0);
  });

  trial('row 25: asking for the same split many times changes nothing', async (under) => {
    const { router, policy, stable, canary } = under;
    const split = splitOf(under, 10);
    await router.ensure(policy, split, [stable, canary]);
    await untilInForce(under, split);
    const before = await router.observe(policy);
    for (let again = 0; again < 20; again += 1) await router.ensure(policy, split, [stable, canary]);
    assert.deepEqual((await router.observe(policy)).instances, before.instances);
    assert.deepEqual((await router.observe(policy)).split, before.split);
  });

  trial('weights go up and down, to 0 and to everything, in the smallest step it claims', async (under) => {
    const { router, policy, stable, canary } = under;
    for (const percent of under.percents ?? [router.capabilities.weightStepPercent, 50, 100, 5, 0]) {
      const split = splitOf(under, percent);
      await router.ensure(policy, split, [stable, canary]);
      await untilInForce(under, split);
    }
  });

  trial('row 58: a later split replaces the whole of the one before, rules included', async (under, context) => {
    const { router, policy, stable, canary } = under;
    if (!router.capabilities.headerMatch) return context.skip('it has no rules');
    const ruled = {
      ...splitOf(under, 0),
      rules: [{ header: { name: 'canary', value: 'true' }, revision: canary.revision }],
    };
    await router.ensure(policy, ruled, [stable, canary]);
    await under.until('the rule is there', async () => (await router.observe(policy)).split?.rules.length === 1);
    await router.ensure(policy, splitOf(under, 0), [stable, canary]);
    await under.until('the rule is gone', async () => (await router.observe(policy)).split?.rules.length === 0);
  });

  trial('endpoints that changed are followed without a change of weights', async (under) => {
    const { router, policy, stable, canary } = under;
    await router.ensure(policy, splitOf(under, 50), [stable, canary]);
    await untilInForce(under, splitOf(under, 50));
    const moved = await under.moveCanary();
    assert.notDeepEqual(moved.endpoints, canary.endpoints);
    await router.ensure(policy, splitOf(under, 50), [stable, moved]);
    await under.until('the endpoints are new', async () => {
      const there = (await router.observe(policy)).endpoints[canary.revision];
      return String(inOrder(there)) === String(inOrder(moved.endpoints));
    });
  });

  trial('a change of what is in force is told to those who watch, until they stop', async (under) => {
    const { router, policy, stable, canary } = under;
    let told = 0;
    const stop = router.watch(policy, () => {
      told += 1;
    });
    await router.ensure(policy, splitOf(under, 5), [stable, canary]);
    await under.until('told', async () => told > 0);
    stop();
  });
}

function refusingTrials(trial: Trial): void {
  trial(
    'I1, row 17: weight for a version without endpoints is refused, and the last good split stays',
    async (under) => {
      const { router, policy, stable, canary } = under;
      const good = splitOf(under, 10);
      await router.ensure(policy, good, [stable, canary]);
      await untilInForce(under, good);
      for (const backends of [[stable], [stable, { ...canary, endpoints: [] }], []]) {
        const result = await router.ensure(policy, splitOf(under, 50), backends);
        assert.equal(result.kind, 'rejected');
        assert.ok(result.kind === 'rejected' && result.reason.length > 0);
      }
      await untilInForce(under, good);
    },
  );
}

function honestyTrials(trial: Trial): void {
  trial('I2: requests in flight are counted per version, and inFlight says the same as observe', async (under) => {
    const { router, policy, stable, canary } = under;
    await router.ensure(policy, splitOf(under, 50), [stable, canary]);
    await untilInForce(under, splitOf(under, 50));
    const counts = await router.inFlight(policy);
    assert.equal(counts[stable.revision] ?? 0, 0);
    assert.equal(counts[canary.revision] ?? 0, 0);
    assert.deepEqual(counts, (await router.observe(policy)).inFlight);
  });

  trial('row 71: when it cannot look, it rejects; it never answers that there is no split', async (under, context) => {
    if (under.blind === null) return context.skip('cannot be brought about here');
    const { router, policy, stable, canary } = under;
    await router.ensure(policy, splitOf(under, 50), [stable, canary]);
    await untilInForce(under, splitOf(under, 50));
    await under.blind();
    await assert.rejects(router.observe(policy));
  });

  trial('I6: the next agent finds the split in force, from the data plane', async (under, context) => {
    if (under.nextAgent === null) return context.skip('it does not outlive the agent');
    const { router, policy, stable, canary } = under;
    await router.ensure(policy, splitOf(under, 30), [stable, canary]);
    await untilInForce(under, splitOf(under, 30));
    const next = { ...under, router: await under.nextAgent() };
    await untilInForce(next, splitOf(under, 30));
    await next.router.ensure(policy, splitOf(under, 60), [stable, canary]);
    await untilInForce(next, splitOf(under, 60));
  });
}
