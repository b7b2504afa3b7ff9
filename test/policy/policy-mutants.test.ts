import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePolicy } from '../../src/core/policy/index.ts';
import { sha256 } from './bases.ts';
import { runMutants } from './policy-mutants.ts';

test('a policy changed at random is refused, or differs exactly where it was changed (rows 82, 84, 85)', () => {
  const { failures, refused, accepted } = runMutants({ runs: 2_000, seed: 'npm test' });
  assert.deepEqual(failures, []);
  assert.ok(refused > 500 && accepted > 100, `${refused} refused, ${accepted} accepted: both must be tried`);
});

type Compiled = Extract<ReturnType<typeof compilePolicy>, { kind: 'ok' }>;

function sabotaged(change: (compiled: Compiled) => Compiled) {
  return (value: unknown, source: 'live' | 'recorded') => {
    const result = compilePolicy(value, sha256, { source });
    return result.kind === 'ok' ? change(result) : result;
  };
}

test('the same runs catch a compiler that drops, rewrites or guesses (row 84)', () => {
  const sabotages = {
    'drops the budget of requests': sabotaged((compiled) => ({
      ...compiled,
      policy: { ...compiled.policy, exposure: { ...compiled.policy.exposure, totalRequests: null } },
    })),
    'caps weights in silence': sabotaged((compiled) => {
      const { ramp } = compiled.policy;
      if (ramp.kind !== 'stages') return compiled;
      const stages = ramp.stages.map((stage) => ({ ...stage, weightPercent: Math.min(50, stage.weightPercent) }));
      return { ...compiled, policy: { ...compiled.policy, ramp: { ...ramp, stages } } };
    }),
    'shortens the bake when the interval is short': sabotaged((compiled) => {
      const { policy } = compiled;
      return { ...compiled, policy: { ...policy, leastBakeMs: policy.leastBakeMs + policy.intervalMs } };
    }),
    'forgets what a cluster can cause': sabotaged((compiled) => {
      const checks = compiled.policy.checks.map((check) => ({ ...check, clusterCap: 1 }));
      return { ...compiled, policy: { ...compiled.policy, checks } };
    }),
    'lets the rule of a peer fail sooner': sabotaged((compiled) => {
      const checks = compiled.policy.checks.map((check) =>
        check.rule?.kind === 'argo'
          ? {
              ...check,
              rule: { ...check.rule, failureLimit: Math.min(check.rule.failureLimit, check.rule.count ?? 0, 3) },
            }
          : check,
      );
      return { ...compiled, policy: { ...compiled.policy, checks } };
    }),
    crashes: sabotaged((compiled) => {
      if (![10, 20].includes(compiled.policy.historyLimit)) throw new Error('another history limit');
      return compiled;
    }),
  };
  for (const [name, compile] of Object.entries(sabotages)) {
    const { failures } = runMutants({ runs: 6_000, seed: 'sabotage', compile, stopAtFailure: true });
    assert.ok(failures.length > 0, `${name}: not caught`);
  }
});
