// I7 and the road to it: weight rises only as the policy's stages, their bake times, their gates, the evidence that was
// really delivered, and people's answered commands allow.
import type { Release } from '../../core/engine/state.ts';
import type { Gate, Stage } from '../../core/model/policy.ts';
import { accepted, type Book, isPausedNow, pausedMs, type ReleaseBook, releaseBook, windowsOf } from './book.ts';
import { mostNoHarm, mostWeight } from './oracle.ts';
import type { Accuse } from './traffic.ts';

/** ln units by which the independent reckoning may differ: rounding and the cap on one window. */
const SLACK_NATS = 0.7;
/** The engine counts watched time in whole looks; a stage may be left one look early by the world's clock. */
const LOOK_MS = 1_000;

export interface Rise {
  readonly release: Release;
  readonly weight: number;
  readonly nowMs: number;
}

/** The controller asks the data plane for more weight than this release ever asked for before. */
export function checkRise(book: Book, rise: Rise, accuse: Accuse): void {
  const { release, weight, nowMs } = rise;
  const entry = releaseBook(book, release, nowMs);
  if (weight <= entry.mostWeight) return;
  const isFirst = entry.mostWeight === 0;
  entry.mostWeight = weight;
  if (release.unanalysed !== null && release.unanalysed.why !== 'policy') return;
  if (release.phase.kind !== 'testing' && release.phase.kind !== 'promoting') {
    accuse('I7', `weight rises to ${weight} % in phase ${release.phase.kind}`);
    return;
  }
  // After a hand at the split this may be less than what is there: then nothing rises.
  const { applied } = book.service.plane.carries(release.to.revision);
  const isFall = weight <= applied;
  if (weight === 100 || isFall) return;
  if (isPausedNow(book)) accuse('I7', `weight rises to ${weight} % while people have it paused`);
  if (release.weightPercent !== weight) {
    accuse('I6', `${weight} % is asked of the data plane, but ${release.weightPercent} % is what is recorded`);
  }
  checkLadder(release, weight, accuse);
  // A weight decided before and back from 0 (its replicas had died) has no readings: at 0 there is nothing to measure.
  if (isFirst || applied === 0 || release.policy.analysis === 'none') return;
  checkEvidenceNow(book, release, nowMs, accuse);
}

function checkLadder(release: Release, weight: number, accuse: Accuse): void {
  const { ramp } = release.policy;
  if (ramp.kind === 'adaptive') {
    if (weight > Math.max(ramp.maxWeightPercent, ramp.firstWeightPercent)) {
      accuse('I7', `${weight} % is above the ramp's ${ramp.maxWeightPercent} %`);
    }
    return;
  }
  const stage = release.phase.kind === 'testing' ? release.phase.stage : -1;
  if (ramp.stages[stage]?.weightPercent !== weight) {
    accuse('I7', `row 55: ${weight} % is not the weight of stage ${stage}`);
  }
}

/** More weight is recorded than this release ever had: asked of the world as it was when that was decided. */
export function checkRiseDecided(book: Book, { release, weight, nowMs }: Rise, accuse: Accuse): void {
  const { ramp, analysis } = release.policy;
  const stage = release.phase.kind === 'testing' ? release.phase.stage : 0;
  const entry = releaseBook(book, release, nowMs);
  const isFirst = entry.decidedWeight === 0;
  entry.decidedWeight = weight;
  if (isFirst || release.phase.kind !== 'testing') return;
  if (ramp.kind === 'stages') checkStageLeft(book, { release, stage: stage - 1, nowMs }, accuse);
  if (analysis === 'none') return;
  checkEvidenceNow(book, release, nowMs, accuse);
  if (ramp.kind === 'adaptive' || isAsked(release, stage - 1)) checkRisk(book, release, weight, accuse);
}

/** Whether the error check, the one that is reckoned again here, is asked in this stage and required. */
function isAsked(release: Release, stage: number): boolean {
  const { ramp } = release.policy;
  const named = ramp.kind === 'stages' ? (ramp.stages[stage]?.checks ?? null) : null;
  return named === null || named.includes('errors');
}

/** Bake time by the world's clock, gates by the world's answers, a person's word by the answered commands. */
export function checkStageLeft(
  book: Book,
  { release, stage, nowMs }: { readonly release: Release; readonly stage: number; readonly nowMs: number },
  accuse: Accuse,
): void {
  const { ramp } = release.policy;
  const left = ramp.kind === 'stages' ? ramp.stages[stage] : undefined;
  if (left === undefined) return;
  const entry = releaseBook(book, release, nowMs);
  const isSameWeight = ramp.kind === 'stages' && ramp.stages[stage - 1]?.weightPercent === left.weightPercent;
  const isHurried = accepted(book, release.id, 'advance').length > 0;
  if (!isHurried) checkBake(book, entry, { stage, left, nowMs, isSameWeight }, accuse);
  for (const gate of left.gates) checkGate(book, release, { gate, stage }, accuse);
  if (release.policy.decision === 'manual' && accepted(book, release.id, 'advance').length < stage + 1) {
    accuse('I7', `stage ${stage} of a manual policy is left, and nobody said advance`);
  }
}

interface StageLeft {
  readonly stage: number;
  readonly left: Stage;
  readonly nowMs: number;
  readonly isSameWeight: boolean;
}

function checkBake(
  book: Book,
  entry: ReleaseBook,
  { stage, left, nowMs, isSameWeight }: StageLeft,
  accuse: Accuse,
): void {
  const inUseMs = entry.stageInUseMs.get(stage);
  if (inUseMs === undefined) {
    accuse('I7', `stage ${stage} is left, and the data plane never used its weight`);
    return;
  }
  const bakedMs = nowMs - inUseMs - pausedMs(book, inUseMs, nowMs);
  // A stage of the same weight as the one before bakes from its decision on; the world sees it when it is recorded.
  const slackMs = isSameWeight ? book.slackMs : LOOK_MS;
  if (bakedMs < left.bakeMs - slackMs) {
    accuse('I7', `row 81: stage ${stage} is left after ${bakedMs} ms of its bake time of ${left.bakeMs} ms`);
  }
}

function checkGate(
  book: Book,
  release: Release,
  { gate, stage }: { readonly gate: Gate; readonly stage: number },
  accuse: Accuse,
): void {
  if (gate.kind === 'approval') {
    const people = new Set(
      accepted(book, release.id, 'approve')
        .filter((entry) => entry.stage === stage)
        .map((entry) => entry.command.actor),
    );
    if (people.size < gate.approvals) {
      accuse('I7', `row 69: stage ${stage} is left with ${people.size} of ${gate.approvals} approvals`);
    }
    return;
  }
  const runs = [...book.gateRuns()].filter(
    ({ request }) => request.release === release.id && request.gate.name === gate.name && request.stage === stage,
  );
  const isYes = runs.some(({ request, answer }) => request.revision === release.to.revision && answer.status === 'yes');
  if (!isYes) accuse('I7', `stage ${stage} is left, and gate ${gate.name} never said yes for ${release.to.revision}`);
  if (runs.length > 1) accuse('I6', `row 76: gate ${gate.name} of stage ${stage} was run ${runs.length} times`);
}

/** What the source last answered is no fail, no error, no silence. */
export function checkEvidenceNow(book: Book, release: Release, nowMs: number, accuse: Accuse): void {
  const { lastMeasured } = book;
  if (lastMeasured === null) {
    accuse('I7', 'weight rises, and nothing was ever measured');
    return;
  }
  if (lastMeasured.kind === 'error' || lastMeasured.kind === 'unusable') {
    accuse('I7', `weight rises though the last measurement was ${lastMeasured.kind}`);
  }
  const longestMs = Math.max(...release.policy.checks.map((check) => check.noDataMs));
  const silentMs = nowMs - book.lastUsableMs;
  if (silentMs > longestMs + release.policy.intervalMs + book.slackMs) {
    accuse('I7', `row 33: weight rises after ${silentMs} ms without data`);
  }
}

function checkRisk(book: Book, release: Release, weight: number, accuse: Accuse): void {
  const check = release.policy.checks.find(({ name }) => name === 'errors');
  // Windows left out for warm-up are not known here, and may lie anywhere after a restart of a replica.
  if (check?.tolerance == null || check.role !== 'required' || check.warmUpMs > 0) return;
  const most = mostWeight(usableWindows(book, release), check.tolerance.ratio, {
    alpha: release.policy.alphas.promote,
    badPerInterval: release.policy.exposure.badPerInterval,
  });
  if (weight > most * 1.15 + 0.02) {
    accuse('I7', `weight rises to ${weight} %, and the delivered windows allow ${most.toFixed(2)} %`);
  }
}

/** I4: real measurements of this very revision refute "worse than the tolerance". */
export function checkProof(book: Book, release: Release, accuse: Accuse): void {
  const windows = usableWindows(book, release);
  if (windows.length === 0) {
    accuse('I4', `${release.to.revision} is promoted, and no window of it was ever delivered`);
    return;
  }
  for (const check of release.policy.checks) {
    if (check.role !== 'required' || check.metric.kind !== 'errors' || check.tolerance === null) continue;
    if (check.warmUpMs > 0) continue;
    const proof = mostNoHarm(windows, check.tolerance);
    const line = -Math.log(release.policy.alphas.promote);
    if (proof < line - SLACK_NATS) {
      accuse(
        'I4',
        `${release.to.revision} is promoted with ln E = ${proof.toFixed(2)} of no harm, the line is ${line.toFixed(2)}`,
      );
    }
  }
}

function usableWindows(book: Book, release: Release) {
  return windowsOf(book, release.to.revision).filter(
    (window) => window.usable && window.stable === release.from?.revision,
  );
}
