// What every peer's release has in common: it asks the world for counts in order of time, at the weight it has, and keeps
// the sums. Refuses to look twice at the same second.
import type { Outcome, WindowCounts, World } from '../contestant.ts';
import { excessOver } from '../excess.ts';

export class Course {
  readonly world: World;
  #atSeconds = 0;
  #weight = 0;
  #canaryRequests = 0;
  #canaryBad = 0;
  readonly #weights: [number, number][] = [];

  constructor(world: World, weightPercent: number) {
    this.world = world;
    this.setWeight(weightPercent);
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

  setWeight(weightPercent: number): void {
    this.#weight = weightPercent;
    this.#weights.push([this.#atSeconds, weightPercent]);
  }

  /** Counts of the next seconds. */
  pass(seconds: number): WindowCounts {
    const window = this.world.draw(this.#atSeconds, this.#atSeconds + seconds, this.#weight);
    this.#atSeconds += seconds;
    this.#canaryRequests += window.canary.total;
    this.#canaryBad += window.canary.bad;
    return window;
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
