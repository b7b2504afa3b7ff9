// The judge of Kayenta over a release: one value per metric, version and step, and a judgement whenever its run says that
// one is due. Refuses to let missing data alone fail a version: such a judgement waits (mustHaveData fails it all the same,
// as whoever wrote it asks).
import type { KayentaCheck, KayentaMetric } from '../model/check.ts';
import {
  judgeKayenta,
  type KayentaConfig,
  type KayentaJudgement,
  type KayentaRunSettings,
  type KayentaSeries,
  kayentaStep,
  nextKayentaWindow,
} from './kayenta/index.ts';
import type { KayentaEvidence, KayentaPoints } from './peer-evidence.ts';
import { badFraction, NO_SUMS, type PeerSums, quantileSeconds } from './peer-sums.ts';

const MINUTE_MS = 60_000;

export function kayentaRunSettings(config: KayentaCheck): KayentaRunSettings {
  return {
    startMs: 0,
    lifetimeMinutes: config.lifetimeMs / MINUTE_MS,
    intervalMinutes: config.intervalMs / MINUTE_MS,
    lookbackMinutes: config.lookbackMs / MINUTE_MS,
    thresholds: { pass: config.pass, marginal: config.marginal },
  };
}

/** Ends the steps that are over, and makes the judgement that is due. */
export function lookKayenta(config: KayentaCheck, before: KayentaEvidence): KayentaEvidence {
  if (before.run.end !== 'running') return before;
  const steps = Math.floor(before.clockMs / config.stepMs);
  if (steps === before.steps) return before;
  return judgeDue(config, endSteps(config, before, steps));
}

/** The sums are the first step's; a window that spans more steps leaves the others without a value. */
function endSteps(config: KayentaCheck, before: KayentaEvidence, steps: number): KayentaEvidence {
  const points: Record<string, KayentaPoints> = {};
  for (const { name, metric } of config.metrics) {
    const sums = before.sums[name] ?? { control: NO_SUMS, experiment: NO_SUMS };
    const known = before.points[name] ?? { control: [], experiment: [] };
    const add = (values: KayentaPoints['control'], own: PeerSums) =>
      kept(config, [...values, pointOf(metric, own), ...missing(config, steps - before.steps - 1)]);
    points[name] = {
      control: add(known.control, sums.control),
      experiment: add(known.experiment, sums.experiment),
    };
  }
  return { ...before, sums: {}, points, steps };
}

/** No more of them than are ever looked at. */
function missing(config: KayentaCheck, count: number): null[] {
  return new Array<null>(Math.min(count, Math.ceil(config.lifetimeMs / config.stepMs))).fill(null);
}

/** With a lookback, what lies before it is not looked at again. */
function kept({ lookbackMs, stepMs }: KayentaCheck, values: KayentaPoints['control']): KayentaPoints['control'] {
  return lookbackMs === 0 ? values : values.slice(-Math.ceil(lookbackMs / stepMs));
}

/** Percent of requests that are bad, or milliseconds; null without a request. */
function pointOf(metric: KayentaMetric['metric'], sums: PeerSums): number | null {
  if (metric.kind === 'errors') {
    const bad = badFraction(sums);
    return bad === null ? null : 100 * bad;
  }
  const seconds = quantileSeconds(sums, metric.quantile);
  return seconds === null ? null : 1000 * seconds;
}

function judgeDue(config: KayentaCheck, peer: KayentaEvidence): KayentaEvidence {
  const settings = kayentaRunSettings(config);
  const due = nextKayentaWindow(settings, peer.run);
  if (due === undefined || peer.steps * config.stepMs < due.dueMs) return peer;
  const judgement = judgeKayenta(configOf(config), seriesOf(config, peer));
  const findings = judgement.classifications.filter(({ label }) => label !== 'Pass').map(({ reason }) => reason);
  const score = isEmpty(judgement) ? harmfulScore(config, peer, judgement) : judgement.score;
  if (score === null) return { ...peer, waits: judgement.reason, findings };
  return { ...peer, run: kayentaStep(settings, peer.run, score), value: score, waits: null, findings };
}

/** The score of what was measured, if that alone is harm; null: nothing is known yet. */
function harmfulScore(
  config: KayentaCheck,
  peer: KayentaEvidence,
  { classifications }: KayentaJudgement,
): number | null {
  const heard = new Set(classifications.filter(({ label }) => label !== 'Nodata').map(({ metric }) => metric));
  if (heard.size === 0) return null;
  const series = seriesOf(config, peer).filter(({ name }) => heard.has(name));
  const { score } = judgeKayenta(configOf(config), series);
  return score <= config.marginal ? score : null;
}

/** The score is 0 because data is missing, and nothing that was measured made it so. */
function isEmpty({ reason, classifications }: KayentaJudgement): boolean {
  return reason !== '' && !classifications.some(({ critical, label }) => critical && label !== 'Nodata');
}

function configOf({ metrics, groupWeights, pass, marginal }: KayentaCheck): KayentaConfig {
  return {
    metrics: metrics.map(({ name, group, direction, critical, nanStrategy, mustHaveData }) => ({
      name,
      groups: [group],
      direction,
      critical,
      nanStrategy,
      mustHaveData,
    })),
    groupWeights,
    thresholds: { pass, marginal },
  };
}

function seriesOf({ metrics }: KayentaCheck, { points }: KayentaEvidence): KayentaSeries[] {
  const numbers = (values: KayentaPoints['control'] = []) => values.map((value) => value ?? Number.NaN);
  return metrics.map(({ name }) => ({
    name,
    control: numbers(points[name]?.control),
    experiment: numbers(points[name]?.experiment),
  }));
}
