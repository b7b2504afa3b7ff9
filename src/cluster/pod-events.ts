// What happened to the pods of each version since a mark: restarts, out-of-memory kills, and the time in which they could
// happen. Pure. Pods that do not serve count too: one that crashes again and again is never ready. A kill is seen where a
// restart followed it, so that each counts once.
import type { Revision } from '../core/model/split.ts';
import type { PodsOfVersion } from './pods.ts';
import type { PodEvents } from './version-counts.ts';

/** Restarts so far, by pod. */
export type RestartMarks = (pod: { readonly name: string; readonly uid: string }) => number | undefined;

export interface EventSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

export function podEvents(
  { byRevision }: PodsOfVersion,
  revisions: readonly Revision[],
  marks: RestartMarks,
  { fromMs, toMs }: EventSpan,
): Readonly<Record<Revision, PodEvents>> {
  const found: Record<Revision, PodEvents> = {};
  for (const revision of revisions) {
    let [restarts, oomKills, podMs] = [0, 0, 0];
    for (const pod of byRevision[revision] ?? []) {
      const grown = Math.max(0, pod.restarts - (marks(pod) ?? 0));
      restarts += grown;
      oomKills += Math.min(grown, pod.oomKills);
      // A start that is not known is no shorter life: events must not shorten the time they are counted in.
      const startedMs = Number.isFinite(pod.startedAtMs) ? pod.startedAtMs : fromMs;
      podMs += Math.max(0, toMs - Math.max(fromMs, startedMs));
    }
    if (podMs > 0 || restarts > 0) found[revision] = { restarts, oomKills, podSeconds: Math.max(podMs, 1) / 1_000 };
  }
  return found;
}
