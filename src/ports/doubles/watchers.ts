// Who wants to hear of changes, by policy.
export class Watchers {
  readonly #watchers = new Map<string, Set<() => void>>();

  add(name: string, changed: () => void): () => void {
    const watchers = this.#watchers.get(name) ?? new Set();
    this.#watchers.set(name, watchers.add(changed));
    return () => watchers.delete(changed);
  }

  tell(name: string): void {
    for (const changed of [...(this.#watchers.get(name) ?? [])]) changed();
  }

  count(name: string): number {
    return this.#watchers.get(name)?.size ?? 0;
  }
}
