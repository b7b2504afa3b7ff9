// A yes that must come from outside. Runs are keyed: the same key is run once, and its answer is kept.
import type { GateRequest } from '../core/model/effect.ts';
import type { GateAnswer } from '../core/model/observed.ts';

export interface Gates {
  /** Starts a run for this key unless there is one; returns without waiting for the answer. */
  run(request: GateRequest): Promise<void>;
  /** The answer so far. A run that was cut short is an error, never a yes (rows 41, 42). */
  answer(key: string): Promise<GateAnswer>;
  watch(changed: () => void): () => void;
}
