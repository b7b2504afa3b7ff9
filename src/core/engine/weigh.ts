// Folds what was measured into the release's evidence and judges it anew. A window and its cursor enter the state in
// the same decision, so that no window is counted twice whatever crashes (I6).
import {
  broken,
  combinedLogHarm,
  type Evidence,
  evidenceShares,
  foldHistory,
  foldWindow,
  judge,
  needsHistory,
  startEvidence,
} from '../analysis/index.ts';
import type { Check } from '../model/check.ts';
import type { Measurement, Reading } from '../model/measurement.ts';
import { elapsedMs } from '../model/time.ts';
import type { Verdict } from '../model/verdict.ts';
import { addExposure } from './exposure.ts';
import { isAsAsked } from './passing.ts';
import { weightInQuestion } from './plateau.ts';
import { settingsOf } from './settings.ts';
import { foldShares } from './shares.ts';
import type { Release } from './state.ts';
import { say, seen, type Turn, updateRelease } from './turn.ts';

export function weigh(turn: Turn): void {
  const { release } = turn.state;
  if (release === null) return;
  const evidence = { ...startAll(release) };
  learnFromPast(turn, release, evidence);
  const { measured, now } = turn.observation;
  if (measured.kind === 'measurement') {
    foldMeasurement(turn, release, evidence, measured.measurement);
  } else if (measured.kind === 'error') {
    for (const [name, own] of Object.entries(evidence)) evidence[name] = broken(own, measured.message);
    updateRelease(turn, { lastWindow: now });
  } else if (isWindowDue(release, now)) {
    foldSilence(turn, release, evidence);
  }
  updateRelease(turn, { evidence });
  judgeAll(turn);
}

/** Whether a window may be read now: one interval after the one before. */
export function isWindowDue(release: Release, now: Parameters<typeof elapsedMs>[1]): boolean {
  const { lastWindow, policy, phase } = release;
  if (phase.kind !== 'testing') return false;
  if (lastWindow === null || lastWindow.epoch !== now.epoch) return true;
  return elapsedMs(lastWindow, now) >= policy.intervalMs;
}

export function needsAnyHistory(release: Release): boolean {
  return release.policy.checks.some((check) => needsHistory(check, release.evidence[check.name]));
}

function startAll(release: Release): Record<string, Evidence> {
  const settings = settingsOf(release.policy);
  const evidence: Record<string, Evidence> = {};
  for (const check of release.policy.checks) {
    evidence[check.name] = release.evidence[check.name] ?? startEvidence(check, settings);
  }
  return evidence;
}

function learnFromPast(turn: Turn, release: Release, evidence: Record<string, Evidence>): void {
  const { history } = turn.observation;
  const stable = release.from?.revision;
  if (history === null || stable === undefined) return;
  const settings = settingsOf(release.policy);
  for (const check of release.policy.checks) {
    const own = evidence[check.name];
    if (own === undefined) continue;
    evidence[check.name] = foldHistory(check, own, { stable, history }, settings);
  }
}

function foldMeasurement(
  turn: Turn,
  release: Release,
  evidence: Record<string, Evidence>,
  measurement: Measurement,
): void {
  const { now } = turn.observation;
  const isOpening = release.cursor === null;
  const sinceLast = release.lastWindow === null ? 0 : elapsedMs(release.lastWindow, now);
  const passedMs = release.paused === null ? sinceLast : 0;
  const settings = settingsOf(release.policy);
  const weightAtEnd = isAsAsked(turn, release.to.revision, release.weightPercent) ? release.weightPercent : null;
  // The weight chance drew with in the whole window; null if it moved, or the data plane did not give it.
  const weightPercent = release.windowWeight === release.weightPercent ? weightAtEnd : null;
  for (const check of release.policy.checks) {
    const own = evidence[check.name];
    if (own === undefined || isOpening) continue;
    evidence[check.name] = foldWindow(check, own, {
      reading: measurement.readings[check.name],
      parts: partsOf(check, measurement),
      weightPercent,
      stable: release.from?.revision ?? null,
      canary: release.to.revision,
      passedMs,
      warmingUp: isWarmingUp(turn, release, check, measurement.spanMs),
      settings,
    });
  }
  updateRelease(turn, {
    cursor: measurement.cursor,
    lastWindow: now,
    windowWeight: weightAtEnd,
    sampleRatio: isOpening ? release.sampleRatio : foldShares(release, measurement, weightPercent),
    windows: release.windows + (isOpening ? 0 : 1),
    exposure: addExposure(release, measurement),
  });
}

/** The readings of a check that is measured in parts, by the part's own name (aca/errors). */
function partsOf(check: Check, measurement: Measurement): Record<string, Reading | undefined> {
  if (check.metric.kind !== 'kayenta') return {};
  return Object.fromEntries(
    check.metric.config.metrics.map(({ name }) => [name, measurement.readings[`${check.name}/${name}`]]),
  );
}

/** A window was due and the source had none: the silence counts, the cursor stands. */
function foldSilence(turn: Turn, release: Release, evidence: Record<string, Evidence>): void {
  const { now } = turn.observation;
  const passedMs = release.paused !== null || release.lastWindow === null ? 0 : elapsedMs(release.lastWindow, now);
  const settings = settingsOf(release.policy);
  for (const check of release.policy.checks) {
    const own = evidence[check.name];
    if (own === undefined) continue;
    evidence[check.name] = foldWindow(check, own, {
      reading: { kind: 'no-data', message: 'the source has nothing for this window' },
      weightPercent: null,
      stable: release.from?.revision ?? null,
      canary: release.to.revision,
      passedMs,
      warmingUp: false,
      settings,
    });
  }
  updateRelease(turn, { lastWindow: now });
}

/** A window belongs to the warm-up if any part of it does: what was counted in it cannot be told apart. */
function isWarmingUp(turn: Turn, release: Release, check: Check, spanMs: number): boolean {
  const canary = seen(turn, release.to.revision);
  return check.warmUpMs > 0 && canary !== null && canary.readyForMs - spanMs < check.warmUpMs;
}

function judgeAll(turn: Turn): void {
  const { release } = turn.state;
  if (release === null) return;
  const { checks, exposure } = release.policy;
  const settings = settingsOf(release.policy);
  const shares = evidenceShares(checks);
  const nextWeightPercent = weightInQuestion(release);
  const verdicts: Verdict[] = [];
  for (const check of checks) {
    const own = release.evidence[check.name];
    if (own === undefined) continue;
    const share = shares.get(check.name) ?? 0;
    const context = { settings, share, nextWeightPercent };
    verdicts.push(judge(check, own, { ...context, badPerInterval: exposure.badPerInterval }));
  }
  updateRelease(turn, { verdicts, logHarm: combinedLogHarm(checks, release.evidence, shares) });
  announceChanges(turn, release.verdicts, verdicts);
}

function announceChanges(turn: Turn, before: readonly Verdict[], after: readonly Verdict[]): void {
  for (const verdict of after) {
    const old = before.find((entry) => entry.check === verdict.check);
    if (old?.outcome === verdict.outcome && old.reason === verdict.reason) continue;
    say(turn, 'verdict', `${verdict.message} [${verdict.outcome}]`, { check: verdict.check, numbers: verdict.numbers });
  }
}
