// Who has which place: a listen address belongs to one policy. The second that asks is refused, the first is unharmed
// (row 63). It knows only the policies of this controller; other programs' addresses show when the router listens.
import type { Endpoint } from '../core/model/gateway.ts';
import type { ReleasePolicy } from '../core/model/policy.ts';
import { PlaceTaken } from './errors.ts';

export class Claims {
  readonly #places = new Map<string, Endpoint>();

  /** Takes the policy's place for it; throws if another policy has it, and then changes nothing. */
  take(policy: ReleasePolicy): void {
    const held = this.#places.get(policy.name);
    const wanted = policy.router.listen;
    if (held !== undefined && held.host === wanted.host && held.port === wanted.port) return;
    const holder = this.holder(policy);
    if (holder !== null) throw new PlaceTaken(policy.name, `${wanted.host}:${wanted.port}`, holder);
    this.#places.set(policy.name, wanted);
  }

  /** The other policy that has this policy's place, if any. */
  holder(policy: ReleasePolicy): string | null {
    for (const [name, place] of this.#places) {
      if (name !== policy.name && overlap(place, policy.router.listen)) return name;
    }
    return null;
  }
}

/** Port 0 is "any free one" and never in anybody's way; a wildcard host is in the way of every host. */
function overlap(a: Endpoint, b: Endpoint): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  return a.host === b.host || isWildcard(a.host) || isWildcard(b.host);
}

function isWildcard(host: string): boolean {
  return host === '' || host === '0.0.0.0' || host === '::';
}
