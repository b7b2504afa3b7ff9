// Releases that nothing but the rule of a peer judges: who is promoted, who is taken back and at which look, what silence,
// an outage and a second try do. Users' outcomes, over the whole engine.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Check, KayentaMetric, PeerRule, ReleasePolicy } from '../../src/core/model/index.ts';
import { policy, stableWorld, version, type World } from './world.ts';

const [errors] = policy().checks as [Check];

function judgedBy(rule: PeerRule | null, changes: Partial<Check> = {}): ReleasePolicy {
  return policy({ checks: [{ ...errors, name: 'success-rate', tolerance: null, rule, ...changes }] });
}

const RULES: Readonly<Record<string, ReleasePolicy>> = {
  flagger: judgedBy({
    kind: 'flagger',
    intervalMs: 60_000,
    min: 99,
    max: null,
    failures: 5,
    emptyIsFailure: false,
  }),
  argo: judgedBy({
    kind: 'argo',
    intervalMs: 60_000,
    initialDelayMs: 0,
    successCondition: 'result[0] >= 0.99',
    failureCondition: null,
    count: null,
    failureLimit: 3,
    inconclusiveLimit: 0,
    consecutiveErrorLimit: 4,
    consecutiveSuccessLimit: 0,
  }),
  kayenta: judgedBy(null, {
    metric: {
      kind: 'kayenta',
      config: {
        metrics: [metric('errors'), metric('checkout')],
        groupWeights: {},
        pass: 95,
        marginal: 75,
        stepMs: 30_000,
        intervalMs: 600_000,
        lifetimeMs: 1_800_000,
        lookbackMs: 0,
      },
    },
  }),
};

function metric(name: string): KayentaMetric {
  return {
    name,
    metric: { kind: 'errors' },
    selector: { routes: null, methods: null },
    group: 'default',
    direction: 'increase',
    critical: false,
    nanStrategy: 'remove',
    mustHaveData: false,
  };
}

function release(rules: ReleasePolicy | undefined, errorRate: number): World {
  assert.ok(rules);
  const world = stableWorld(rules);
  world.behaviour.set('rev-v2', { errorRate });
  world.declared = version('v2');
  return world.runUntil((w) => w.state.release?.phase.kind === 'testing' && w.state.release.windows > 0);
}

const promoted = (world: World) => world.state.stable?.label === 'v2';
const aborted = (world: World) => world.outcome?.kind === 'aborted';

for (const [name, rules] of Object.entries(RULES)) {
  describe(`a release that only the rule of ${name} judges`, () => {
    it('promotes a good version, with the sentence of the rule', () => {
      const world = release(rules, 0.001).runUntil(promoted);
      assert.match(world.outcome?.sentence ?? '', /no check found harm: success-rate: /);
    });

    it('takes a bad version back', () => {
      const world = release(rules, 0.1).runUntil(aborted);
      assert.equal(world.state.stable?.label, 'v1');
      assert.equal(world.state.release?.weightPercent, 0);
    });

    it('holds in silence, and goes on when data is there again', () => {
      const world = release(rules, 0.001);
      world.metrics = 'silent';
      world.runFor(1_800_000);
      assert.equal(world.state.release?.verdicts[0]?.outcome, 'no-data');
      assert.equal(world.state.release?.phase.kind, 'testing');
      world.metrics = 'up';
      world.runUntil(promoted);
    });

    it('holds while the source is down, however long', () => {
      const world = release(rules, 0.001);
      world.metrics = 'down';
      world.runFor(1_800_000);
      assert.equal(world.state.release?.verdicts[0]?.outcome, 'error');
      assert.equal(world.state.release?.phase.kind, 'testing');
      world.metrics = 'up';
      world.runUntil(promoted);
    });
  });
}

describe('the rule of flagger', () => {
  it('aborts at the look after the fifth failure, and says so', () => {
    const world = release(RULES.flagger, 0.1);
    world.runUntil((w) => /5 of 5 failed checks/.test(w.state.release?.verdicts[0]?.message ?? ''));
    assert.equal(world.state.release?.phase.kind, 'testing');
    const fifthMs = world.nowMs;
    world.behaviour.set('rev-v2', { errorRate: 0 });
    world.runUntil((w) => w.outcome !== null || w.state.release?.phase.kind !== 'testing');
    assert.ok(Math.abs(world.nowMs - fifthMs - 60_000) <= 1_000, `${world.nowMs - fifthMs} ms later`);
    assert.equal(world.state.release?.weightPercent, 0);
    assert.match(
      world.log.join('\n'),
      /100 %, at least 99 % asked; 5 of 5 failed checks, and the look after them aborts/,
    );
  });

  it('counts anew when the same version is tried again', () => {
    const world = release(RULES.flagger, 0.1).runUntil(aborted);
    world.behaviour.set('rev-v2', { errorRate: 0.001 });
    world.runFor(2_000);
    world.command('retry');
    world.runUntil(promoted);
  });

  it('goes on while the release is paused, so that the way out is open (I3)', () => {
    const world = release(RULES.flagger, 0.1);
    world.command('pause');
    world.runUntil(aborted, 600_000);
  });
});

describe('the rule of argo', () => {
  it('aborts with the failure beyond the limit', () => {
    const world = release(RULES.argo, 0.1).runUntil(aborted);
    assert.match(world.log.join('\n'), /4 measured, 4 failed \(at most 3 may\); ended: 4 failed, more than 3/);
  });
});

describe('the judge of kayenta', () => {
  it('raises weight after judgements, and promotes only after the last', () => {
    const world = release(RULES.kayenta, 0.001);
    const startMs = world.nowMs;
    world.runFor(500_000);
    assert.equal(world.state.release?.weightPercent, 5, 'nothing was judged yet');
    world.runFor(600_000);
    assert.equal(world.state.release?.weightPercent, 50);
    world.runUntil(promoted);
    assert.ok(world.nowMs - startMs >= 1_780_000, `${world.nowMs - startMs} ms`);
    assert.match(world.outcome?.sentence ?? '', /score 100 at judgement 3 of 3, 95 asked of the last/);
  });

  it('lets no lifetime run out in silence: what was not measured is not judged', () => {
    const world = release(RULES.kayenta, 0.1);
    world.metrics = 'silent';
    world.runFor(3_000_000);
    assert.equal(world.state.release?.verdicts[0]?.outcome, 'no-data');
    world.metrics = 'up';
    world.runFor(300_000);
    assert.equal(world.state.release?.verdicts[0]?.reason, 'NothingCountedYet');
    world.runUntil(aborted);
  });

  it('aborts at the first judgement whose score is not above marginal, and names what was wrong', () => {
    const world = release(RULES.kayenta, 0.1).runUntil(aborted);
    assert.match(world.outcome?.sentence ?? '', /score 0 at judgement 1 of 3.*errors: High; the shift lies between/);
  });
});
