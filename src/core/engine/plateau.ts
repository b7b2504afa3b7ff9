// The plateau a release stands on, and the next one: from fixed stages, or from the risk bound of an adaptive ramp.
import { provenWeightPercent } from '../analysis/index.ts';
import type { Check } from '../model/check.ts';
import type { Gate } from '../model/policy.ts';
import { settingsOf } from './settings.ts';
import type { Release } from './state.ts';

export interface Plateau {
  readonly index: number;
  readonly bakeMs: number;
  readonly checks: readonly Check[];
  readonly gates: readonly Gate[];
  readonly advance: 'exposure' | 'proven';
  /** The weight after this plateau; null means promotion. */
  readonly nextWeightPercent: number | null;
}

export function plateauOf(release: Release): Plateau {
  const { ramp, checks, leastBakeMs } = release.policy;
  const index = release.phase.kind === 'testing' ? release.phase.stage : 0;
  if (ramp.kind === 'adaptive') {
    return { index, bakeMs: leastBakeMs, checks, gates: ramp.gates, advance: 'exposure', nextWeightPercent: null };
  }
  const stage = ramp.stages[index];
  const named = stage?.checks ?? null;
  return {
    index,
    bakeMs: stage?.bakeMs ?? 0,
    checks: named === null ? checks : checks.filter((check) => named.includes(check.name)),
    gates: stage?.gates ?? [],
    advance: stage?.advance ?? 'proven',
    nextWeightPercent: ramp.stages[index + 1]?.weightPercent ?? null,
  };
}

/** The weight the exposure question is asked for: that of the next stage, or the present one where none follows. */
export function weightInQuestion(release: Release): number {
  return plateauOf(release).nextWeightPercent ?? release.weightPercent;
}

/** Smaller moves than this part of the present weight are not worth a change of the split. */
const LEAST_MOVE = 0.1;

/**
 * Adaptive ramp: w = clamp(B / (max U x requests per interval), first, max) (statistics 3). The weight falls at once
 * when the bound says so; it rises only while every needed check answers.
 */
export function adaptiveWeight(release: Release): number {
  const { ramp, checks, exposure } = release.policy;
  if (ramp.kind !== 'adaptive') return release.weightPercent;
  let proven = 100;
  for (const check of checks) {
    if (check.role === 'informational' || (check.role === 'guardrail' && check.metric.kind === 'gauge')) continue;
    const evidence = release.evidence[check.name];
    const context = { badPerInterval: exposure.badPerInterval, settings: settingsOf(release.policy) };
    const own = evidence === undefined ? 0 : provenWeightPercent(check, evidence, context);
    proven = Math.min(proven, own);
  }
  const weight = Math.min(ramp.maxWeightPercent, Math.max(ramp.firstWeightPercent, Math.floor(proven * 100) / 100));
  const isSmall = Math.abs(weight - release.weightPercent) < LEAST_MOVE * release.weightPercent;
  return isSmall && weight !== ramp.maxWeightPercent ? release.weightPercent : weight;
}
