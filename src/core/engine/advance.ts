// The question of advancing: bake time, then evidence, then gates, then (in manual mode) a person's word. Weight rises
// here only while the exposure question passes for every needed check (I7), and only a pass of the second promotes.
import { sharesMismatch } from '../analysis/index.ts';
import type { Verdict } from '../model/verdict.ts';
import { askGates } from './gates.ts';
import { hold, holdFor, holdForEvidence, holdForRouter } from './holding.ts';
import { isAsAsked } from './passing.ts';
import { adaptiveWeight, type Plateau, plateauOf } from './plateau.ts';
import { isAnalysed } from './start.ts';
import { type Release, verdictOn } from './state.ts';
import { askWeight, enterPhase, say, type Turn, tell, updateRelease } from './turn.ts';

export function advance(turn: Turn, release: Release): void {
  const plateau = plateauOf(release);
  if (followRisk(turn, release)) return;
  if (!isAsAsked(turn, release.to.revision, release.weightPercent)) {
    return holdForRouter(turn, release);
  }
  const isHurried = release.advances.some((advanced) => advanced.stage === plateau.index);
  const bakeMs = isHurried ? 0 : plateau.bakeMs - release.elapsed.stageMs;
  if (bakeMs > 0) return hold(turn, `bakes at ${release.weightPercent} %`, bakeMs);
  const missing = missingEvidence(release, plateau);
  if (missing !== null) return holdForEvidence(turn, release, missing);
  const leastMs = plateau.nextWeightPercent === null ? release.policy.leastBakeMs - release.elapsed.testingMs : 0;
  if (leastMs > 0 && isAnalysed(release.policy)) return hold(turn, 'proven; waits out the least bake time', leastMs);
  const gated = askGates(turn, release, plateau);
  if (gated !== 'open') return;
  if (needsPerson(release, plateau)) {
    return holdFor(turn, 'advance', `checks pass at ${release.weightPercent} %; a person says when to go on (advance)`);
  }
  goOn(turn, release, plateau);
}

/** An adaptive ramp moves its weight between decisions; a move is all that happens in its turn. */
function followRisk(turn: Turn, release: Release): boolean {
  const weight = adaptiveWeight(release);
  if (weight === release.weightPercent || release.windows === 0 || isBlind(release)) return false;
  const isRise = weight > release.weightPercent;
  if (isRise && (missingExposure(release) !== null || !isAsAsked(turn, release.to.revision, release.weightPercent))) {
    return false;
  }
  const from = release.weightPercent;
  askWeight(turn, weight);
  say(turn, 'weight', `the risk bound allows ${weight} % (was ${from} %)`, { weightPercent: weight });
  hold(turn, `follows the risk bound to ${weight} %`);
  return true;
}

/** Without data there is no risk bound: the weight stays where it is (statistics 3). */
function isBlind(release: Release): boolean {
  return release.verdicts.some(({ check, exposure }) => {
    const role = release.policy.checks.find((entry) => entry.name === check)?.role;
    return role !== 'informational' && (exposure.outcome === 'no-data' || exposure.outcome === 'error');
  });
}

/** The first needed check that does not answer yes; null if all do. */
function missingEvidence(release: Release, plateau: Plateau): string | null {
  if (!isAnalysed(release.policy)) return null;
  const held = missingExposure(release, plateau);
  if (held !== null) return held;
  if (plateau.nextWeightPercent !== null && plateau.advance === 'exposure') return null;
  // Promotion is asked of every required check of the policy, whichever a stage names (I4).
  const asked = plateau.nextWeightPercent === null ? release.policy.checks : plateau.checks;
  for (const check of asked) {
    if (check.role !== 'required') continue;
    const verdict = verdictOn(release, check.name);
    if (verdict === undefined) return `${check.name} has no verdict yet`;
    if (verdict.promotion.outcome !== 'pass' && !isAcceptedLate(release, verdict)) return verdict.message;
  }
  return plateau.nextWeightPercent === null ? sharesMismatch(release.sampleRatio) : null;
}

/** Past the deadline a wider tolerance is enough, where the policy declares one (statistics 3). */
function isAcceptedLate(release: Release, verdict: Verdict): boolean {
  const { onDeadline, deadlines } = release.policy;
  const isLate = release.elapsed.releaseMs >= deadlines.releaseMs;
  return (
    onDeadline === 'accept' &&
    isLate &&
    verdict.promotion.outcome === 'undecided' &&
    verdict.numbers.isAcceptable === true
  );
}

/** No check of the policy may fail or be without data (I7); those this stage asks must pass. */
function missingExposure(release: Release, plateau = plateauOf(release)): string | null {
  for (const check of release.policy.checks) {
    if (check.role === 'informational') continue;
    const verdict = verdictOn(release, check.name);
    const outcome = verdict?.exposure.outcome ?? 'undecided';
    const isAsked = plateau.checks.includes(check) && check.role === 'required';
    if (outcome === 'undecided' && !isAsked) continue;
    // Old evidence alone, of an earlier try or from before a pause, raises nothing: the last window must have been heard.
    if (outcome === 'pass' && isAsked && release.evidence[check.name]?.isHeard !== true) {
      return `${check.name}: the last window held nothing to look at`;
    }
    if (outcome !== 'pass') return verdict?.message ?? `${check.name} has no verdict yet`;
  }
  return null;
}

function needsPerson(release: Release, plateau: Plateau): boolean {
  if (release.policy.decision !== 'manual') return false;
  return !release.advances.some((advanced) => advanced.stage === plateau.index);
}

function goOn(turn: Turn, release: Release, plateau: Plateau): void {
  if (plateau.nextWeightPercent === null) return beginPromotion(turn, promotionSentence(release));
  const names = plateau.checks.filter(({ role }) => role === 'required').map(({ name }) => name);
  const why =
    names.length > 0 && isAnalysed(release.policy)
      ? `${names.join(', ')} allow more than ${release.weightPercent} %`
      : '';
  enterStage(turn, { stage: plateau.index + 1, weightPercent: plateau.nextWeightPercent, why });
}

export interface Entering {
  readonly stage: number;
  readonly weightPercent: number;
  /** What allowed it, for the journal; empty: nothing was asked. */
  readonly why: string;
}

export function enterStage(turn: Turn, { stage, weightPercent, why }: Entering): void {
  enterPhase(turn, { kind: 'testing', stage });
  askWeight(turn, weightPercent);
  const sentence = `stage ${stage + 1}: ${weightPercent} %`;
  say(turn, 'stage-entered', why === '' ? sentence : `${sentence}; ${why}`, { stage, weightPercent });
  tell(turn, 'advanced', `stage/${stage}`, sentence);
  hold(turn, `goes to ${weightPercent} %`);
}

export function beginPromotion(turn: Turn, sentence: string): void {
  updateRelease(turn, { paused: null, parked: null });
  enterPhase(turn, { kind: 'promoting', sentence });
  say(turn, 'promoting', sentence);
  hold(turn, sentence);
}

function promotionSentence(release: Release): string {
  if (!isAnalysed(release.policy))
    return `${release.to.label} baked through all stages; not analysed, as the policy says`;
  const required = release.verdicts.filter((verdict) => verdict.promotion.outcome === 'pass');
  const late = release.verdicts.filter((verdict) => isAcceptedLate(release, verdict));
  const accepted = late.map(({ message }) => message).join(' ');
  const why = late.length === 0 ? '' : `the deadline passed, and the wider tolerance is kept: ${accepted} `;
  return `${why}no check found harm: ${required.map((verdict) => verdict.message).join(' ')}`.trim();
}
