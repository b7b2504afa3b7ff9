// Whether the images that stable's place starts are those that were analysed: a tag may have been moved in between (I4).
// Pure. Where digests are not known, nothing is said.

import type { Pod } from '../../../cluster/objects.ts';
import type { Places } from '../../../cluster/places.ts';
import { digestsOf, isTerminating } from '../../../cluster/pods.ts';

/** What moved, in words; null if nothing did. */
export function movedTag({ stable, canary }: Places): string | null {
  const { lock } = stable;
  if (lock === null || canary === null || canary.revision !== lock.to) return null;
  const analysed = allDigests(canary.pods);
  const now = allDigests(stable.sets.filter(({ revision }) => revision === lock.to).flatMap(({ pods }) => pods));
  for (const [container, digests] of now) {
    const known = analysed.get(container);
    if (known === undefined || known.size === 0) continue;
    const other = [...digests].find((digest) => !known.has(digest));
    if (other !== undefined) {
      return `the tag of ${container} moved: analysed was ${[...known].map(short).join(', ')}, started is ${short(other)}`;
    }
  }
  return null;
}

function allDigests(pods: readonly Pod[]): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const pod of pods) {
    if (isTerminating(pod)) continue;
    for (const [container, digest] of Object.entries(digestsOf(pod))) {
      found.set(container, (found.get(container) ?? new Set()).add(digest));
    }
  }
  return found;
}

const short = (digest: string) => digest.replace(/^sha256:([0-9a-f]{12}).*$/, '$1');
