// The account that users keep: every request is sent once and ends once, as answered by a version or as lost, and is
// counted in the second in which it was sent. Pure. It refuses to count a request twice.

export interface Answers {
  /** All answers of the version. */
  readonly all: number;
  /** Those with 500 or above, by the version itself. */
  readonly bad: number;
  /** Those that were the first on their connection. */
  readonly fresh: number;
}

export interface Slice {
  /** Seconds since 1970, whole. */
  readonly second: number;
  readonly sent: number;
  readonly versions: Readonly<Record<string, Answers>>;
  /** By cause. */
  readonly lost: Readonly<Record<string, number>>;
}

interface Writable {
  sent: number;
  readonly versions: Record<string, { all: number; bad: number; fresh: number }>;
  readonly lost: Record<string, number>;
}

export class Account {
  readonly #slices = new Map<number, Writable>();
  #underWay = 0;

  get underWay(): number {
    return this.#underWay;
  }

  /** The slice in which what becomes of it is counted. */
  send(atMs: number): number {
    const second = Math.floor(atMs / 1_000);
    this.#slice(second).sent += 1;
    this.#underWay += 1;
    return second;
  }

  answer(second: number, by: { readonly version: string; readonly isBad: boolean; readonly isFresh: boolean }): void {
    this.#underWay -= 1;
    const { versions } = this.#slice(second);
    versions[by.version] ??= { all: 0, bad: 0, fresh: 0 };
    const answers = versions[by.version] as { all: number; bad: number; fresh: number };
    answers.all += 1;
    if (by.isBad) answers.bad += 1;
    if (by.isFresh) answers.fresh += 1;
  }

  lose(second: number, cause: string): void {
    this.#underWay -= 1;
    const { lost } = this.#slice(second);
    lost[cause] = (lost[cause] ?? 0) + 1;
  }

  slices(): readonly Slice[] {
    return [...this.#slices].map(([second, slice]) => ({ second, ...slice })).sort((a, b) => a.second - b.second);
  }

  #slice(second: number): Writable {
    const known = this.#slices.get(second);
    if (known !== undefined) return known;
    const slice: Writable = { sent: 0, versions: {}, lost: {} };
    this.#slices.set(second, slice);
    return slice;
  }
}

export interface Total {
  readonly sent: number;
  readonly answered: number;
  readonly bad: number;
  readonly lost: number;
  readonly causes: Readonly<Record<string, number>>;
  /** Seconds of the first and last lost request; null if none was. */
  readonly firstLost: number | null;
  readonly lastLost: number | null;
}

export function totalOf(slices: readonly Slice[]): Total {
  const causes: Record<string, number> = {};
  let [sent, answered, bad, lost] = [0, 0, 0, 0];
  let [firstLost, lastLost]: [number | null, number | null] = [null, null];
  for (const slice of slices) {
    sent += slice.sent;
    for (const answers of Object.values(slice.versions)) {
      answered += answers.all;
      bad += answers.bad;
    }
    for (const [cause, count] of Object.entries(slice.lost)) {
      causes[cause] = (causes[cause] ?? 0) + count;
      lost += count;
      firstLost = Math.min(firstLost ?? slice.second, slice.second);
      lastLost = Math.max(lastLost ?? slice.second, slice.second);
    }
  }
  return { sent, answered, bad, lost, causes, firstLost, lastLost };
}

/** What a version answered between two moments, in whole seconds that lie inside. */
export function answersOf(slices: readonly Slice[], version: string, fromMs = 0, toMs = Number.POSITIVE_INFINITY) {
  const sum = { all: 0, bad: 0, fresh: 0 };
  for (const { second, versions } of slices) {
    if (second * 1_000 < fromMs || (second + 1) * 1_000 > toMs) continue;
    const answers = versions[version];
    sum.all += answers?.all ?? 0;
    sum.bad += answers?.bad ?? 0;
    sum.fresh += answers?.fresh ?? 0;
  }
  return sum;
}
