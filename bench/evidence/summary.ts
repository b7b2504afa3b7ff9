// From rows of replications to the figures that are printed: rates with exact limits, means with their standard error.
import { binomialInterval } from '../../src/core/statistics/index.ts';
import type { ReleaseRow } from './work.ts';
import type { Scenario } from './worlds/scenario.ts';

export interface Rate {
  readonly count: number;
  readonly of: number;
  readonly rate: number;
  /** Exact two-sided 95 % limits (Clopper & Pearson). */
  readonly lower: number;
  readonly upper: number;
}

export interface Mean {
  readonly mean: number;
  /** 1.96 standard errors. */
  readonly within: number;
  readonly median: number;
  readonly p90: number;
}

export interface ReleaseSummary {
  readonly section: string;
  readonly scenario: Scenario;
  readonly contestant: string;
  readonly aborted: Rate;
  readonly promoted: Rate;
  readonly undecided: Rate;
  readonly abortSeconds: Mean | null;
  readonly promoteSeconds: Mean | null;
  readonly excessBad: Mean;
  readonly canaryRequests: Mean;
}

export interface BareSummary {
  readonly id: string;
  readonly kind: string;
  readonly limit: number;
  readonly n: number;
  /** In multiples of the limit (crash: bad answers before the deciding tick). */
  readonly times: Mean;
}

export function rateOf(count: number, of: number): Rate {
  return { count, of, rate: count / of, ...binomialInterval(count, of, 0.95) };
}

/** One-sided exact upper limit. */
export function upperLimit(count: number, of: number, confidence: number): number {
  return binomialInterval(count, of, 2 * confidence - 1).upper;
}

export function meanOf(values: readonly number[]): Mean {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, n - 1);
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.min(n - 1, Math.floor(part * n))] ?? 0;
  return { mean, within: 1.96 * Math.sqrt(variance / n), median: at(0.5), p90: at(0.9) };
}

export function summarise(
  { section, scenario, contestant }: Pick<ReleaseSummary, 'section' | 'scenario' | 'contestant'>,
  rows: readonly ReleaseRow[],
): ReleaseSummary {
  const ended = (code: number): readonly ReleaseRow[] => rows.filter(([end]) => end === code);
  const aborts = ended(2);
  const promotions = ended(1);
  const seconds = (some: readonly ReleaseRow[]): Mean | null =>
    some.length === 0 ? null : meanOf(some.map(([, atSeconds]) => atSeconds));
  return {
    section,
    scenario,
    contestant,
    aborted: rateOf(aborts.length, rows.length),
    promoted: rateOf(promotions.length, rows.length),
    undecided: rateOf(ended(0).length, rows.length),
    abortSeconds: seconds(aborts),
    promoteSeconds: seconds(promotions),
    excessBad: meanOf(rows.map(([, , , excess]) => excess)),
    canaryRequests: meanOf(rows.map(([, , requests]) => requests)),
  };
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
