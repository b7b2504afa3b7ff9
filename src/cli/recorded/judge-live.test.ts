// The claim of judge: what a live release saw, recorded and judged afterwards, gives the live release's verdict, number by
// number. The live release is the shipped decide() in a rehearsal whose truth writes down what it gave.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { constantTruth, rehearse, type Truth } from '../../core/rehearsal/index.ts';
import { policyOfFlags } from './judge-policy.ts';
import { judgeRecorded } from './judge-recorded.ts';
import { outcomeOf } from './outcome.ts';
import type { RecordedWindow } from './recorded.ts';

const VERSIONS = { stable: 'stable', canary: 'canary' };

async function both(canaryErrorRate: number, warmUpMs: number) {
  const base = await policyOfFlags({ errors: true });
  const [check] = base.checks;
  assert.ok(check);
  const checks = [{ ...check, warmUpMs }];
  const stage = { weightPercent: 20, bakeMs: 300_000, checks: null, gates: [], advance: 'proven' } as const;
  const policy = { ...base, checks, ramp: { kind: 'stages', stages: [stage] } as const };
  const windows: RecordedWindow[] = [];
  const truth = constantTruth({ seed: 7, requestsPerSecond: 100, stableErrorRate: 0.002, canaryErrorRate });
  const recording: Truth = {
    boundaries: null,
    draw(fromSeconds, toSeconds, weightPercent) {
      const window = truth.draw(fromSeconds, toSeconds, weightPercent);
      const sample = ({ total, bad }: { total: number; bad: number }) => ({
        whole: { kind: 'proportion', total, bad } as const,
        replicas: [],
      });
      const byCheck = { errors: { canary: sample(window.canary), stable: sample(window.stable) } };
      windows.push({ atMs: fromSeconds * 1_000, weightPercent, byCheck });
      return window;
    },
  };
  const live = rehearse({ policy, truth: recording, horizonMs: 3_600_000, past: null });
  const judged = judgeRecorded({
    policy,
    checks,
    windows,
    versions: VERSIONS,
    fromMs: null,
    stepMs: policy.intervalMs,
    weightPercent: null,
    warmUp: true,
  });
  return { live, judged };
}

describe('a live release, judged afterwards', () => {
  for (const [what, rate] of [
    ['a harmful version', 0.02],
    ['a good version', 0.002],
  ] as const) {
    for (const warmUpMs of [0, 60_000]) {
      it(`has the live verdict: ${what}, warm-up of ${warmUpMs / 1_000} s`, async () => {
        const { live, judged } = await both(rate, warmUpMs);
        const [verdict] = live.verdicts;
        const [check] = judged.checks;
        assert.deepEqual(check?.verdict.numbers, verdict?.numbers);
        assert.equal(check?.verdict.message, verdict?.message);
        assert.deepEqual([live.end, outcomeOf(judged).word], rate > 0.002 ? ['aborted', 'fail'] : ['promoted', 'pass']);
        assert.equal(judged.windowsLeft, 0);
      });
    }
  }
});
