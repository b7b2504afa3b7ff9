// Kayenta's standalone analysis over time, as a state machine: when to judge, over which window, and what a score does
// (SetupAndExecuteCanariesStage, MonitorCanaryTask and GenerateCanaryAnalysisResultTask of spinnaker/kayenta, a69573b).
// Refuses to fetch or judge anything, and has no clock: it says when the next judgement is due and takes its score.
//
//   start ── beginAfter ──┬── interval ──┬── interval ──┬─ ...      lookback 0: the window grows from its start
//                         from           judge 1        judge 2     lookback > 0: the last so many minutes

import type { KayentaThresholds } from './config.ts';

export interface KayentaRunSettings {
  readonly startMs: number;
  readonly lifetimeMinutes: number;
  /** Default, and where it is 0 or longer than the lifetime: the lifetime. */
  readonly intervalMinutes?: number;
  readonly beginAfterMinutes?: number;
  readonly lookbackMinutes?: number;
  /** The lifetime lies in the past: judge at once, without a warm-up. */
  readonly retrospective?: boolean;
  readonly thresholds: KayentaThresholds;
}

export interface KayentaRunState {
  /** One a judgement; a judgement that broke counts 0. */
  readonly scores: readonly number[];
  readonly end: 'running' | 'passed' | 'failed';
  readonly reason: string;
}

export interface KayentaWindow {
  /** From 1. */
  readonly judgement: number;
  readonly dueMs: number;
  readonly fromMs: number;
  readonly toMs: number;
}

const MINUTE_MS = 60_000;

export function startKayentaRun(settings: KayentaRunSettings): KayentaRunState {
  const { lifetimeMinutes, startMs } = settings;
  if (!(lifetimeMinutes >= 1)) {
    throw new RangeError(`the lifetime must be at least 1 minute, but is ${lifetimeMinutes} minutes`);
  }
  if (!Number.isFinite(startMs)) throw new RangeError(`startMs must be a finite time, but is ${startMs}`);
  return { scores: [], end: 'running', reason: '' };
}

export function kayentaJudgements(settings: KayentaRunSettings): number {
  return Math.floor(Math.floor(settings.lifetimeMinutes) / Math.floor(intervalMinutesOf(settings)));
}

/** The window of the next judgement, and when it is due; undefined once the run is over. */
export function nextKayentaWindow(settings: KayentaRunSettings, state: KayentaRunState): KayentaWindow | undefined {
  if (state.end !== 'running') return undefined;
  const { startMs, beginAfterMinutes = 0, lookbackMinutes = 0, retrospective = false } = settings;
  const judgement = state.scores.length + 1;
  const beginMs = startMs + (retrospective ? 0 : beginAfterMinutes * MINUTE_MS);
  const toMs = beginMs + judgement * intervalMinutesOf(settings) * MINUTE_MS;
  const fromMs = lookbackMinutes > 0 ? toMs - lookbackMinutes * MINUTE_MS : beginMs;
  return { judgement, dueMs: retrospective ? startMs : toMs, fromMs, toMs };
}

/**
 * The state after the next judgement's score; null for a judgement that broke. A score at the marginal threshold already
 * ends the run (the judge itself would still call it Marginal); the last score must reach the pass threshold.
 */
export function kayentaStep(
  settings: KayentaRunSettings,
  state: KayentaRunState,
  score: number | null,
): KayentaRunState {
  if (state.end !== 'running') throw new RangeError(`this run has ended already: it ${state.end}`);
  const { pass, marginal } = settings.thresholds;
  const scores = [...state.scores, score ?? 0];
  if (score === null) return { scores, end: 'failed', reason: `judgement ${scores.length} broke` };
  if (score <= marginal) {
    return { scores, end: 'failed', reason: `score ${score} is not above the marginal threshold of ${marginal}` };
  }
  if (scores.length < kayentaJudgements(settings)) return { scores, end: 'running', reason: '' };
  if (score < pass) {
    return { scores, end: 'failed', reason: `the final score ${score} is below the pass threshold of ${pass}` };
  }
  return { scores, end: 'passed', reason: `the final score ${score} reaches the pass threshold of ${pass}` };
}

function intervalMinutesOf({ lifetimeMinutes, intervalMinutes }: KayentaRunSettings): number {
  if (intervalMinutes === undefined || intervalMinutes <= 0 || intervalMinutes > lifetimeMinutes)
    return lifetimeMinutes;
  if (intervalMinutes < 1) throw new RangeError(`an interval must be at least 1 minute, but is ${intervalMinutes}`);
  return intervalMinutes;
}
