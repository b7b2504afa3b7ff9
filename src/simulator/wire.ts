// Everything between a controller and the world: each call is numbered, takes its time, and may fail, go stale or be the
// controller's last. A crashed controller never goes on: what it waits for is never answered.
import type { Scheduler } from './scheduler.ts';

export type CallKind = 'read' | 'write' | 'wait';

export interface CallFault {
  readonly latencyMs: number;
  /** The controller ends here: before the call took effect, or after it did and before the answer came. */
  readonly crash: 'before' | 'after' | null;
  /** The call is answered with an error: before it took effect, or though it did. */
  readonly fail: 'before' | 'after' | null;
  /** A read answers with what was seen before, if nothing was written since. */
  readonly stale: boolean;
}

export const NO_FAULT: CallFault = { latencyMs: 0, crash: null, fail: null, stale: false };

export interface EventFault {
  readonly delayMs: number;
  /** 0 = lost, 1 = once, 2 = twice. */
  readonly times: number;
}

export interface FaultPlan {
  call(number: number, name: string, kind: CallKind): CallFault;
  /** A notice from the world to the controller. */
  event(name: string): EventFault;
}

export const NO_FAULTS: FaultPlan = { call: () => NO_FAULT, event: () => ({ delayMs: 0, times: 1 }) };

/** A failure of the simulated world, as an adapter would throw it. */
export class SimulatedFailure extends Error {
  override readonly name = 'SimulatedFailure';
  readonly code = 'simulated-failure';
}

export interface Life {
  readonly number: number;
  readonly alive: boolean;
  call<T>(name: string, kind: CallKind, effect: () => T): Promise<T>;
  /** A read that may answer with an older snapshot, never older than the last write to the same `subject`. */
  observe<T>(name: string, subject: string, snapshot: () => T): Promise<{ readonly atMs: number; readonly value: T }>;
  wrote(subject: string): void;
  /** Wraps a callback of the controller: late, lost or twice, and never after its death. */
  notice(name: string, callback: () => void): () => void;
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void>;
  kill(): void;
}

export interface WireOptions {
  readonly number: number;
  readonly scheduler: Scheduler;
  readonly plan: FaultPlan;
  /** Numbers awaits over the whole run, all controllers. */
  readonly count: () => number;
  readonly note: (what: string) => void;
  readonly died: () => void;
}

/** A fresh one each time: what waits for a shared one would be kept for ever. */
const never = (): Promise<never> => new Promise<never>(() => {});

export function createLife(options: WireOptions): Life {
  const { scheduler, plan, note } = options;
  let alive = true;
  const cache = new Map<string, { atMs: number; value: unknown }>();
  const written = new Map<string, number>();

  function kill(): void {
    if (!alive) return;
    alive = false;
    options.died();
  }

  function crash(name: string, when: string): void {
    note(`controller ${options.number} dies ${when} ${name}`);
    kill();
  }

  function call<T>(name: string, kind: CallKind, effect: () => T, fault: CallFault): Promise<T> {
    if (fault.crash === 'before') {
      crash(name, 'before');
      return never();
    }
    if (fault.latencyMs === 0 && fault.crash === null && fault.fail === null) {
      try {
        return Promise.resolve(effect());
      } catch (error) {
        return Promise.reject(error);
      }
    }
    return new Promise<T>((resolve, reject) => {
      const answer = (settle: () => void): void => {
        scheduler.after(fault.latencyMs / 2, () => {
          if (!alive) return;
          scheduler.stir();
          settle();
        });
      };
      scheduler.after(fault.latencyMs / 2, () => {
        if (fault.fail === 'before') {
          note(`${name} fails`);
          answer(() => reject(new SimulatedFailure(`${name} failed before it did anything`)));
          return;
        }
        let value: T;
        try {
          value = effect();
        } catch (error) {
          answer(() => reject(error));
          return;
        }
        if (fault.crash === 'after' && alive) crash(name, 'after');
        if (fault.fail === 'after') note(`${name} fails after it took effect`);
        answer(() =>
          fault.fail === 'after'
            ? reject(
                new SimulatedFailure(`${name}: no answer, though it ${kind === 'write' ? 'was done' : 'was read'}`),
              )
            : resolve(value),
        );
      });
    });
  }

  function draw(name: string, kind: CallKind): CallFault {
    const fault = plan.call(options.count(), name, kind);
    note(name);
    return fault;
  }

  return {
    number: options.number,
    get alive() {
      return alive;
    },
    kill,
    call: (name, kind, effect) => (alive ? call(name, kind, effect, draw(name, kind)) : never()),
    observe: <T>(name: string, subject: string, snapshot: () => T) => {
      if (!alive) return never();
      const fault = draw(name, 'read');
      const cached = cache.get(subject) as { atMs: number; value: T } | undefined;
      const isFresh = cached !== undefined && cached.atMs > (written.get(subject) ?? -1);
      if (fault.stale && isFresh) note(`${name} is stale`);
      const read = (): { atMs: number; value: T } => {
        if (fault.stale && isFresh) return cached;
        const taken = { atMs: scheduler.nowMs, value: snapshot() };
        cache.set(subject, taken);
        return taken;
      };
      return call(name, 'read', read, fault);
    },
    wrote: (subject) => written.set(subject, scheduler.nowMs),
    notice: (name, callback) => noticeOf(options, () => alive, name, callback),
    sleep: (ms, signal) => sleepOf(options, { alive: () => alive, crash, draw }, ms, signal),
  };
}

function noticeOf(options: WireOptions, alive: () => boolean, name: string, callback: () => void): () => void {
  const { scheduler, plan } = options;
  const ring = (): void => {
    if (!alive()) return;
    scheduler.stir();
    callback();
  };
  return () => {
    if (!alive()) return;
    const fault = plan.event(name);
    for (let time = 0; time < fault.times; time++) scheduler.after(fault.delayMs * (time + 1), ring);
  };
}

interface Sleeper {
  alive(): boolean;
  crash(name: string, when: string): void;
  draw(name: string, kind: CallKind): CallFault;
}

function sleepOf(options: WireOptions, sleeper: Sleeper, ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (!sleeper.alive()) return never();
  const fault = sleeper.draw('clock.sleep', 'wait');
  if (fault.crash === 'before') {
    sleeper.crash('clock.sleep', 'before');
    return never();
  }
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const wake = (): void => {
      ticket.cancelled = true;
      signal?.removeEventListener('abort', wake);
      if (!sleeper.alive()) return;
      if (fault.crash === 'after') {
        sleeper.crash('clock.sleep', 'after');
        return;
      }
      options.scheduler.stir();
      resolve();
    };
    const ticket = options.scheduler.after(Math.max(0, ms), wake);
    signal?.addEventListener('abort', wake, { once: true });
  });
}
