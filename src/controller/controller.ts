// The loop over all policies: one worker each, woken by events of the store, the workload, the router and the gates,
// and by time. Everything is injected. It decides nothing itself, and it keeps nothing that the store does not have.
//
// Withdrawing a policy changes nothing that serves: its versions run on, the split stays, and a person can still
// command it; the engine is told that nothing is declared any more.
import type { Command } from '../core/model/command.ts';
import type { ReleasePolicy } from '../core/model/policy.ts';
import type { Declaration } from '../ports/index.ts';
import { CallGuard } from './call-guard.ts';
import { Claims } from './claims.ts';
import { decodeDeclared } from './declared.ts';
import { type ControllerDeps, type ControllerOptions, DEFAULT_OPTIONS } from './deps.ts';
import { type PolicyView, Views } from './view.ts';
import { PolicyWorker } from './worker.ts';

export class Controller {
  readonly #deps: ControllerDeps;
  readonly #options: ControllerOptions;
  readonly #guard: CallGuard;
  readonly #views = new Views();
  readonly #claims = new Claims();
  readonly #workers = new Map<string, PolicyWorker>();
  #stops: readonly (() => void)[] = [];
  #running = false;

  constructor(deps: ControllerDeps, options: Partial<ControllerOptions> = {}) {
    this.#deps = deps;
    this.#options = { ...DEFAULT_OPTIONS, ...options };
    this.#guard = new CallGuard(deps.clock, this.#options.callLimitMs);
  }

  /** Starts a worker for each declared policy. Rejects only if the store cannot be read. */
  async start(): Promise<void> {
    const { store, gates } = this.#deps;
    this.#running = true;
    this.#stops = [
      store.watch((policy) => this.#onStore(policy)),
      gates.watch(() => {
        for (const worker of this.#workers.values()) if (worker.waitsForGates) worker.trigger(false);
      }),
    ];
    const declarations = await store.declarations();
    await this.#claimForThoseThatServe(declarations);
    for (const { policy } of declarations) this.#workerFor(policy);
  }

  /** Ends every loop after the pass under way, or without it if a port hangs. What serves goes on serving. */
  async stop(): Promise<void> {
    this.#running = false;
    for (const stop of this.#stops) stop();
    this.#stops = [];
    const timer = new AbortController();
    void this.#deps.clock.sleep(this.#options.stopMs, timer.signal).then(() => {
      if (!timer.signal.aborted) this.#guard.giveUp();
    });
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop()));
    timer.abort();
    this.#workers.clear();
    this.#guard.stop();
  }

  view(policy: string): PolicyView | null {
    return this.#views.get(policy);
  }

  views(): readonly PolicyView[] {
    return this.#views.all();
  }

  /** Calls back after each look at any policy. Returns a function that stops it. */
  subscribe(listener: (view: PolicyView) => void): () => void {
    return this.#views.subscribe(listener);
  }

  /** Look at this policy now. */
  wake(policy: string): void {
    this.#workers.get(policy)?.trigger(true);
  }

  /** For a command the store has no room for; see commands.ts. False if there is no such policy. */
  takeUnstored(command: Command): boolean {
    const worker = this.#workers.get(command.policy);
    worker?.takeUnstored(command);
    return worker !== undefined;
  }

  /** Who else has the place this policy asks for, so that it can be refused when it is applied (row 63); null if free. */
  holderOfPlace(policy: ReleasePolicy): string | null {
    return this.#claims.holder(policy);
  }

  #onStore(policy: string): void {
    const worker = this.#workers.get(policy);
    if (worker === undefined) void this.#startIfDeclared(policy);
    else worker.trigger(true);
  }

  /** A command for a policy that nobody declared starts nothing, and leaves nothing behind. */
  async #startIfDeclared(policy: string): Promise<void> {
    try {
      if ((await this.#deps.store.declaration(policy)) === null) return;
    } catch (error) {
      this.#deps.log.warn('declaration not read', { policy, error });
    }
    this.#workerFor(policy);
  }

  #workerFor(policy: string): void {
    if (!this.#running || this.#workers.has(policy)) return;
    const worker = new PolicyWorker(policy, {
      deps: this.#deps,
      options: this.#options,
      guard: this.#guard,
      views: this.#views,
      claims: this.#claims,
      gone: (name) => this.#gone(name),
    });
    this.#workers.set(policy, worker);
    worker.start();
  }

  /** In one go with the end of its worker: whatever is heard of this name from now on starts another. */
  #gone(policy: string): void {
    this.#workers.delete(policy);
    this.#views.forget(policy);
    for (const refused of this.#claims.giveUp(policy)) this.wake(refused);
  }

  /** A policy with a recorded state had its place first, whatever the order of names. */
  async #claimForThoseThatServe(declarations: readonly Declaration[]): Promise<void> {
    for (const declaration of declarations) {
      try {
        if ((await this.#deps.store.readState(declaration.policy)) === null) continue;
        this.#claims.take(decodeDeclared(declaration).policy);
      } catch (error) {
        this.#deps.log.warn('place not taken at start', { policy: declaration.policy, error });
      }
    }
  }
}
