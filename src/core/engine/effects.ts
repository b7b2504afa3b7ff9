// From what shall be and what is seen to what is to be done, level-triggered: the same answer whatever ran before.
// Capacity comes before weight (I1), weight before retirement (I2), and what cannot be looked at is left alone.
import type { Backend, Effect, WantedVersion } from '../model/effect.ts';
import type { Revision, Split, WeightedRevision } from '../model/split.ts';
import type { Version } from '../model/version.ts';
import { isInPlace, keptRevision, neededReplicas, wantedVersions } from './capacity.ts';
import { isDrained, shareOf } from './share.ts';
import { type Release, underWay } from './state.ts';
import { isInPlaceOf, placeOf, policyOf, readyReplicas, say, seen, type Turn } from './turn.ts';

export function effectsOf(turn: Turn): Effect[] {
  if (turn.observation.declared === null && underWay(turn.state) === null) return givenBack(turn);
  const effects: Effect[] = [];
  const wanted = wantedVersions(turn.state, turn.declaredPolicy).map((version) => keepSize(turn, version));
  if (needsSizing(turn, wanted)) effects.push({ kind: 'ensureWorkload', wanted });
  const split = splitEffect(turn);
  if (split !== null) effects.push(split);
  const retired = retirable(turn, wanted);
  if (retired.length > 0) effects.push({ kind: 'retire', revisions: retired });
  for (const request of turn.gateRequests) effects.push({ kind: 'runGate', request });
  for (const message of turn.notices) effects.push({ kind: 'notify', message });
  return effects;
}

/** Withdrawn, and nothing under way. Where nobody holds anything, what serves is simply left alone. */
function givenBack(turn: Turn): Effect[] {
  return isInPlace(turn.declaredPolicy) ? [{ kind: 'handBack', stable: turn.state.stable }] : [];
}

/** A version under trial never shrinks: its share leaves after its weight, and what it carries needs its replicas (I2). */
function keepSize(turn: Turn, wanted: WantedVersion): WantedVersion {
  if (wanted.role !== 'canary') return wanted;
  return { ...wanted, replicas: Math.max(wanted.replicas, seen(turn, wanted.version.revision)?.wanted ?? 0) };
}

function needsSizing(turn: Turn, wanted: readonly WantedVersion[]): boolean {
  if (turn.observation.workload.kind === 'error') return false;
  if (isInPlace(policyOf(turn))) return needsPlacing(turn, wanted);
  return wanted.some(({ version, replicas }) => seen(turn, version.revision)?.wanted !== replicas);
}

/** Stable's place is its owner's to size; Haldane says only which version it has, and sizes what is tried beside it. */
function needsPlacing(turn: Turn, wanted: readonly WantedVersion[]): boolean {
  return wanted.some(({ version: { revision }, replicas, role }) => {
    if (role === 'stable') return !isInPlaceOf(turn, revision);
    return placeOf(turn)?.heading !== revision && seen(turn, revision)?.wanted !== replicas;
  });
}

/**
 * The weight the canary may have in this very moment: what is asked, but never more than its ready replicas cover, and
 * nothing without a ready replica. Blind, paused or without readings, the weight may fall and not rise: a rise that was
 * decided before and is still on its way waits, too (I7).
 */
export function coveredWeight(turn: Turn, release: Release): number {
  const { to, weightPercent } = release;
  const applied = shareOf(turn, to.revision) ?? askedOf(turn, to.revision);
  if (turn.observation.workload.kind === 'error') return Math.min(weightPercent, applied);
  const ready = readyReplicas(turn, to.revision);
  if (ready === 0) return 0;
  if (isRiseHeld(release, applied)) return Math.min(weightPercent, applied);
  return ready >= neededReplicas(release) ? weightPercent : Math.min(weightPercent, applied);
}

function isRiseHeld(release: Release, applied: number): boolean {
  if (release.phase.kind !== 'testing') return false;
  if (release.paused !== null) return true;
  return release.verdicts.some(({ check, exposure }) => {
    const role = release.policy.checks.find((entry) => entry.name === check)?.role;
    if (role === 'informational') return false;
    // At weight 0 there is nothing to measure: silence then says nothing, and must not keep itself up.
    return exposure.outcome === 'error' || (exposure.outcome === 'no-data' && applied > 0);
  });
}

function askedOf(turn: Turn, revision: Revision): number {
  return turn.state.asked?.find((entry) => entry.revision === revision)?.weightPercent ?? 0;
}

/** The split that is right now; null where there is nothing to send traffic to, or stable cannot take it yet. */
function rightSplit(turn: Turn): Split | null {
  const { stable } = turn.state;
  const release = underWay(turn.state);
  if (stable === null && release === null) return null;
  const canary = release?.to ?? null;
  const percent = release === null || release.phase.kind === 'aborting' ? 0 : coveredWeight(turn, release);
  const takesAll = percent === 100 || (stable === null && percent > 0);
  if (canary !== null && takesAll) return makeSplit(turn, [{ revision: canary.revision, weightPercent: 100 }], null);
  if (stable === null) return null;
  if (turn.observation.workload.kind === 'seen' && readyReplicas(turn, stable.revision) === 0) {
    // Traffic stays where it is answered until stable can take it (rows 1, 18).
    return null;
  }
  const weights: WeightedRevision[] = [{ revision: stable.revision, weightPercent: round(100 - percent) }];
  const tried = percent > 0 ? canary : null;
  if (tried !== null) weights.push({ revision: tried.revision, weightPercent: percent });
  return makeSplit(turn, weights, tried);
}

function makeSplit(turn: Turn, weights: readonly WeightedRevision[], audienceOf: Version | null): Split {
  const { audience, userKey, affinity } = policyOf(turn);
  const rules = audienceOf === null ? [] : audience.map((match) => ({ ...match, revision: audienceOf.revision }));
  return { weights, rules, salt: turn.state.release?.salt ?? '', userKey, affinity };
}

function round(percent: number): number {
  return Math.round(percent * 100) / 100;
}

function splitEffect(turn: Turn): Extract<Effect, { kind: 'ensureSplit' }> | null {
  const { router, workload } = turn.observation;
  const split = rightSplit(turn);
  if (split === null || workload.kind === 'error') return null;
  // Whatever it is that cannot be looked at: the way back is asked for, and refused by nobody but the router itself (I3).
  if (router.kind === 'error' && underWay(turn.state)?.phase.kind !== 'aborting') return null;
  const backends = split.weights.map((entry) => backendOf(turn, entry.revision));
  if (backends.some((backend) => backend === null || backend.endpoints.length === 0)) return null;
  const known = backends as readonly Backend[];
  if (isInForce(turn, split, known)) {
    turn.state = { ...turn.state, asked: split.weights, isInUse: true };
    return null;
  }
  announceDrift(turn, split);
  turn.state = { ...turn.state, asked: split.weights, isInUse: false };
  return { kind: 'ensureSplit', split, backends: known };
}

function isInForce(turn: Turn, split: Split, known: readonly Backend[]): boolean {
  const { router } = turn.observation;
  if (router.kind === 'error' || router.value.split === null) return false;
  const isThere = router.value.state !== 'absent' && router.value.state !== 'rejected';
  return isThere && sameSplit(router.value.split, split) && sameEndpoints(router.value.endpoints, known);
}

function backendOf(turn: Turn, revision: Revision): Backend | null {
  const version = seen(turn, revision);
  return version === null ? null : { revision, label: version.label, endpoints: version.endpoints };
}

/** What was asked for last was in use, and what is there now differs, though nothing is changing over: a hand has been at it (row 56). */
function announceDrift(turn: Turn, split: Split): void {
  const { router } = turn.observation;
  const { asked, isInUse } = turn.state;
  if (!isInUse) return;
  if (router.kind === 'error' || router.value.state !== 'converged' || router.value.split === null) return;
  if (asked === null || sameWeights(asked, router.value.split.weights) || !sameWeights(asked, split.weights)) return;
  const found = router.value.split.weights.map((entry) => `${entry.revision} ${entry.weightPercent} %`).join(', ');
  say(turn, 'drift', `somebody else changed the split (${found}); it is set right`, {
    found: router.value.split.weights,
  });
}

function retirable(turn: Turn, wanted: readonly WantedVersion[]): Revision[] {
  const { workload } = turn.observation;
  if (workload.kind === 'error') return [];
  const { drainMs } = policyOf(turn).deadlines;
  const kept = keptRevision(turn.state);
  const released = turn.state.release?.to.revision;
  return workload.value.versions
    .filter(({ revision, wanted: size, running }) => {
      if (wanted.some((entry) => entry.version.revision === revision) || revision === kept) return false;
      // Nothing is known to serve: what runs may be all there is, so only our own attempt is taken away.
      if (wanted.length === 0 && revision !== released) return false;
      return (size > 0 || running > 0) && isDrained(turn, revision, drainMs);
    })
    .map((version) => version.revision);
}

export function sameWeights(a: readonly WeightedRevision[], b: readonly WeightedRevision[]): boolean {
  const present = (weights: readonly WeightedRevision[]) => weights.filter((entry) => entry.weightPercent > 0);
  const [left, right] = [present(a), present(b)];
  return (
    left.length === right.length &&
    left.every((entry, i) => entry.revision === right[i]?.revision && entry.weightPercent === right[i]?.weightPercent)
  );
}

function sameSplit(a: Split | null, b: Split): boolean {
  return (
    a !== null &&
    sameWeights(a.weights, b.weights) &&
    a.salt === b.salt &&
    JSON.stringify([a.rules, a.userKey, a.affinity]) === JSON.stringify([b.rules, b.userKey, b.affinity])
  );
}

function sameEndpoints(
  there: Readonly<Record<Revision, readonly { host: string; port: number }[]>>,
  backends: readonly Backend[],
): boolean {
  return backends.every(({ revision, endpoints }) => {
    const current = there[revision] ?? [];
    const key = (list: readonly { host: string; port: number }[]) =>
      list
        .map((endpoint) => `${endpoint.host}:${endpoint.port}`)
        .sort()
        .join(' ');
    return key(current) === key(endpoints);
  });
}
