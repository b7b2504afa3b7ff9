import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sweep } from './crash-sweep.ts';
import { drawScenario } from './draw.ts';
import { NAMED_SCENARIOS } from './named-scenarios.ts';
import { sampleVersion } from './sample-policy.ts';
import { createSimulation } from './simulation.ts';
import { soakScenario } from './soak.ts';
import { addRun, emptyTally, judgeShares, mergeTally } from './tally.ts';
import { runSeed } from './trial-run.ts';

describe('a simulated run', () => {
  it('does the same with the same seed, step by step (I6)', async () => {
    for (const seed of [3, 11, 29]) {
      const [first, second] = [await runSeed(seed), await runSeed(seed)];
      assert.equal(first.hash, second.hash);
      assert.equal(first.steps, second.steps);
    }
  });

  it('does something else with another seed', async () => {
    const hashes = new Set([(await runSeed(3)).hash, (await runSeed(4)).hash, (await runSeed(5)).hash]);
    assert.equal(hashes.size, 3);
  });

  it('is not changed by being traced', async () => {
    const [plain, traced] = [await runSeed(11), await runSeed(11, { trace: true })];
    assert.equal(plain.hash, traced.hash);
    assert.ok(traced.trace.length > 100);
  });

  it('draws the same scenario for a seed, always', () => {
    assert.deepEqual(drawScenario(42), drawScenario(42));
  });

  it('finds no violation of I1 to I7 in the first dozen seeds', async () => {
    const tally = emptyTally();
    for (let seed = 1; seed <= 12; seed++) addRun(tally, await runSeed(seed));
    assert.deepEqual(tally.failures, []);
  });

  it('survives a crash at some of the awaits of three named scenarios with the same end (I6)', async () => {
    for (const name of ['good version', 'bad version', 'superseded in mid-stage']) {
      const scenario = NAMED_SCENARIOS.find((one) => one.name === name);
      assert.ok(scenario);
      const report = await sweep(scenario, 80);
      assert.deepEqual(report.failures, []);
    }
  });

  it('holds a release on its plateau for an hour of windows', async () => {
    const scenario = soakScenario({ releases: 2, hours: 1, intervalMs: 10_000 });
    const simulation = createSimulation(scenario, { seed: 1 });
    await simulation.runUntil(scenario.endMs);
    assert.deepEqual(simulation.monitor.violations, []);
    const release = simulation.state('shop-0')?.release;
    assert.equal(release?.phase.kind, 'testing');
    assert.ok((release?.windows ?? 0) > 350);
  });
});

describe('the invariants see what is wrong in the world', () => {
  const settled = async () => {
    const scenario = soakScenario({ releases: 1, hours: 1, intervalMs: 10_000 });
    const simulation = createSimulation(scenario, { seed: 1 });
    await simulation.runUntil(120_000);
    const service = simulation.services[0];
    const asked = service?.plane.asked;
    assert.ok(service && asked);
    assert.deepEqual(simulation.monitor.violations, []);
    return { simulation, service, asked };
  };
  const invariantsOf = (simulation: { monitor: { violations: readonly { invariant: string }[] } }): string[] => [
    ...new Set(simulation.monitor.violations.map(({ invariant }) => invariant)),
  ];

  it('traffic for a version of which nothing is ready (I1)', async () => {
    const { simulation, service, asked } = await settled();
    const nowhere = { revision: 'shop-0-v2', label: 'v2', endpoints: [{ host: '127.0.0.1', port: 1 }] };
    const [stable] = asked.backends;
    assert.ok(stable);
    service.ensureSplit(asked.split, [stable, nowhere]);
    assert.ok(invariantsOf(simulation).includes('I1'));
  });

  it('capacity taken from a version that serves, and the requests lost with it (I2)', async () => {
    const { simulation, service } = await settled();
    service.retire(['shop-0-v1']);
    await simulation.runUntil(180_000);
    assert.ok(invariantsOf(simulation).includes('I2'));
    assert.ok(service.plane.ledger.lostByController + service.plane.ledger.lostByWorld > 0);
  });

  it('a version that shrinks while it carries its share (I2)', async () => {
    const { simulation, service } = await settled();
    service.ensureWorkload([{ version: sampleVersion('shop-0-v1'), replicas: 1, role: 'stable' }]);
    assert.deepEqual(invariantsOf(simulation), ['I2']);
  });

  it('a weight that is no stage, and that is not recorded (I6, I7)', async () => {
    const { simulation, service, asked } = await settled();
    const weights = [
      { revision: 'shop-0-v1', weightPercent: 60 },
      { revision: 'shop-0-v2', weightPercent: 40 },
    ];
    service.ensureSplit({ ...asked.split, weights }, asked.backends);
    const found = invariantsOf(simulation);
    assert.ok(found.includes('I6') && found.includes('I7'));
  });

  it('all traffic to a version that has proved nothing (I4)', async () => {
    const { simulation, service, asked } = await settled();
    const weights = [{ revision: 'shop-0-v2', weightPercent: 100 }];
    service.ensureSplit({ ...asked.split, weights }, asked.backends);
    assert.ok(invariantsOf(simulation).includes('I4'));
  });

  it('something of a version nobody declared (I5)', async () => {
    const { simulation, service } = await settled();
    service.retire(['somebody-elses']);
    assert.deepEqual(invariantsOf(simulation), ['I5']);
  });
});

describe('many runs together', () => {
  it('false aborts beyond alpha fail the set, and only if that is sure (I8)', () => {
    const tally = emptyTally();
    tally.same = { total: 100, aborted: 2 };
    assert.ok(
      judgeShares(tally).every(({ holds }) => holds),
      '2 of 100 may be chance',
    );
    tally.same = { total: 1_000, aborted: 40 };
    assert.equal(judgeShares(tally)[0]?.holds, false);
    tally.worse = { total: 200, promoted: 60 };
    assert.equal(judgeShares(tally)[1]?.holds, false);
  });

  it('tallies of several threads add up', async () => {
    const [one, both] = [emptyTally(), emptyTally()];
    addRun(one, await runSeed(1));
    mergeTally(both, one);
    mergeTally(both, one);
    assert.equal(both.runs, 2);
    assert.equal(both.requests, 2 * one.requests);
  });
});
