// What every Workload must do, as tests. A harness brings the policy, versions that really can run, and a way to wait.
// `until` is the harness's: real adapters need time, doubles none; it rejects when its own deadline passes.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { WantedVersion } from '../../core/model/effect.ts';
import type { VersionObservation } from '../../core/model/observed.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import type { Revision } from '../../core/model/split.ts';
import type { Version } from '../../core/model/version.ts';
import type { Workload } from '../workload.ts';

export interface WorkloadUnderTest {
  readonly workload: Workload;
  readonly policy: ReleasePolicy;
  readonly stable: Version;
  readonly canary: Version;
  /** A version that never gets ready; null if this workload cannot have one. */
  readonly broken: Version | null;
  /** What a version the workload does not run itself is asked to have: false where sizes are somebody else's. */
  readonly sizes: boolean;
  /** Resolves once the condition holds; rejects when it took too long. */
  until(what: string, condition: () => Promise<boolean>): Promise<void>;
  /** From now on the workload cannot look; null if that cannot be brought about. */
  readonly blind: (() => void) | null;
  /** The same workload, as the next agent would find it; null if it keeps nothing. */
  readonly nextAgent: (() => Promise<Workload>) | null;
  end(): Promise<void>;
}

type Trial = (title: string, body: (under: WorkloadUnderTest) => Promise<void>) => void;

export function workloadConformance(name: string, make: () => Promise<WorkloadUnderTest>): void {
  const trial: Trial = (title, body) =>
    test(title, async () => {
      const under = await make();
      try {
        await body(under);
      } finally {
        await under.end();
      }
    });
  describe(`${name} as a Workload`, () => {
    startingTrials(trial);
    sizingTrials(trial);
    retiringTrials(trial);
    honestyTrials(trial);
  });
}

function wanted(version: Version, role: 'stable' | 'canary', replicas = 1): WantedVersion {
  return { version, role, replicas };
}

async function seenOf(under: WorkloadUnderTest, revision: Revision): Promise<VersionObservation | undefined> {
  const { versions } = await under.workload.observe(under.policy);
  return versions.find((version) => version.revision === revision);
}

async function untilReady(under: WorkloadUnderTest, revision: Revision, replicas = 1): Promise<VersionObservation> {
  await under.until(
    `${revision} has ${replicas} ready`,
    async () => (await seenOf(under, revision))?.ready === replicas,
  );
  const seen = await seenOf(under, revision);
  assert.ok(seen !== undefined);
  return seen;
}

function startingTrials(trial: Trial): void {
  trial('what was asked for comes up and is ready, with an endpoint for each ready replica', async (under) => {
    const { workload, policy, stable } = under;
    await workload.ensure(policy, [wanted(stable, 'stable')]);
    const seen = await untilReady(under, stable.revision);
    assert.equal(seen.endpoints.length, seen.ready);
    assert.equal(seen.label, stable.label);
    assert.equal(seen.trouble, null);
    assert.ok(seen.running >= seen.ready);
    assert.ok(seen.readyForMs >= 0);
  });

  trial('asking for the same again changes nothing: same endpoints, no restarts', async (under) => {
    const { workload, policy, stable } = under;
    await workload.ensure(policy, [wanted(stable, 'stable')]);
    const before = await untilReady(under, stable.revision);
    for (let again = 0; again < 3; again += 1) await workload.ensure(policy, [wanted(stable, 'stable')]);
    const after = await untilReady(under, stable.revision);
    assert.deepEqual(after.endpoints, before.endpoints);
    assert.equal(after.restarts, before.restarts);
  });

  trial('a version that is not asked for stays as it is: only retire takes away', async (under) => {
    const { workload, policy, stable, canary } = under;
    await workload.ensure(policy, [wanted(stable, 'stable')]);
    const before = await untilReady(under, stable.revision);
    await workload.ensure(policy, [wanted(canary, 'canary')]);
    await untilReady(under, canary.revision);
    assert.deepEqual((await seenOf(under, stable.revision))?.endpoints, before.endpoints);
  });

  trial('two calls at once end as one: neither starts a replica twice', async (under) => {
    const { workload, policy, stable } = under;
    await Promise.all([1, 2, 3].map(() => workload.ensure(policy, [wanted(stable, 'stable')])));
    const seen = await untilReady(under, stable.revision);
    assert.ok(seen.running <= seen.wanted);
  });

  trial('a change that is worth a look is told to those who watch, until they stop', async (under) => {
    const { workload, policy, stable } = under;
    let told = 0;
    const stop = workload.watch(policy, () => {
      told += 1;
    });
    await workload.ensure(policy, [wanted(stable, 'stable')]);
    await untilReady(under, stable.revision);
    await under.until('told', async () => told > 0);
    stop();
  });
}

function sizingTrials(trial: Trial): void {
  trial('a version is sized up and down, and keeps the replicas that stay', async (under) => {
    if (!under.sizes) return;
    const { workload, policy, stable } = under;
    await workload.ensure(policy, [wanted(stable, 'stable', 1)]);
    const one = await untilReady(under, stable.revision, 1);
    await workload.ensure(policy, [wanted(stable, 'stable', 2)]);
    const two = await untilReady(under, stable.revision, 2);
    assert.equal(two.wanted, 2);
    for (const endpoint of one.endpoints) assert.ok(two.endpoints.some((other) => other.port === endpoint.port));
    await workload.ensure(policy, [wanted(stable, 'stable', 1)]);
    await untilReady(under, stable.revision, 1);
  });
}

function retiringTrials(trial: Trial): void {
  trial('a retired version goes away, and only that one; retiring it again changes nothing', async (under) => {
    const { workload, policy, stable, canary } = under;
    await workload.ensure(policy, [wanted(stable, 'stable'), wanted(canary, 'canary')]);
    await untilReady(under, stable.revision);
    await untilReady(under, canary.revision);
    await workload.retire(policy, [canary.revision]);
    await under.until('retired', async () => ((await seenOf(under, canary.revision))?.running ?? 0) === 0);
    await workload.retire(policy, [canary.revision, 'rev-nobody-knows']);
    assert.equal((await seenOf(under, stable.revision))?.ready, 1);
  });

  trial('a retired version can be asked for again', async (under) => {
    const { workload, policy, canary } = under;
    await workload.ensure(policy, [wanted(canary, 'canary')]);
    await untilReady(under, canary.revision);
    await workload.retire(policy, [canary.revision]);
    await workload.ensure(policy, [wanted(canary, 'canary')]);
    await untilReady(under, canary.revision);
  });
}

function honestyTrials(trial: Trial): void {
  trial('I1: a version that is not ready has no endpoints and says why', async (under) => {
    const { workload, policy, broken } = under;
    if (broken === null) return;
    await workload.ensure(policy, [wanted(broken, 'canary')]);
    await under.until(
      'trouble is told',
      async () => ((await seenOf(under, broken.revision))?.trouble ?? null) !== null,
    );
    const seen = await seenOf(under, broken.revision);
    assert.equal(seen?.ready, 0);
    assert.deepEqual(seen?.endpoints, []);
    assert.ok((seen?.trouble ?? '').length > 0);
  });

  trial('row 71: when it cannot look, it rejects; it never answers that nothing is there', async (under) => {
    if (under.blind === null) return;
    await under.workload.ensure(under.policy, [wanted(under.stable, 'stable')]);
    await untilReady(under, under.stable.revision);
    under.blind();
    await assert.rejects(under.workload.observe(under.policy));
  });

  trial('I6: the next agent finds what runs, with the same endpoints', async (under) => {
    if (under.nextAgent === null) return;
    await under.workload.ensure(under.policy, [wanted(under.stable, 'stable')]);
    const before = await untilReady(under, under.stable.revision);
    const next = { ...under, workload: await under.nextAgent() };
    await next.workload.ensure(under.policy, [wanted(under.stable, 'stable')]);
    const after = await untilReady(next, under.stable.revision);
    assert.deepEqual(after.endpoints, before.endpoints);
  });
}
