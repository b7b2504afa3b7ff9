// The public face for the server and the command line: where each policy stands, by the last decision about it.
// It is a copy for reading; nothing that is done to it reaches the controller.
import type { Decision, Observation, State } from '../core/engine/index.ts';
import type { ReleasePolicy } from '../core/model/policy.ts';
import type { Version } from '../core/model/version.ts';
import type { Owed } from './perform.ts';

export interface PolicyView {
  readonly name: string;
  /** Of the declaration this view was made from. */
  readonly generation: number;
  readonly policy: ReleasePolicy | null;
  /** The version people declared; null once the policy is withdrawn (its versions run on until asked otherwise). */
  readonly declared: Version | null;
  readonly state: State | null;
  readonly decision: Pick<Decision, 'conditions' | 'because' | 'next' | 'can'> | null;
  readonly seen: Pick<Observation, 'workload' | 'router'> | null;
  /** What the controller itself stumbled over, in words; null when it did not. */
  readonly trouble: string | null;
  /** Effects decided and recorded, and not done yet. */
  readonly owed: readonly Owed[];
  /** When this was made. */
  readonly wallTime: string;
  /** Rises with each look at this policy. */
  readonly looks: number;
}

export class Views {
  readonly #views = new Map<string, PolicyView>();
  readonly #listeners = new Set<(view: PolicyView) => void>();

  get(name: string): PolicyView | null {
    return this.#views.get(name) ?? null;
  }

  all(): readonly PolicyView[] {
    return [...this.#views.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Another policy of the same name begins with nothing. */
  forget(name: string): void {
    this.#views.delete(name);
  }

  /** Calls back after each look at a policy. Returns a function that stops it. */
  subscribe(listener: (view: PolicyView) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A listener that throws is its own trouble: it never reaches a decision. */
  publish(view: PolicyView): void {
    this.#views.set(view.name, view);
    for (const listener of this.#listeners) {
      try {
        listener(view);
      } catch {
        // Told nobody; the view stands and can be read.
      }
    }
  }
}
