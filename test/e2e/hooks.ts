// Faults of the cluster's own parts, by a command of whoever runs the suite: `<command> hold kube-apiserver`, `free`,
// `freeze prometheus`, `thaw`. Without it the scenarios that need it are skipped, with the reason. What was held or frozen
// is let go at the end, whatever happened.
import { run } from '../../tools/run.ts';

export type Fault = 'hold' | 'freeze';
const UNDO = { hold: 'free', freeze: 'thaw' } as const;

export class Hooks {
  readonly #command: string | null;
  readonly #done = new Map<string, Fault>();

  constructor(command: string | null) {
    this.#command = command;
  }

  get isThere(): boolean {
    return this.#command !== null;
  }

  async break(fault: Fault, part: string): Promise<void> {
    await this.#call(fault, part);
    this.#done.set(part, fault);
  }

  async mend(part: string): Promise<void> {
    const fault = this.#done.get(part);
    if (fault === undefined) return;
    this.#done.delete(part);
    await this.#call(UNDO[fault], part);
  }

  async mendAll(): Promise<void> {
    for (const part of [...this.#done.keys()]) await this.mend(part);
  }

  async #call(verb: string, part: string): Promise<void> {
    if (this.#command === null) throw new Error('HALDANE_E2E_HOOKS is not set');
    const { exitCode, output } = await run(this.#command, [verb, part]);
    if (exitCode !== 0) throw new Error(`${this.#command} ${verb} ${part} failed: ${output.trim()}`);
  }
}
