// The canary's replicas come up, with no traffic. Nothing about stable is asked here: a broken stable must not keep its
// own fix from starting (row 27).
import { enterStage } from './advance.ts';
import { canaryReplicas, firstWeight } from './capacity.ts';
import { beginAbort } from './ending.ts';
import type { Release } from './state.ts';
import { explain, readyReplicas, seen, type Turn } from './turn.ts';

export function startUp(turn: Turn, release: Release): void {
  const { to, policy, elapsed } = release;
  const weightPercent = firstWeight(policy);
  const needed = canaryReplicas(release, weightPercent);
  const ready = readyReplicas(turn, to.revision);
  if (release.paused !== null) {
    return explain(turn, `paused by ${release.paused.actor} before any traffic`, {
      what: 'resume',
      inMs: null,
      unless: null,
    });
  }
  if (ready >= needed) return enterStage(turn, { stage: 0, weightPercent, why: '' });
  const trouble = seen(turn, to.revision)?.trouble ?? null;
  if (elapsed.stageMs >= policy.deadlines.startMs) {
    return beginAbort(
      turn,
      'trouble',
      `${to.label} was not ready in time: ${trouble ?? `${ready} of ${needed} replicas ready`}`,
    );
  }
  const waits = `${to.label} starts: ${ready} of ${needed} replicas ready${trouble === null ? '' : ` (${trouble})`}`;
  const unless = `it is not ready within ${Math.round(policy.deadlines.startMs / 1000)} s`;
  explain(turn, waits, { what: `${weightPercent} %`, inMs: null, unless });
}
