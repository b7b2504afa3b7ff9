// The events of the ports that concern one policy. A port that cannot be watched is looked at in time all the same:
// events only make the loop faster, none is needed for it to be right.
import type { ReleasePolicy } from '../core/model/policy.ts';
import type { ControllerDeps } from './deps.ts';

export class Watches {
  readonly #deps: ControllerDeps;
  readonly #changed: () => void;
  #generation: number | null = null;
  #stops: readonly (() => void)[] = [];

  constructor(deps: ControllerDeps, changed: () => void) {
    this.#deps = deps;
    this.#changed = changed;
  }

  /** Watches for this policy; anew when its declaration changed, or when watching failed before. */
  follow(policy: ReleasePolicy, generation: number): void {
    if (this.#generation === generation) return;
    this.stop();
    try {
      this.#stops = [this.#deps.workload.watch(policy, this.#changed)];
      this.#stops = [...this.#stops, this.#deps.router.watch(policy, this.#changed)];
      this.#generation = generation;
    } catch (error) {
      this.#deps.log.warn('not watched', { policy: policy.name, error });
    }
  }

  stop(): void {
    for (const stop of this.#stops) {
      try {
        stop();
      } catch (error) {
        this.#deps.log.warn('watch not stopped', { error });
      }
    }
    this.#stops = [];
    this.#generation = null;
  }
}
