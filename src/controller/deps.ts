// Everything the controller needs from outside, injected: it has no clock, no randomness, no I/O and no log of its own.
import type { Decision, DecisionInput, LookFor, State } from '../core/engine/index.ts';
import type { Instant } from '../core/model/time.ts';
import type { Log } from '../lib/log.ts';
import type { Clock, Gates, MetricSource, Notifier, Randomness, Router, Store, Workload } from '../ports/index.ts';

/** The pure part, injected so that the simulator can try changed ones. */
export interface Engine {
  decide(input: DecisionInput): Decision;
  /** What to observe this time: nothing is read that no decision could use. */
  lookFor(state: State, now: Instant): LookFor;
}

export interface ControllerDeps {
  readonly engine: Engine;
  readonly store: Store;
  readonly workload: Workload;
  readonly router: Router;
  readonly metrics: MetricSource;
  readonly gates: Gates;
  readonly notifier: Notifier;
  readonly clock: Clock;
  readonly random: Randomness;
  readonly log: Log;
}

export interface ControllerOptions {
  /** After a failed pass, doubled up to the maximum, with jitter. */
  readonly backoff: { readonly initialMs: number; readonly maxMs: number };
  /** Between two passes that only events asked for; a command or a declaration does not wait for it. */
  readonly quietMs: number;
  /** The longest rest, whatever the engine says. */
  readonly resyncMs: number;
  /** A port that has not answered after this long (at most half as long again) counts as failed. */
  readonly callLimitMs: number;
  /** A record in which nothing but time has passed since the last is not written more often than this. */
  readonly recordRestMs: number;
  /** How long stopping waits for ports that do not answer. */
  readonly stopMs: number;
}

export const DEFAULT_OPTIONS: ControllerOptions = {
  backoff: { initialMs: 500, maxMs: 30_000 },
  quietMs: 25,
  resyncMs: 300_000,
  callLimitMs: 30_000,
  recordRestMs: 0,
  stopMs: 5_000,
};
