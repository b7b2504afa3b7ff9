// One pass over one policy: observe -> decide -> record -> perform. Each pass reads the store anew; what it remembers
// of the pass before only saves decoding (rows 22, 71). On a conflict it reads again and decides anew.
import { type Decision, initialState, type LookFor, type Observation, underWay } from '../core/engine/index.ts';
import type { Command, CommandAnswer } from '../core/model/command.ts';
import type { Instant } from '../core/model/time.ts';
import { describeError } from '../lib/errors.ts';
import type { StoredCommand } from '../ports/index.ts';
import type { CallGuard } from './call-guard.ts';
import type { Claims } from './claims.ts';
import { decodeCommand, decodeState } from './codec.ts';
import { type Declared, decodeDeclared } from './declared.ts';
import type { ControllerDeps, ControllerOptions } from './deps.ts';
import { RecordContended } from './errors.ts';
import { observe, policyInForce, type Seen } from './observe.ts';
import { type Known, type Recorded, record } from './record.ts';

const CONFLICT_TRIES = 5;
const NOT_STORED: readonly Command[] = [];

export interface PassResult {
  readonly declared: Declared;
  readonly look: LookFor;
  readonly seen: Seen;
  readonly decision: Decision;
  readonly recorded: Exclude<Recorded, { kind: 'conflict' }>;
  /** What the store had before this decision. */
  readonly before: Known;
}

interface Read {
  readonly declared: Declared;
  readonly known: Known;
  readonly commands: readonly Command[];
  readonly refusals: readonly CommandAnswer[];
  readonly store: Observation['store'];
}

export interface PassesShared {
  readonly deps: ControllerDeps;
  readonly guard: CallGuard;
  readonly claims: Claims;
  readonly options: ControllerOptions;
}

export class Passes {
  readonly #name: string;
  readonly #deps: ControllerDeps;
  readonly #guard: CallGuard;
  readonly #claims: Claims;
  readonly #restMs: number;
  #declared: Declared | null = null;
  #known: Known | null = null;
  #freshId: string | null = null;

  constructor(name: string, { deps, guard, claims, options }: PassesShared) {
    this.#restMs = options.recordRestMs;
    this.#name = name;
    this.#deps = deps;
    this.#guard = guard;
    this.#claims = claims;
  }

  /** The declaration as last read. */
  get declared(): Declared | null {
    return this.#declared;
  }

  /** Decides and records; null if nobody ever declared this policy. Performing is the caller's. */
  async decideAndRecord(unstored: readonly Command[] = NOT_STORED): Promise<PassResult | null> {
    for (let tries = 1; tries <= CONFLICT_TRIES; tries += 1) {
      const now = this.#deps.clock.now();
      const read = await this.#read(now);
      if (read === null) return null;
      const result = await this.#decide(read, now, unstored);
      if (result !== null) return result;
      this.#known = null;
      this.#deps.log.warn('state changed by another writer', { policy: this.#name, tries });
    }
    throw new RecordContended(this.#name, CONFLICT_TRIES);
  }

  async #decide(read: Read, now: Instant, unstored: readonly Command[]): Promise<PassResult | null> {
    const { engine, random, store } = this.#deps;
    const { declared, known } = read;
    const { state } = known;
    const look = engine.lookFor(state, now);
    const seen = await observe(this.#deps, this.#guard, { policy: policyInForce(state, declared.policy), look });
    this.#freshId ??= random.id();
    const decision = engine.decide({
      policy: declared.policy,
      state,
      observation: {
        now,
        declared: declared.version,
        ...seen,
        commands: unstored.length === 0 ? read.commands : [...read.commands, ...unstored],
        store: read.store,
        freshId: this.#freshId,
        policyHash: declared.policyHash,
      },
    });
    if (decision.state.release?.salt === this.#freshId) this.#freshId = null;
    const keepReleases = declared.policy.historyLimit;
    const recorded = await record(store, this.#guard, {
      policy: this.#name,
      known,
      decision,
      refusals: read.refusals,
      keepReleases,
      restMs: this.#restMs,
    });
    if (recorded.kind === 'conflict') return null;
    this.#known = recorded.kind === 'unrecorded' ? null : recorded.known;
    return { declared, look, seen, decision, recorded, before: known };
  }

  async #read(now: Instant): Promise<Read | null> {
    const { store } = this.#deps;
    const name = this.#name;
    const [declaration, stored, pending, health] = await this.#guard.run('the store', () =>
      Promise.all([store.declaration(name), store.readState(name), store.pendingCommands(name), store.health()]),
    );
    if (declaration === null) return null;
    if (this.#declared?.generation !== declaration.generation) this.#declared = decodeDeclared(declaration);
    const version = stored?.version ?? 0;
    if (this.#known === null || this.#known.version !== version) {
      const state = stored === null ? initialState(name, now) : decodeState(name, stored.state);
      this.#known = { version, state, body: null, writtenAt: null };
    }
    this.#takePlace(this.#declared, this.#known);
    return { declared: this.#declared, known: this.#known, ...this.#readCommands(pending), store: health };
  }

  /**
   * A policy that never served and asks for another's place is not started (row 63). One that serves already goes on
   * by its recorded state, else the refusal would block its way out; its router then refuses the new place. Nor is one
   * that is withdrawn refused: it asks for nothing, and would never go (row 78).
   */
  #takePlace({ policy, version }: Declared, { state }: Known): void {
    const isLeftAlone = version === null || state.stable !== null || underWay(state) !== null;
    if (!isLeftAlone || this.#claims.holder(policy) === null) this.#claims.take(policy);
  }

  /** A command nobody can read is refused with the reason, not left to stop every pass after it (row 68). */
  #readCommands(pending: readonly StoredCommand[]): Pick<Read, 'commands' | 'refusals'> {
    const commands: Command[] = [];
    const refusals: CommandAnswer[] = [];
    for (const { id, document } of pending) {
      try {
        commands.push(decodeCommand(id, document));
      } catch (error) {
        refusals.push({ id, accepted: false, message: describeError(error) });
        this.#deps.log.warn('command refused', { policy: this.#name, command: id, error });
      }
    }
    return { commands, refusals };
  }
}
