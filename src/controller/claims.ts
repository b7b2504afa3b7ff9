// Who has which place: a listen address or a Deployment belongs to one policy. The second that asks is refused, the first
// is unharmed (row 63). It knows only the policies of this controller; what other programs have shows when it is used.
import { isSamePlace, placeText } from '../core/model/place.ts';
import type { ReleasePolicy } from '../core/model/policy.ts';
import { PlaceTaken } from './errors.ts';

export class Claims {
  readonly #holders = new Map<string, ReleasePolicy>();

  /** Takes the policy's place for it; throws if another policy has it, and then changes nothing. */
  take(policy: ReleasePolicy): void {
    const held = this.#holders.get(policy.name);
    if (held !== undefined && placeText(held) === placeText(policy)) return;
    const holder = this.holder(policy);
    if (holder !== null) throw new PlaceTaken(policy.name, placeText(policy), holder);
    this.#holders.set(policy.name, policy);
  }

  /** The other policy that has this policy's place, if any. */
  holder(policy: ReleasePolicy): string | null {
    for (const [name, other] of this.#holders) {
      if (name !== policy.name && isSamePlace(other, policy)) return name;
    }
    return null;
  }

  /** The policy is gone; its place is free. */
  giveUp(name: string): void {
    this.#holders.delete(name);
  }
}
