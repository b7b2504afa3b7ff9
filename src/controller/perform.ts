// The only caller of what changes the world: carries out the effects of a recorded decision, in their order, each
// failure contained, told, and tried again with back-off. After a failed ensure nothing is done that relies on it:
// no capacity is removed (I2) and no gate is run. The split itself relies on nothing: its endpoints were observed, and
// the way out must not hang on a workload that fails (I3, row 23).
import type { Effect } from '../core/model/effect.ts';
import type { ReleasePolicy } from '../core/model/policy.ts';
import { backoffMs } from '../lib/backoff.ts';
import { describeError } from '../lib/errors.ts';
import type { CallGuard } from './call-guard.ts';
import type { ControllerDeps, ControllerOptions } from './deps.ts';

/** An effect that is not done yet, in words for people. */
export interface Owed {
  readonly effect: Effect['kind'];
  readonly message: string;
  /** Failures in a row. */
  readonly failures: number;
}

interface Failing extends Owed {
  readonly asked: Effect;
  readonly failedText: string;
  readonly retryAtMs: number;
  readonly epoch: string;
}

export class Performer {
  readonly #deps: ControllerDeps;
  readonly #guard: CallGuard;
  readonly #options: ControllerOptions;
  /** By kind, and by key where an effect has one. */
  readonly #failing = new Map<string, Failing>();

  constructor(deps: ControllerDeps, guard: CallGuard, options: ControllerOptions) {
    this.#deps = deps;
    this.#guard = guard;
    this.#options = options;
  }

  /** What is still owed, for people; empty when all is done. */
  get owed(): readonly Owed[] {
    return [...this.#failing.values()].map(({ effect, message, failures }) => ({ effect, message, failures }));
  }

  /** Performs what is due; returns milliseconds until the next retry, null if nothing is owed. */
  async perform(policy: ReleasePolicy, effects: readonly Effect[]): Promise<number | null> {
    this.#forget(effects);
    let ensured = true;
    for (const effect of [...effects, ...this.#owedNews(effects)]) {
      if (!ensured && reliesOnEnsured(effect)) continue;
      const done = await this.#attempt(policy, effect);
      if (!done && (effect.kind === 'ensureWorkload' || effect.kind === 'ensureSplit')) ensured = false;
    }
    return this.#nextRetryMs();
  }

  async #attempt(policy: ReleasePolicy, effect: Effect): Promise<boolean> {
    const key = keyOf(effect);
    const before = this.#failing.get(key);
    if (before !== undefined && this.#mustWait(before, effect)) return false;
    try {
      const refusal = await this.#call(policy, effect);
      if (refusal === null) {
        this.#failing.delete(key);
        return true;
      }
      this.#fail(policy, effect, refusal);
    } catch (error) {
      this.#fail(policy, effect, describeError(error));
    }
    return false;
  }

  /** Resolves to null when it is done or under way, or to why it was refused. */
  async #call(policy: ReleasePolicy, effect: Effect): Promise<string | null> {
    const { workload, router, gates, notifier } = this.#deps;
    switch (effect.kind) {
      case 'ensureWorkload':
        await this.#guard.run('the workload', () => workload.ensure(policy, effect.wanted));
        return null;
      case 'ensureSplit': {
        const result = await this.#guard.run('the router', () => router.ensure(policy, effect.split, effect.backends));
        return result.kind === 'rejected' ? result.reason : null;
      }
      case 'retire':
        await this.#guard.run('the workload', () => workload.retire(policy, effect.revisions));
        return null;
      case 'handBack':
        await this.#guard.run('the workload', async () => workload.handBack?.(policy, effect.stable));
        await this.#guard.run('the router', async () => router.handBack?.(policy));
        await this.#guard.run('the store', async () => this.#deps.store.finish?.(policy.name));
        return null;
      case 'runGate':
        await this.#guard.run('a gate', () => gates.run(effect.request));
        return null;
      case 'notify':
        await this.#guard.run('the notifier', () => notifier.notify(policy, effect.message));
        return null;
    }
  }

  /** The very same effect waits out its back-off; a changed one (an abort, say) is tried at once. */
  #mustWait(before: Failing, effect: Effect): boolean {
    const now = this.#deps.clock.now();
    return before.epoch === now.epoch && now.monotonicMs < before.retryAtMs && before.failedText === textOf(effect);
  }

  #fail(policy: ReleasePolicy, effect: Effect, message: string): void {
    const key = keyOf(effect);
    const failures = (this.#failing.get(key)?.failures ?? 0) + 1;
    const { monotonicMs, epoch } = this.#deps.clock.now();
    const retryAtMs = monotonicMs + jittered(this.#options, failures, this.#deps.random.fraction());
    const failedText = textOf(effect);
    const { kind } = effect;
    this.#failing.set(key, { effect: kind, asked: effect, message, failures, failedText, retryAtMs, epoch });
    this.#deps.log.warn('effect failed', { policy: policy.name, effect: effect.kind, failures, reason: message });
  }

  /** What is no longer asked for is no longer owed; only news are, since they are asked for once. */
  #forget(effects: readonly Effect[]): void {
    if (this.#failing.size === 0) return;
    const asked = new Set(effects.map(keyOf));
    for (const [key, { effect }] of this.#failing) {
      if (effect !== 'notify' && !asked.has(key)) this.#failing.delete(key);
    }
  }

  #owedNews(effects: readonly Effect[]): readonly Effect[] {
    if (this.#failing.size === 0) return [];
    const asked = new Set(effects.map(keyOf));
    const owed = [...this.#failing].filter(([key, { effect }]) => effect === 'notify' && !asked.has(key));
    return owed.map(([, failing]) => failing.asked);
  }

  #nextRetryMs(): number | null {
    if (this.#failing.size === 0) return null;
    const { monotonicMs } = this.#deps.clock.now();
    return Math.max(0, Math.min(...[...this.#failing.values()].map(({ retryAtMs }) => retryAtMs - monotonicMs)));
  }
}

/** Half of the back-off for sure, the other half by chance, so that many policies do not come back at once. */
export function jittered(options: ControllerOptions, failures: number, fraction: number): number {
  const waitMs = backoffMs(options.backoff, failures);
  return waitMs / 2 + (waitMs / 2) * fraction;
}

function reliesOnEnsured(effect: Effect): boolean {
  return effect.kind === 'retire' || effect.kind === 'runGate';
}

function keyOf(effect: Effect): string {
  switch (effect.kind) {
    case 'notify':
      return `notify ${effect.message.key}`;
    case 'runGate':
      return `runGate ${effect.request.key}`;
    default:
      return effect.kind;
  }
}

function textOf(effect: Effect): string {
  return JSON.stringify(effect);
}
