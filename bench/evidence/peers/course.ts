// What every peer's release has in common: it asks the world for counts in order of time, at the weight it has, keeps the
// sums, and can look back at them. Refuses to look twice at the same second.
import { quantileOfCounts } from '../../../src/core/analysis/thresholds/index.ts';
import type { ArmCounts, Outcome, WindowCounts, World } from '../contestant.ts';
import { excessOver } from '../excess.ts';

interface Passed extends WindowCounts {
  readonly toSeconds: number;
}

export class Course {
  readonly world: World;
  #tickSeconds: number;
  readonly #keepSeconds: number;
  #atSeconds = 0;
  #weight = 0;
  #canaryRequests = 0;
  #canaryBad = 0;
  readonly #weights: [number, number][] = [];
  #passed: Passed[] = [];

  /** Counts are drawn in ticks; those of the last `keepSeconds` can be asked for again. */
  constructor(world: World, tickSeconds: number, keepSeconds: number) {
    this.world = world;
    this.#tickSeconds = tickSeconds;
    this.#keepSeconds = keepSeconds;
  }

  get atSeconds(): number {
    return this.#atSeconds;
  }

  get weightPercent(): number {
    return this.#weight;
  }

  get isOver(): boolean {
    return this.#atSeconds >= this.world.horizonSeconds;
  }

  /** From now on, counts are drawn in ticks no longer than this. */
  tickBy(seconds: number): void {
    this.#tickSeconds = Math.min(this.#tickSeconds, seconds);
  }

  setWeight(weightPercent: number): void {
    this.#weight = weightPercent;
    this.#weights.push([this.#atSeconds, weightPercent]);
  }

  /** Lets time go by until this second, or the horizon; false if the horizon came first. */
  passTo(toSeconds: number): boolean {
    const until = Math.min(toSeconds, this.world.horizonSeconds);
    while (this.#atSeconds < until) this.pass(Math.min(this.#tickSeconds, until - this.#atSeconds));
    return toSeconds <= this.world.horizonSeconds;
  }

  pass(seconds: number): WindowCounts {
    const window = this.world.draw(this.#atSeconds, this.#atSeconds + seconds, this.#weight);
    this.#atSeconds += seconds;
    this.#canaryRequests += window.canary.total;
    this.#canaryBad += window.canary.bad;
    this.#passed.push({ ...window, toSeconds: this.#atSeconds });
    if (this.#passed.length > 2 + (2 * this.#keepSeconds) / this.#tickSeconds) {
      this.#passed = this.#passed.filter(({ toSeconds }) => toSeconds > this.#atSeconds - this.#keepSeconds);
    }
    return window;
  }

  /** The canary's counts of ticks that ended within (from, to]. */
  canary(fromSeconds: number, toSeconds: number): ArmCounts {
    return this.#passed
      .filter((tick) => tick.toSeconds > fromSeconds && tick.toSeconds <= toSeconds)
      .reduce<ArmCounts>((sum, { canary }) => added(sum, canary), NOTHING);
  }

  end(end: Outcome['end']): Outcome {
    const atSeconds = Math.min(this.#atSeconds, this.world.horizonSeconds);
    return {
      end,
      atSeconds,
      canaryRequests: this.#canaryRequests,
      canaryBad: this.#canaryBad,
      excessBad: excessOver(this.world, this.#weights, { end, atSeconds }),
    };
  }
}

export const NOTHING: ArmCounts = { total: 0, bad: 0, latency: null };

export function added(a: ArmCounts, b: ArmCounts): ArmCounts {
  const latency =
    a.latency === null || b.latency === null
      ? (a.latency ?? b.latency)
      : a.latency.map((count, i) => count + (b.latency?.[i] ?? 0));
  return { total: a.total + b.total, bad: a.bad + b.bad, latency };
}

/** Prometheus' p99 in seconds; NaN without observations or in a world without latency. */
export function p99Seconds({ latency }: ArmCounts, { boundaries }: World): number {
  return latency === null || boundaries === null ? Number.NaN : quantileOfCounts(0.99, boundaries, latency);
}

/** The longest tick that all of these times are multiples of. */
export function commonTick(...seconds: readonly number[]): number {
  return seconds.reduce((a, b) => {
    let [x, y] = [a, b];
    while (y > 0) [x, y] = [y, x % y];
    return x;
  });
}
