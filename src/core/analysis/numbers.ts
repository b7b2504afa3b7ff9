// What a check's evidence says in numbers: odds for and against harm, bounds on the excess, what is shown, what would
// change the answer. Refuses to decide: lines and their meaning are the judge's.
import type { Check } from '../model/check.ts';
import type { VerdictNumbers } from '../model/verdict.ts';
import {
  estimate,
  logAbsoluteHarmE,
  logAbsoluteNoHarmE,
  logAddExp,
  logHarmE,
  logNoHarmE,
  logTailHarmE,
  logTailHarmEAt,
  logTailNoHarmE,
  lowerExcess,
  lowerRate,
  tailCounts,
  upperExcess,
  upperRate,
  upperTailExcess,
} from '../statistics/index.ts';
import { type AnalysisSettings, type Counts, type Evidence, limitRate } from './evidence.ts';
import { latencyBounds } from './latency.ts';
import { logMeanHarm, logMeanNoHarm, meanBounds } from './mean.ts';

export interface NumbersContext {
  readonly settings: AnalysisSettings;
  /** The check's part v of the abort evidence, 0..1; 0 for informational checks and gauges. */
  readonly share: number;
}

/** ln of the check's evidence of harm; a check with two questions bets half on each. */
export function logHarm(evidence: Evidence): number {
  const { absolute } = evidence;
  const relative = logRelativeHarm(evidence);
  if (relative === null) return absolute === null ? 0 : logAbsoluteHarmE(absolute);
  return absolute === null ? relative : logAddExp(relative, logAbsoluteHarmE(absolute)) - Math.LN2;
}

/** Against stable; null if nothing is compared (yet). */
function logRelativeHarm({ relative, latency, mean }: Evidence): number | null {
  if (latency !== null) return logTailHarmE(latency.state);
  if (mean !== null) return logMeanHarm(mean);
  return relative === null ? null : logHarmE(relative);
}

/** One comparison with stable that promotion and the risk bound look at. */
interface Comparison {
  readonly logNoHarm: (margin: number) => number;
  readonly upper: (alpha: number) => number;
}

/** Latency has one for each bound line; a mean has none that bounds a rate of bad requests. */
function comparisons({ relative, latency }: Evidence): readonly Comparison[] {
  if (latency !== null) {
    return latency.bound.map((_, i) => ({
      logNoHarm: (margin) => logTailNoHarmE(latency.state, i, margin),
      upper: (alpha) => upperTailExcess(latency.state, i, alpha),
    }));
  }
  if (relative === null) return [];
  return [{ logNoHarm: (margin) => logNoHarmE(relative, margin), upper: (alpha) => upperExcess(relative, alpha) }];
}

/** ln of the check's evidence of no harm: every question must be answered, so the weakest one counts. */
function logNoHarm(check: Check, evidence: Evidence, margin = check.tolerance?.margin ?? 0): number {
  const relative = comparisons(evidence).map((comparison) => comparison.logNoHarm(margin));
  const mean = evidence.mean === null ? [] : [logMeanNoHarm(evidence.mean)];
  const absolute = evidence.absolute === null ? [] : [logAbsoluteNoHarmE(evidence.absolute)];
  const least = Math.min(...relative, ...mean, ...absolute);
  return Number.isFinite(least) ? least : 0;
}

export function numbersOf(check: Check, evidence: Evidence, { share, settings }: NumbersContext): VerdictNumbers {
  const shown = shownLine(check, evidence);
  const harm = logHarm(evidence);
  const noHarm = logNoHarm(check, evidence);
  const logHarmLine = share > 0 ? -Math.log(settings.alphaAbort * share) : Number.MAX_VALUE;
  const logNoHarmLine = -Math.log(settings.alphaPromote);
  const atDeadline = check.tolerance?.atDeadline ?? null;
  return {
    canary: shown.canary,
    stable: shown.stable,
    ...boundsOf(evidence, settings.alphaPromote),
    tolerance: check.tolerance !== null ? check.tolerance.margin : (limitRate(check) ?? check.limit?.value ?? null),
    logHarm: harm,
    logNoHarm: noHarm,
    logHarmLine,
    logNoHarmLine,
    value: shown.value,
    elsewhere: shown.elsewhere,
    isAcceptable: atDeadline === null ? null : logNoHarm(check, evidence, atDeadline) >= logNoHarmLine,
    toPass: requestsToPass(evidence, noHarm, logNoHarmLine),
    toFail: harm >= logHarmLine || share === 0 ? null : badToFail(evidence, logHarmLine - harm),
  };
}

/** Evidence of no harm grows about evenly with the canary's requests: the rest of the way, at the pace so far. */
function requestsToPass({ canary }: Evidence, noHarm: number, line: number): number | null {
  if (noHarm >= line || noHarm < LEAST_PACE || canary.total === 0) return null;
  return Math.ceil((canary.total * (line - noHarm)) / noHarm);
}

/** Evidence below this says nothing yet about how fast it grows. */
const LEAST_PACE = 0.3;

/**
 * Roughly: each further bad request of the canary multiplies the evidence by about its share's inverse, at most 20-fold
 * (a bet on one hundred times as many, at 5 %).
 */
function badToFail({ canary, stable }: Evidence, nats: number): number | null {
  const all = canary.total + stable.total;
  if (canary.total === 0 || all === 0) return null;
  const perBad = Math.min(Math.log(20), Math.max(Math.LN2 / 2, Math.log(all / canary.total)));
  return Math.max(2, Math.ceil(nats / perBad));
}

interface ShownLine {
  readonly canary: Counts;
  readonly stable: Counts;
  /** The latency that counts as slow, or a gauge's worst value. */
  readonly value: number | null;
  readonly elsewhere: number | null;
}

/** Counts, bounds and value are of one line: for latency that of its quantile. */
function shownLine(check: Check, { latency, canary, stable, gauge, peer }: Evidence): ShownLine {
  if (peer != null) return { canary, stable, value: peer.value, elsewhere: null };
  if (latency === null) return { canary, stable, value: shownValue(check, gauge), elsewhere: null };
  const own = latency.bound[0] ?? 0;
  const worst = worstLine(latency);
  const value = latency.seconds[own] ?? null;
  return {
    ...tailCounts(latency.state, own),
    value,
    elsewhere: worst === own ? null : (latency.seconds[worst] ?? null),
  };
}

function worstLine(latency: NonNullable<Evidence['latency']>): number {
  let worst = latency.bound[0] ?? 0;
  let most = logTailHarmEAt(latency.state, worst);
  for (let line = 0; line < latency.seconds.length; line++) {
    const log = logTailHarmEAt(latency.state, line);
    if (log > most) [worst, most] = [line, log];
  }
  return worst;
}

function boundsOf({ absolute, relative, latency, mean }: Evidence, alpha: number) {
  if (mean !== null) return meanBounds(mean, alpha);
  if (latency !== null) return latencyBounds(latency, alpha);
  if (relative !== null) {
    return {
      excess: relative.ticks === 0 ? null : (estimate(relative).excess ?? null),
      lower: lowerExcess(relative, alpha),
      upper: upperExcess(relative, alpha),
    };
  }
  if (absolute === null) return { excess: null, lower: null, upper: null };
  return {
    excess: absolute.total === 0 ? null : absolute.bad / absolute.total,
    lower: lowerRate(absolute, alpha),
    upper: upperRate(absolute, alpha),
  };
}

function shownValue(check: Check, gauge: Evidence['gauge']): number | null {
  if (check.metric.kind === 'gauge') return gauge?.worst ?? null;
  return check.metric.kind === 'latency' ? (check.limit?.value ?? null) : null;
}

/** U: the largest rate of excess bad requests the evidence leaves open, at alpha_P. */
export function riskBound(check: Check, evidence: Evidence, settings: AnalysisSettings): number {
  const relative = comparisons(evidence).map((comparison) => comparison.upper(settings.alphaPromote));
  const limit = limitRate(check) ?? 0;
  const absolute = evidence.absolute === null ? -1 : upperRate(evidence.absolute, settings.alphaPromote) - limit;
  return Math.max(...relative, absolute);
}
