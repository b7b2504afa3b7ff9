// Who is asked to get how much, and who is seen to get it. Shares come from the data plane's own counts of the last
// seconds; without them there is no share, and it says so instead of showing the weight twice.
import type { State } from '../engine/index.ts';
import type { Observed, RouterObservation } from '../model/observed.ts';
import { type Split, weightOf } from '../model/split.ts';
import { countText, percentText } from './format.ts';
import type { LiveTraffic, TrafficLine, TrafficLines } from './release-view.ts';

export function trafficLines(
  state: State | null,
  router: Observed<RouterObservation> | null,
  counted: LiveTraffic | null,
): TrafficLines {
  // One look alone is no count of anything.
  const live = counted === null || counted.spanMs <= 0 ? null : counted;
  const split = router?.kind === 'seen' ? router.value.split : null;
  const rows = arms(state).map(({ role, label, revision, askedPercent }): TrafficLine => {
    const requests = live?.requests[revision] ?? 0;
    const total = sum(live);
    return {
      role,
      label,
      askedPercent,
      seenPercent: total === 0 ? null : (100 * requests) / total,
      perSecond: live === null ? null : (requests * 1_000) / live.spanMs,
      inFlight: router?.kind === 'seen' ? (router.value.inFlight[revision] ?? 0) : null,
    };
  });
  const requests = sum(live);
  const agreement = isChanging(state, split) ? 'changing' : agrees(rows, requests, split);
  return {
    rows,
    requests,
    spanMs: live?.spanMs ?? 0,
    ageMs: live?.ageMs ?? null,
    split: agreement,
    splitText: live === null ? noCounts(rows) : splitText(rows, requests, agreement),
  };
}

interface Arm {
  readonly role: 'stable' | 'canary';
  readonly label: string;
  readonly revision: string;
  readonly askedPercent: number;
}

function arms(state: State | null): Arm[] {
  const { stable, release } = state ?? {};
  const canary = release != null && release.phase.kind !== 'ended' ? release : null;
  const weight = canary?.weightPercent ?? 0;
  const found: Arm[] = [];
  if (stable != null) {
    found.push({ role: 'stable', label: stable.label, revision: stable.revision, askedPercent: 100 - weight });
  }
  if (canary !== null) {
    found.push({ role: 'canary', label: canary.to.label, revision: canary.to.revision, askedPercent: weight });
  }
  return found;
}

function sum(live: LiveTraffic | null): number {
  return Object.values(live?.requests ?? {}).reduce((total, count) => total + count, 0);
}

const LEAST_REQUESTS = 100;
/** Users come with many requests each, so that requests scatter more than coins: this many standard deviations are not news. */
const DEVIATIONS = 5;
/** Requests of one user in a few seconds, at most; the deviation above is taken over users, not requests. */
const CLUSTER = 4;

function agrees(rows: readonly TrafficLine[], requests: number, split: Split | null): TrafficLines['split'] {
  const canary = rows.find((row) => row.role === 'canary');
  if (canary === undefined || canary.askedPercent === 0 || canary.askedPercent === 100) return 'none';
  if (requests < LEAST_REQUESTS || canary.seenPercent === null) return 'too few';
  const asked = canary.askedPercent / 100;
  const cluster = split?.userKey != null || split?.affinity != null ? CLUSTER : 1;
  const deviation = Math.sqrt((asked * (1 - asked) * cluster) / requests);
  return Math.abs(canary.seenPercent / 100 - asked) <= DEVIATIONS * deviation ? 'agrees' : 'differs';
}

/** The data plane does not use yet what is asked: what was counted belongs to the split before. */
function isChanging(state: State | null, split: Split | null): boolean {
  const release = state?.release;
  if (release == null || release.phase.kind === 'ended' || split === null) return false;
  return weightOf(split, release.to.revision) !== release.weightPercent;
}

function noCounts(rows: readonly TrafficLine[]): string {
  const canary = rows.find((row) => row.role === 'canary');
  return canary === undefined ? 'not counted yet' : `asked ${percentText(canary.askedPercent)} · not counted yet`;
}

function splitText(rows: readonly TrafficLine[], requests: number, agreement: TrafficLines['split']): string {
  const canary = rows.find((row) => row.role === 'canary');
  if (canary === undefined) return requests === 0 ? 'no requests lately' : `${countText(requests)} requests lately`;
  const seen = canary.seenPercent === null ? 'nothing seen' : `seen ${percentText(canary.seenPercent)}`;
  const asked = `asked ${percentText(canary.askedPercent)}`;
  const n = `n = ${countText(requests)}`;
  switch (agreement) {
    case 'agrees':
      return `${asked} · ${seen} · split agrees (${n})`;
    case 'differs':
      return `${asked} · ${seen} · split differs (${n})`;
    case 'too few':
      return `${asked} · ${seen} · too few requests to compare (${n})`;
    case 'changing':
      return `${asked} · ${seen} · the split is changing`;
    case 'none':
      return `${asked} · ${seen} (${n})`;
  }
}
