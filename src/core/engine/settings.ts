// The part of a policy the statistics read.
import { type AnalysisSettings, evidenceShares } from '../analysis/index.ts';
import type { ReleasePolicy } from '../model/policy.ts';

export function settingsOf(policy: ReleasePolicy): AnalysisSettings {
  const { intervalMs, alphas, checks } = policy;
  return { intervalMs, alphaAbort: alphas.abort, alphaPromote: alphas.promote, shares: evidenceShares(checks) };
}
