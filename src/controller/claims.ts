// Who has which place: a listen address or a Deployment belongs to one policy. The second that asks is refused, the first
// is unharmed (row 63). It knows only the policies of this controller; what other programs have shows when it is used.
import { isSamePlace, placeText } from '../core/model/place.ts';
import type { ReleasePolicy } from '../core/model/policy.ts';
import { PlaceTaken } from './errors.ts';

export class Claims {
  readonly #holders = new Map<string, ReleasePolicy>();
  readonly #refused = new Map<string, ReleasePolicy>();

  /** Takes the policy's place for it; throws if another policy has it, and then changes nothing. */
  take(policy: ReleasePolicy): void {
    const held = this.#holders.get(policy.name);
    if (held !== undefined && placeText(held) === placeText(policy)) return;
    const holder = this.holder(policy);
    if (holder !== null) {
      this.#refused.set(policy.name, policy);
      throw new PlaceTaken(policy.name, placeText(policy), holder);
    }
    this.#refused.delete(policy.name);
    this.#holders.set(policy.name, policy);
  }

  /** The other policy that has this policy's place, if any. */
  holder(policy: ReleasePolicy): string | null {
    for (const [name, other] of this.#holders) {
      if (name !== policy.name && isSamePlace(other, policy)) return name;
    }
    return null;
  }

  /** The policy is gone and its place is free; returns who was refused a place that nobody has now. */
  giveUp(name: string): readonly string[] {
    this.#refused.delete(name);
    if (!this.#holders.delete(name)) return [];
    const waiting = [...this.#refused.values()].filter((policy) => this.holder(policy) === null);
    return waiting.map((policy) => policy.name);
  }
}
