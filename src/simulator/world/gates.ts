// Simulated gates and listeners: runs are keyed, answer after a while, and the world remembers how often each was asked
// for and really run.
import type { GateRequest, NotifyMessage } from '../../core/model/effect.ts';
import type { GateAnswer } from '../../core/model/observed.ts';
import type { Scheduler } from '../scheduler.ts';

export interface GateTruth {
  readonly answer: 'yes' | 'no' | 'error' | 'never';
  readonly afterMs: number;
}

export interface GatesWorld {
  run(request: GateRequest): void;
  answer(key: string): GateAnswer;
  watch(changed: () => void): () => void;
  /** Runs by key, and by gate + stage + revision + release, which must agree. */
  readonly runs: ReadonlyMap<string, { readonly request: GateRequest; answer: GateAnswer }>;
}

export function createGatesWorld(
  scheduler: Scheduler,
  truthOf: (gate: string) => GateTruth,
  did: (effect: string) => void,
): GatesWorld {
  const runs = new Map<string, { request: GateRequest; answer: GateAnswer }>();
  const watchers = new Set<() => void>();
  return {
    runs,
    run(request) {
      if (runs.has(request.key)) return;
      const run = { request, answer: { status: 'pending', message: 'no answer yet' } as GateAnswer };
      runs.set(request.key, run);
      did(`gate ${request.gate.name} of stage ${request.stage} runs for ${request.revision}`);
      const truth = truthOf(request.gate.name);
      const { answer } = truth;
      if (answer === 'never') return;
      scheduler.after(truth.afterMs, () => {
        run.answer = { status: answer, message: `the gate says ${answer}` };
        for (const watcher of watchers) watcher();
      });
    },
    answer: (key) => runs.get(key)?.answer ?? { status: 'pending', message: 'it was never asked' },
    watch(changed) {
      watchers.add(changed);
      return () => watchers.delete(changed);
    },
  };
}

export interface NotifierWorld {
  notify(message: NotifyMessage): void;
  /** Deliveries by key: the contract is once each. */
  readonly delivered: ReadonlyMap<string, NotifyMessage>;
}

export function createNotifierWorld(did: (effect: string) => void): NotifierWorld {
  const delivered = new Map<string, NotifyMessage>();
  return {
    delivered,
    notify(message) {
      if (delivered.has(message.key)) return;
      delivered.set(message.key, message);
      did(`told ${message.key}`);
    },
  };
}
