// What may still be done when a decision could not be recorded (full or failing disk): keep what serves serving, and
// take traffic off the canary. Nothing that starts, raises or removes (decisions are recorded before effects), and
// nothing that tells people of what is not recorded. The way to stable stays open (I3); weight never rises (I7).
import type { Observation, State } from '../core/engine/index.ts';
import type { Effect, WantedVersion } from '../core/model/effect.ts';
import { type Split, weightOf } from '../core/model/split.ts';

/** The part of `effects` that is safe without a record; `recorded` is the state as the store has it. */
export function harmlessEffects(
  effects: readonly Effect[],
  recorded: State,
  seen: Pick<Observation, 'workload' | 'router'>,
): readonly Effect[] {
  return effects.flatMap((effect) => harmlessPart(effect, recorded, seen));
}

function harmlessPart(
  effect: Effect,
  recorded: State,
  seen: Pick<Observation, 'workload' | 'router'>,
): readonly Effect[] {
  switch (effect.kind) {
    case 'ensureWorkload': {
      const wanted = effect.wanted.flatMap((version) => keptVersion(version, recorded, seen));
      return wanted.length > 0 ? [{ kind: 'ensureWorkload', wanted }] : [];
    }
    case 'ensureSplit':
      return raisesNothing(effect.split, recorded, seen) ? [effect] : [];
    case 'retire':
    case 'handBack':
    case 'runGate':
    case 'notify':
      return [];
  }
}

/** Stable as recorded, at any size; others only as they already run. */
function keptVersion(
  wanted: WantedVersion,
  recorded: State,
  seen: Pick<Observation, 'workload'>,
): readonly WantedVersion[] {
  const { revision } = wanted.version;
  if (revision === recorded.stable?.revision) return [wanted];
  if (seen.workload.kind === 'error') return [];
  const there = seen.workload.value.versions.find((version) => version.revision === revision);
  if (there === undefined || there.wanted === 0) return [];
  return [{ ...wanted, replicas: Math.min(wanted.replicas, there.wanted) }];
}

function raisesNothing(split: Split, recorded: State, seen: Pick<Observation, 'router'>): boolean {
  const current = seen.router.kind === 'seen' ? seen.router.value.split : null;
  return split.weights.every(
    ({ revision, weightPercent }) =>
      revision === recorded.stable?.revision || weightPercent <= (current === null ? 0 : weightOf(current, revision)),
  );
}
