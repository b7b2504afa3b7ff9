/** Findings about Deployments: stages that pods cannot show, windows shorter than a scrape. They refuse nothing. */
import { formatDuration } from '../model/duration.ts';
import type { ReleasePolicy } from '../model/policy.ts';
import { DEFAULT_SCRAPE } from './defaults.ts';
import type { LintContext, LintFinding } from './lint.ts';

export function clusterFindings(policy: ReleasePolicy, { replicas }: LintContext): readonly LintFinding[] {
  return [...finerThanAPod(policy, replicas), ...shortWindow(policy)];
}

/** Of n pods of stable and one canary, the canary has 1 in n + 1: no share between 0 and that can be shown. */
function finerThanAPod(policy: ReleasePolicy, replicas: number | undefined): readonly LintFinding[] {
  const { router, ramp, canary } = policy;
  if (router.kind !== 'replicaShare') return [];
  const weights = ramp.kind === 'stages' ? ramp.stages.map((stage) => stage.weightPercent) : [ramp.firstWeightPercent];
  const least = replicas === undefined ? null : (100 * canary.minReplicas) / (replicas + canary.minReplicas);
  return weights.flatMap((weight, index): readonly LintFinding[] => {
    const path = ramp.kind === 'stages' ? `spec.stages[${index}].weight` : 'spec.ramp';
    const needed = Math.ceil((canary.minReplicas * (100 - weight)) / weight);
    const fix = `run at least ${needed} replicas, start at a larger weight, or use router.gatewayApi`;
    if (least === null) {
      if (index > 0) return [];
      const problem = `${weight} % by replica share is ${pods(canary.minReplicas)} beside ${needed} of stable; with fewer replicas the canary gets more`;
      return [{ code: 'stage-finer-than-a-pod', path, problem, fix, severity: 'info' }];
    }
    if (weight >= least) return [];
    const problem = `${weight} % is finer than a pod: ${pods(canary.minReplicas)} beside ${replicas} of stable is ${round(least)} %`;
    return [{ code: 'stage-finer-than-a-pod', path, problem, fix, severity: 'warning' }];
  });
}

function pods(count: number): string {
  return count === 1 ? '1 pod' : `${count} pods`;
}

function round(percent: number): number {
  return Math.round(percent * 10) / 10;
}

function shortWindow({ metrics, intervalMs }: ReleasePolicy): readonly LintFinding[] {
  if (metrics.kind !== 'prometheus' || intervalMs >= metrics.scrapeMs) return [];
  const scrape = formatDuration(metrics.scrapeMs);
  const byDefault = scrape === DEFAULT_SCRAPE ? ' (the default)' : '';
  return [
    {
      code: 'interval-shorter-than-scrape',
      path: 'spec.interval',
      problem: `a window of ${intervalMs / 1_000}s often holds no sample: spec.metrics.prometheus.scrape says ${scrape}${byDefault}`,
      fix: `if your Prometheus scrapes more or less often, write its interval as scrape; if not, write interval: ${scrape}`,
      severity: 'info',
    },
  ];
}
