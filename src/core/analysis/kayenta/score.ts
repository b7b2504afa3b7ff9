// Labels become one score from 0 to 100, and the score a verdict: Kayenta's WeightedSumScorer, ScoringHelper and
// ThresholdScoreClassifier (spinnaker/kayenta, a69573b). Refuses to look at a measurement.

import type { KayentaClassification, KayentaLabel } from './classify.ts';
import type { KayentaConfig } from './config.ts';

export interface KayentaGroupScore {
  readonly name: string;
  /** Passed of all metrics with a label that counts, in percent; 0 without one, though the sum then counts 100. */
  readonly score: number;
  readonly noData: boolean;
  readonly labels: Readonly<Partial<Record<KayentaLabel, number>>>;
}

export interface KayentaScore {
  readonly score: number;
  readonly verdict: 'Pass' | 'Marginal' | 'Fail';
  /** Why the score is 0 whatever the groups say; empty if they decide. */
  readonly reason: string;
  readonly groups: readonly KayentaGroupScore[];
}

/** This share of metrics without data fails the canary. */
const NODATA_PERCENT = 50;
const COUNTING: readonly KayentaLabel[] = ['Pass', 'High', 'Low', 'NodataFailMetric'];

export function scoreKayenta(
  classifications: readonly KayentaClassification[],
  { groupWeights = {}, thresholds }: Pick<KayentaConfig, 'groupWeights' | 'thresholds'>,
): KayentaScore {
  const heard = classifications.filter(({ muted }) => !muted);
  const groups = groupScores(heard);
  const critical = heard.find(({ critical, label }) => critical && label !== 'Pass');
  const nodata = heard.filter(({ label }) => label === 'Nodata').length;
  const tooFew = (100 * nodata) / heard.length >= NODATA_PERCENT;
  const reason = critical?.reason ?? (tooFew ? `no data for ${nodata} of ${heard.length} metrics` : '');
  const score = critical === undefined && !tooFew ? weightedSum(groups, groupWeights) : 0;
  const verdict = score >= thresholds.pass ? 'Pass' : score >= thresholds.marginal ? 'Marginal' : 'Fail';
  return { score, verdict, reason, groups };
}

function groupScores(classifications: readonly KayentaClassification[]): KayentaGroupScore[] {
  const byGroup = new Map<string, Partial<Record<KayentaLabel, number>>>();
  for (const { groups, label } of classifications) {
    for (const group of groups) {
      const labels = byGroup.get(group) ?? {};
      byGroup.set(group, { ...labels, [label]: (labels[label] ?? 0) + 1 });
    }
  }
  return [...byGroup].map(([name, labels]) => {
    const total = COUNTING.reduce((sum, label) => sum + (labels[label] ?? 0), 0);
    return { name, score: total === 0 ? 0 : ((labels.Pass ?? 0) / total) * 100, noData: total === 0, labels };
  });
}

/** Groups without a weight share the rest of 100, which is negative if the weights already exceed it. */
function weightedSum(groups: readonly KayentaGroupScore[], weights: Readonly<Record<string, number>>): number {
  const given = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  const others = groups.filter(({ name }) => weights[name] === undefined).length;
  const share = others === 0 ? 0 : (100 - given) / others;
  const sum = groups.reduce(
    (total, { name, score, noData }) => total + (noData ? 100 : score) * ((weights[name] ?? share) / 100),
    0,
  );
  return roundToCents(sum);
}

/** Half up by the decimal digits that are shown, not by the binary fraction behind them. */
function roundToCents(value: number): number {
  const size = Math.abs(value);
  if (size < 1e-3) return 0;
  return Math.sign(value) * Number(`${Math.round(Number(`${size}e2`))}e-2`);
}
