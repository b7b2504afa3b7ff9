// Who gets which version: weights plus rules plus affinity. Pure data; the gateway and every router adapter read it.
// Weight is what is asked, share is what is seen.

/** A version is named by its revision: the hash of its template. Never a mutable tag. */
export type Revision = string;

export interface WeightedRevision {
  readonly revision: Revision;
  /** Percent of requests asked for this version, 0..100 in steps of 0.01. All weights of a split sum to 100. */
  readonly weightPercent: number;
}

/** Requests that match go to `revision` whatever the weights say, e.g. header `canary: "true"`. First match wins. */
export interface MatchRule {
  readonly header?: { readonly name: string; readonly value: string };
  readonly cookie?: { readonly name: string; readonly value: string };
  readonly revision: Revision;
}

/** Where the steady key of a user is read from; the first that is present wins. */
export interface UserKey {
  readonly cookie?: string;
  readonly header?: string;
}

/** The version first given is kept by a cookie for `ttlSeconds`, as long as that version is in the split at all. */
export interface Affinity {
  readonly cookie: string;
  readonly ttlSeconds: number;
}

export interface Split {
  /**
   * In order: the first is stable, the second (if any) the canary. A user's bucket u in [0, 100) belongs to the canary
   * when u < canary weight, so users stay put while the weight ramps up and leave last-in-first-out while it ramps down.
   */
  readonly weights: readonly WeightedRevision[];
  readonly rules: readonly MatchRule[];
  /** Fresh for each release, so that not the same users are tried on every time. */
  readonly salt: string;
  readonly userKey: UserKey | null;
  readonly affinity: Affinity | null;
}

/** The weight a split asks for one revision; 0 when it is not part of it. */
export function weightOf(split: Split, revision: Revision): number {
  return split.weights.find((entry) => entry.revision === revision)?.weightPercent ?? 0;
}
