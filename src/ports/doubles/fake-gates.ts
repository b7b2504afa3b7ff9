// Gates in memory: a run stays pending until a test answers it, and a key runs once.
import type { GateRequest } from '../../core/model/effect.ts';
import type { GateAnswer } from '../../core/model/observed.ts';
import type { Gates } from '../gate.ts';
import { Mishaps } from './mishaps.ts';

export class FakeGates implements Gates {
  readonly mishaps = new Mishaps();
  /** Keys in the order they were first run. */
  readonly runs: string[] = [];
  readonly #answers = new Map<string, GateAnswer>();
  readonly #watchers = new Set<() => void>();

  async run(request: GateRequest): Promise<void> {
    await this.mishaps.meet('run');
    if (this.#answers.has(request.key)) return;
    this.runs.push(request.key);
    this.#answers.set(request.key, { status: 'pending', message: 'running' });
  }

  async answer(key: string): Promise<GateAnswer> {
    await this.mishaps.meet('answer');
    return this.#answers.get(key) ?? { status: 'pending', message: 'not run yet' };
  }

  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  decide(key: string, answer: GateAnswer): void {
    this.#answers.set(key, answer);
    for (const changed of [...this.#watchers]) changed();
  }
}
