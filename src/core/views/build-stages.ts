// The plateaus of a release: passed, present and to come, with the time each begins if all passes.
import type { Release } from '../engine/index.ts';
import type { Stage } from '../model/policy.ts';
import type { StageLine } from './release-view.ts';

export function stageLines(release: Release): StageLine[] {
  const { ramp } = release.policy;
  if (ramp.kind === 'adaptive') return adaptiveLines(release);
  if (ramp.stages.length === 0) return [];
  const at = reached(release, ramp.stages.length);
  const all = ramp.stages.map((stage, index) => stageLine(release, stage, index, at));
  // A release past analysis never stood on any of them.
  const lines = all.filter((line) => line.state !== 'done' || line.spentMs !== null);
  return [...withStarts(release, lines), promotionLine(release, lines)];
}

/** Index of the present plateau; its length when all are behind, -1 before the first. */
function reached({ phase, weights, policy }: Release, count: number): number {
  switch (phase.kind) {
    case 'starting':
      return -1;
    case 'testing':
      return phase.stage;
    case 'promoting':
      return count;
    case 'aborting':
      return highest(weights, policy);
    case 'ended':
      return phase.outcome.kind === 'promoted' ? count : highest(weights, policy);
  }
}

/** The last plateau whose weight was asked before the way back. */
function highest(weights: Release['weights'], { ramp }: Release['policy']): number {
  const most = Math.max(0, ...weights.map(([, weight]) => weight));
  if (ramp.kind === 'adaptive' || most === 0) return -1;
  return ramp.stages.findLastIndex((stage) => stage.weightPercent <= most);
}

function stageLine(release: Release, stage: Stage, index: number, at: number): StageLine {
  const isNow = index === at;
  return {
    weightPercent: stage.weightPercent,
    state: index < at ? 'done' : isNow ? 'now' : 'coming',
    bakeMs: stage.bakeMs,
    spentMs:
      isNow && release.phase.kind === 'testing' ? release.elapsed.stageMs : spentMs(release, stage.weightPercent),
    inMs: null,
    gates: stage.gates.map((gate) => gate.name),
  };
}

/** From when its weight was asked until the next one was; null if it never was. */
function spentMs({ weights, elapsed }: Release, weightPercent: number): number | null {
  const index = weights.findIndex(([, weight]) => weight === weightPercent);
  const begun = weights[index];
  if (begun === undefined) return null;
  const [endMs] = weights[index + 1] ?? [elapsed.releaseMs];
  return Math.max(0, endMs - begun[0]);
}

function withStarts(release: Release, lines: readonly StageLine[]): StageLine[] {
  if (release.phase.kind !== 'testing' || release.paused !== null || release.awaiting !== null) return [...lines];
  let inMs: number | null = null;
  return lines.map((line) => {
    if (line.state === 'done') return line;
    const startsInMs = inMs;
    const leftMs = line.state === 'now' ? Math.max(0, line.bakeMs - (line.spentMs ?? 0)) : line.bakeMs;
    inMs = line.gates.length > 0 ? null : (startsInMs ?? (line.state === 'now' ? 0 : Number.NaN)) + leftMs;
    if (Number.isNaN(inMs)) inMs = null;
    return { ...line, inMs: line.state === 'now' ? null : startsInMs };
  });
}

function promotionLine(release: Release, lines: readonly StageLine[]): StageLine {
  const isPromoted = release.phase.kind === 'ended' && release.phase.outcome.kind === 'promoted';
  const isNow = release.phase.kind === 'promoting';
  const last = withStarts(release, lines).at(-1);
  const leftMs = last?.state === 'now' ? Math.max(0, last.bakeMs - (last.spentMs ?? 0)) : (last?.bakeMs ?? 0);
  const startMs = last?.state === 'now' ? 0 : (last?.inMs ?? null);
  const isKnown = release.phase.kind === 'testing' && startMs !== null && last?.gates.length === 0;
  return {
    weightPercent: 100,
    state: isPromoted ? 'done' : isNow ? 'now' : 'coming',
    bakeMs: 0,
    spentMs: null,
    inMs: isKnown && release.paused === null && release.awaiting === null ? startMs + leftMs : null,
    gates: [],
  };
}

/** An adaptive ramp has one plateau whose weight moves; and the promotion after it. */
function adaptiveLines(release: Release): StageLine[] {
  const { policy, phase, weightPercent, elapsed } = release;
  if (policy.ramp.kind !== 'adaptive') return [];
  const isTesting = phase.kind === 'testing';
  const isBehind = phase.kind === 'promoting' || (phase.kind === 'ended' && phase.outcome.kind === 'promoted');
  const now: StageLine = {
    weightPercent: isTesting ? weightPercent : policy.ramp.firstWeightPercent,
    state: isBehind ? 'done' : isTesting ? 'now' : 'coming',
    bakeMs: policy.leastBakeMs,
    spentMs: isTesting || isBehind ? elapsed.testingMs : null,
    inMs: null,
    gates: policy.ramp.gates.map((gate) => gate.name),
  };
  return [now, promotionLine(release, [now])];
}
