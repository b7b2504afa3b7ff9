// The part of a policy the statistics read.
import type { AnalysisSettings } from '../analysis/index.ts';
import type { ReleasePolicy } from '../model/policy.ts';

export function settingsOf(policy: ReleasePolicy): AnalysisSettings {
  return { intervalMs: policy.intervalMs, alphaAbort: policy.alphas.abort, alphaPromote: policy.alphas.promote };
}
