// The loop of one policy: rest until something happens or it is time to look, then one pass, never two at once
// (row 62). A pass that fails is tried again with back-off and jitter, and touches no other policy (row 68). Once nobody
// declares the policy any more, the loop ends by itself.
import { underWay } from '../core/engine/index.ts';
import type { Command } from '../core/model/command.ts';
import { describeError } from '../lib/errors.ts';
import type { CallGuard } from './call-guard.ts';
import type { Claims } from './claims.ts';
import type { ControllerDeps, ControllerOptions } from './deps.ts';
import { Passes, type PassResult } from './pass.ts';
import { jittered, Performer } from './perform.ts';
import { Rest, type RestTimes } from './rest.ts';
import { harmlessEffects } from './unrecorded.ts';
import type { PolicyView, Views } from './view.ts';
import { Watches } from './watches.ts';

export interface Shared {
  readonly deps: ControllerDeps;
  readonly options: ControllerOptions;
  readonly guard: CallGuard;
  readonly views: Views;
  readonly claims: Claims;
  /** Nobody declares the policy any more: its worker has ended. */
  readonly gone: (policy: string) => void;
}

/** Whatever the engine says: no loop that spins. */
const LEAST_REST_MS = 10;

export class PolicyWorker {
  readonly #name: string;
  readonly #shared: Shared;
  readonly #passes: Passes;
  readonly #performer: Performer;
  readonly #rest: Rest;
  readonly #watches: Watches;
  #stopped = false;
  #failures = 0;
  #looks = 0;
  #lastBecause = '';
  #waitsForGates = false;
  #unstored: readonly Command[] = [];
  #loop: Promise<void> = Promise.resolve();

  constructor(name: string, shared: Shared) {
    const { deps, guard, options } = shared;
    this.#name = name;
    this.#shared = shared;
    this.#passes = new Passes(name, shared);
    this.#performer = new Performer(deps, guard, options);
    this.#rest = new Rest(deps.clock);
    this.#watches = new Watches(deps, () => this.trigger(false));
  }

  /** Whether an answer of a gate is being waited for. */
  get waitsForGates(): boolean {
    return this.#waitsForGates;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Ends the loop after the pass under way, if any. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#rest.end();
    this.#watches.stop();
    await this.#loop;
  }

  /** Something changed. `urgent`: a person asked, so neither back-off nor quiet time is waited for. */
  trigger(urgent: boolean): void {
    this.#rest.trigger(urgent);
  }

  /** A command the store had no room for is kept in memory until it can be recorded: a person can always abort (I3). */
  takeUnstored(command: Command): void {
    this.#unstored = [...this.#unstored, command];
    this.trigger(true);
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#rest.begin();
      const times = await this.#pass();
      if (this.#stopped) return;
      if (times !== null) await this.#rest.take(times);
      // What was heard of meanwhile may be another policy of the same name, and nobody else would look at it.
      else if (!this.#rest.isDue) return this.#end();
    }
  }

  #end(): void {
    this.#stopped = true;
    this.#watches.stop();
    this.#shared.gone(this.#name);
  }

  /** null: nobody declares the policy. */
  async #pass(): Promise<RestTimes | null> {
    try {
      const result = await this.#passes.decideAndRecord(this.#unstored);
      return result === null ? null : await this.#carryOut(result);
    } catch (error) {
      const waitMs = this.#backOff();
      this.#shared.deps.log.error('pass failed', { policy: this.#name, failures: this.#failures, error });
      this.#publishTrouble(describeError(error));
      return { delayMs: waitMs, floorMs: waitMs };
    }
  }

  /** After the record: tell, then perform. */
  async #carryOut(result: PassResult): Promise<RestTimes> {
    const { decision, declared, recorded, before, seen } = result;
    this.#logDecision(result);
    const isRecorded = recorded.kind !== 'unrecorded';
    const troubleMs = isRecorded ? null : this.#backOff();
    if (isRecorded) this.#settle(result);
    this.#waitsForGates = result.look.gates.length > 0;
    const view = this.#viewOf(result);
    this.#shared.views.publish(view);
    if (!this.#stopped) this.#watches.follow(declared.policy, declared.generation);
    const policy = underWay(decision.state)?.policy ?? underWay(before.state)?.policy ?? declared.policy;
    const effects = isRecorded ? decision.effects : harmlessEffects(decision.effects, before.state, seen);
    const retryMs = await this.#performer.perform(policy, effects);
    const { owed } = this.#performer;
    if (owed.length + view.owed.length > 0) this.#shared.views.publish({ ...view, owed });
    const { resyncMs, quietMs } = this.#shared.options;
    const delayMs = shortest([decision.lookAgainMs, resyncMs, retryMs, troubleMs]);
    return { delayMs: Math.max(LEAST_REST_MS, delayMs), floorMs: quietMs };
  }

  #settle({ decision }: PassResult): void {
    this.#failures = 0;
    if (this.#unstored.length === 0) return;
    const answered = new Set(decision.answers.map(({ id }) => id));
    this.#unstored = this.#unstored.filter(({ id }) => !answered.has(id));
  }

  #backOff(): number {
    this.#failures += 1;
    return jittered(this.#shared.options, this.#failures, this.#shared.deps.random.fraction());
  }

  /** Each decision once: not again for every look that decides the same. */
  #logDecision({ decision, recorded }: PassResult): void {
    const { log } = this.#shared.deps;
    const policy = this.#name;
    if (recorded.kind === 'unrecorded') log.error('decision not recorded', { policy, reason: recorded.message });
    const isNew = decision.because !== this.#lastBecause || decision.events.length > 0;
    if (!isNew) return;
    this.#lastBecause = decision.because;
    // News are for people; the same wait with other numbers is for those who look closely.
    const level = decision.events.length > 0 ? 'info' : 'debug';
    log[level]('decided', {
      policy,
      release: underWay(decision.state)?.id ?? null,
      because: decision.because,
      next: decision.next.what,
      effects: decision.effects.map(({ kind }) => kind),
      events: decision.events.map(({ kind }) => kind),
    });
  }

  #viewOf({ decision, declared, recorded, before, seen }: PassResult): PolicyView {
    const { conditions, because, next, can } = decision;
    this.#looks += 1;
    const isRecorded = recorded.kind !== 'unrecorded';
    return {
      name: this.#name,
      generation: declared.generation,
      policy: declared.policy,
      declared: declared.version,
      state: isRecorded ? decision.state : before.state,
      decision: { conditions, because, next, can },
      seen: { workload: seen.workload, router: seen.router },
      trouble: isRecorded ? null : `nothing could be recorded, so nothing new is started: ${recorded.message}`,
      owed: this.#performer.owed,
      wallTime: decision.state.clock.wallTime,
      looks: this.#looks,
    };
  }

  /** The last view stands, with the trouble named. */
  #publishTrouble(trouble: string): void {
    this.#looks += 1;
    const last = this.#shared.views.get(this.#name) ?? nothingSeen(this.#name);
    const declared = this.#passes.declared;
    this.#shared.views.publish({
      ...last,
      generation: declared?.generation ?? last.generation,
      policy: declared?.policy ?? last.policy,
      declared: declared?.version ?? last.declared,
      trouble,
      wallTime: this.#shared.deps.clock.now().wallTime,
      looks: this.#looks,
    });
  }
}

function nothingSeen(name: string): PolicyView {
  return {
    name,
    generation: 0,
    policy: null,
    declared: null,
    state: null,
    decision: null,
    seen: null,
    trouble: null,
    owed: [],
    wallTime: '',
    looks: 0,
  };
}

function shortest(delaysMs: readonly (number | null)[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (const delayMs of delaysMs) if (delayMs !== null && delayMs < least) least = delayMs;
  return least;
}
