// What every policy in the benchmark is: something that is given a world and says when it promoted or aborted. Ours and
// the peers' meet the same worlds through this alone; none of them sees what is true.

export interface ArmCounts {
  readonly total: number;
  readonly bad: number;
  /** requests per latency bucket, upper boundaries as in World.boundaries; null if the world has no latency */
  readonly latency: readonly number[] | null;
}

export interface WindowCounts {
  readonly canary: ArmCounts;
  readonly stable: ArmCounts;
}

export interface World {
  readonly horizonSeconds: number;
  readonly requestsPerSecond: number;
  /** upper boundaries in seconds of latency buckets, last is Infinity; null without latency */
  readonly boundaries: readonly number[] | null;
  /** Counts of [from, to) seconds while the canary has this weight; windows must be asked for in order of time, each once. */
  draw(fromSeconds: number, toSeconds: number, weightPercent: number): WindowCounts;
  /** Expected excess bad requests per second if the canary gets this weight at this second (0 for equal versions). */
  excessPerSecond(atSeconds: number, weightPercent: number): number;
}

export interface Outcome {
  readonly end: 'promoted' | 'aborted' | 'undecided';
  readonly atSeconds: number;
  readonly canaryRequests: number;
  /** expected, to the horizon: after promotion at 100 % */
  readonly excessBad: number;
  /** bad answers of the canary until the end */
  readonly canaryBad: number;
}

export interface Contestant {
  readonly name: string;
  run(world: World, seed: string): Outcome;
}
