/** Findings about checks that a peer's rule judges: none of them carries an error probability. */
import type { Check } from '../model/check.ts';
import type { ReleasePolicy } from '../model/policy.ts';
import type { LintFinding } from './lint.ts';

const NAMES = { flagger: 'Flagger', argo: 'Argo', kayenta: 'Kayenta' } as const;

function peerOf({ rule, metric }: Check): keyof typeof NAMES | null {
  if (rule !== null) return rule.kind;
  return metric.kind === 'kayenta' ? 'kayenta' : null;
}

export function peerFindings({ checks }: ReleasePolicy): readonly LintFinding[] {
  const findings = checks.flatMap((check, index): LintFinding[] => {
    const peer = peerOf(check);
    if (peer === null) return [];
    return [
      {
        code: 'peer-rule',
        path: `spec.checks[${index}]`,
        problem: `"${check.name}" is judged in ${NAMES[peer]}'s way and carries no error probability: how often it aborts a harmless version, or passes a harmful one, depends on your traffic`,
        fix: 'keep it while you compare; then write tolerance: {} in its place',
        severity: 'info',
      },
    ];
  });
  const required = checks.filter((check) => check.role === 'required');
  if (required.length === 0 || required.some((check) => peerOf(check) === null)) return findings;
  const onlyPeers: LintFinding = {
    code: 'only-peer-rules',
    path: 'spec.checks',
    problem: "every required check is a peer's rule, so a promotion proves nothing: spec.alphas bounds no error",
    fix: 'add - {name: errors-compared, metric: {errors: {}}}, which is compared with stable',
    severity: 'warning',
  };
  return [...findings, onlyPeers];
}
