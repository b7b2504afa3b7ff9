// How doubles are made to misbehave: fail a number of times, or hang until told otherwise. Calls are counted by name.
export class Mishaps {
  readonly calls: string[] = [];
  readonly #failures = new Map<string, { error: Error; times: number }>();
  readonly #gates = new Map<string, Promise<void>>();

  /** The next calls of this name reject. */
  fail(call: string, error: Error = new Error(`${call} failed`), times = Number.POSITIVE_INFINITY): void {
    this.#failures.set(call, { error, times });
  }

  /** Calls of this name wait until the returned function is called. */
  hang(call: string): () => void {
    let release: () => void = () => {};
    this.#gates.set(
      call,
      new Promise((resolve) => {
        release = resolve;
      }),
    );
    return () => {
      this.#gates.delete(call);
      release();
    };
  }

  heal(call: string): void {
    this.#failures.delete(call);
  }

  count(call: string): number {
    return this.calls.filter((name) => name === call).length;
  }

  /** Doubles call this first in each of their methods. */
  async meet(call: string): Promise<void> {
    this.calls.push(call);
    await this.#gates.get(call);
    const failure = this.#failures.get(call);
    if (failure === undefined) return;
    failure.times -= 1;
    if (failure.times <= 0) this.#failures.delete(call);
    throw failure.error;
  }
}
