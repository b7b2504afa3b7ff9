// A router whose world follows the backends that are named, and that is asked again until what was asked is so: as the
// controller does at each of its looks. For the conformance suite of routers.
import type { Backend } from '../../core/model/effect.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import type { Split } from '../../core/model/split.ts';

type Ensure<R> = (policy: ReleasePolicy, split: Split, backends: readonly Backend[]) => Promise<R>;

export class AskingAgain<R> {
  #again: (() => Promise<R>) | null = null;

  ensuring(follow: (backends: readonly Backend[]) => Promise<void>, ensure: Ensure<R>): Ensure<R> {
    return async (policy, split, backends) => {
      await follow(backends);
      this.#again = () => ensure(policy, split, backends);
      return this.#again();
    };
  }

  async again(): Promise<void> {
    await this.#again?.();
  }
}
