// A scenario as a world that contestants act in: counts are drawn second by second of its seed's chance. Refuses to be
// asked twice for the same moment: what has happened has happened.

import type { Past } from '../../../src/core/rehearsal/index.ts';
import { createRandom, type Random } from '../../../src/core/statistics/index.ts';
import type { ArmCounts, WindowCounts, World } from '../contestant.ts';
import { LatencyDraw } from './latency.ts';
import type { Scenario } from './scenario.ts';

/** Chance of slow kinds (noise, swings) is drawn for slots of this length. */
const SLOT_SECONDS = 10;
const STABLE_REPLICAS = 8;
/** Of the replicas' scatter twenty minutes are kept, of the histogram an hour. */
const PAST_SLOTS = 120;
const PAST_SECONDS = 3600;

export interface ScenarioWorld extends World {
  readonly scenario: Scenario;
  /** Bad requests of a healthy metric beside the main one. */
  drawOther(total: number): number;
  /** What stable did before: the hour whose traces a source keeps. */
  past(): Past;
  canaryReady(atSeconds: number): boolean;
}

export function createWorld(scenario: Scenario, seed: string): ScenarioWorld {
  return new DrawnWorld(scenario, createRandom(seed));
}

interface Rates {
  readonly perSecond: number;
  readonly stable: number;
  readonly canary: number;
}

class DrawnWorld implements ScenarioWorld {
  readonly scenario: Scenario;
  readonly horizonSeconds: number;
  readonly requestsPerSecond: number;
  readonly boundaries: readonly number[] | null;
  readonly #random: Random;
  readonly #latency: LatencyDraw | null;
  readonly #pods: Pods;
  readonly #pastRandom: Random;
  readonly #noise = new Map<number, readonly [number, number]>();
  readonly #noiseRandom: Random;

  constructor(scenario: Scenario, random: Random) {
    this.scenario = scenario;
    this.horizonSeconds = scenario.horizonSeconds;
    this.requestsPerSecond = scenario.requestsPerSecond;
    this.#random = random.fork('counts');
    this.#noiseRandom = random.fork('noise');
    this.#latency = scenario.latency === null ? null : new LatencyDraw(scenario.latency);
    this.boundaries = this.#latency?.boundaries ?? null;
    this.#pods = podsOf(scenario, random.fork('pods'));
    this.#pastRandom = random.fork('past');
  }

  draw(fromSeconds: number, toSeconds: number, weightPercent: number): WindowCounts {
    const { shape } = this.scenario;
    const share = Math.min(1, (weightPercent / 100) * (shape.kind === 'shares' ? shape.factor : 1));
    const shift = shape.kind === 'outage' ? shape.shiftSeconds : 0;
    return {
      canary: this.#arm(fromSeconds - shift, toSeconds - shift, share, 'canary'),
      stable: this.#arm(fromSeconds, toSeconds, 1 - share, 'stable'),
    };
  }

  canaryReady(atSeconds: number): boolean {
    const { shape } = this.scenario;
    return shape.kind !== 'silent' || !shape.isDead || atSeconds < shape.atSeconds;
  }

  drawOther(total: number): number {
    return this.#random.binomial(total, this.scenario.stableRate);
  }

  past(): Past {
    const { requestsPerSecond, stableRate } = this.scenario;
    const random = this.#pastRandom;
    const perReplica = (requestsPerSecond * SLOT_SECONDS) / STABLE_REPLICAS;
    const replicas = Array.from({ length: PAST_SLOTS }, () =>
      Array.from({ length: STABLE_REPLICAS }, (_, i) => {
        const total = random.poisson(perReplica);
        return { total, bad: this.#bad(total, stableRate * (this.#pods.stable[i] ?? 1), random) };
      }),
    );
    const all = replicas.flat();
    const total = all.reduce((sum, each) => sum + each.total, 0);
    const bad = all.reduce((sum, each) => sum + each.bad, 0);
    return { stable: { total, bad, latency: this.#pastLatency(random) }, boundaries: this.boundaries, replicas };
  }

  #pastLatency(random: Random): readonly number[] | null {
    if (this.#latency === null) return null;
    const counts = new Array<number>(this.#latency.boundaries.length).fill(0);
    const requests = Math.round(this.scenario.requestsPerSecond * PAST_SECONDS);
    this.#latency.add(counts, requests, { arm: 'stable', atSeconds: 0, random });
    return counts;
  }

  excessPerSecond(atSeconds: number, weightPercent: number): number {
    if (this.scenario.truth === 'equal') return 0;
    const { perSecond, stable, canary } = this.#rates(atSeconds);
    const requests = (perSecond * weightPercent) / 100;
    const slow = this.scenario.latency?.change.kind === 'same' ? 0 : (this.#latency?.excessSlow(atSeconds) ?? 0);
    return requests * (canary - stable + slow);
  }

  #arm(fromSeconds: number, toSeconds: number, share: number, arm: 'canary' | 'stable'): ArmCounts {
    let total = 0;
    let bad = 0;
    const latency = this.#latency === null ? null : new Array<number>(this.#latency.boundaries.length).fill(0);
    for (const [from, to] of this.#segments(fromSeconds, toSeconds)) {
      const rates = this.#rates((from + to) / 2);
      const isGone = arm === 'canary' && this.scenario.shape.kind === 'silent' && from >= this.scenario.shape.atSeconds;
      const requests = isGone || share <= 0 ? 0 : this.#random.poisson(rates.perSecond * (to - from) * share);
      total += requests;
      bad += this.#bad(requests, arm === 'canary' ? rates.canary : rates.stable);
      if (latency !== null) this.#latency?.add(latency, requests, { arm, atSeconds: from, random: this.#random });
    }
    return { total, bad, latency };
  }

  #bad(requests: number, rate: number, random = this.#random): number {
    const { shape } = this.scenario;
    if (shape.kind !== 'clusters') return random.binomial(requests, Math.min(1, rate));
    const clusters = random.poisson((requests * rate) / ((1 + shape.most) / 2));
    let bad = 0;
    for (let i = 0; i < clusters; i++) bad += 1 + random.integer(shape.most);
    return Math.min(bad, requests);
  }

  /** Pieces of time in which rates do not change (or hardly). */
  #segments(fromSeconds: number, toSeconds: number): readonly (readonly [number, number])[] {
    const { shape, latency } = this.scenario;
    const cuts: number[] = [];
    if (shape.kind === 'onset' || shape.kind === 'silent') cuts.push(shape.atSeconds);
    if (shape.kind === 'outage') cuts.push(shape.atSeconds, shape.atSeconds + shape.seconds);
    if (shape.kind === 'cold-start') cuts.push(shape.seconds);
    if (shape.kind === 'noise' || shape.kind === 'diurnal' || latency?.change.kind === 'leak') {
      const first = Math.ceil(fromSeconds / SLOT_SECONDS) * SLOT_SECONDS;
      for (let at = first; at < toSeconds; at += SLOT_SECONDS) cuts.push(at);
    }
    const inside = cuts.filter((at) => at > fromSeconds && at < toSeconds).sort((a, b) => a - b);
    const ends = [fromSeconds, ...inside, toSeconds];
    return ends.slice(1).map((end, i) => [ends[i] ?? fromSeconds, end] as const);
  }

  #rates(atSeconds: number): Rates {
    const { shape, requestsPerSecond: perSecond, stableRate: stable, canaryRate: canary } = this.scenario;
    switch (shape.kind) {
      case 'constant':
      case 'clusters':
      case 'shares':
        return { perSecond, stable, canary };
      case 'onset':
      case 'silent':
        return { perSecond, stable, canary: atSeconds >= shape.atSeconds ? canary : stable };
      case 'diurnal': {
        const swing = Math.sin((2 * Math.PI * atSeconds) / shape.periodSeconds);
        return {
          perSecond: perSecond * (1 + 0.8 * swing),
          stable: stable * (1 - 0.5 * swing),
          canary: canary * (1 - 0.5 * swing),
        };
      }
      case 'outage': {
        const isOut = atSeconds >= shape.atSeconds && atSeconds < shape.atSeconds + shape.seconds;
        const add = isOut ? shape.rate : 0;
        return { perSecond, stable: Math.min(1, stable + add), canary: Math.min(1, canary + add) };
      }
      case 'noise': {
        const [forCanary, forStable] = this.#noiseAt(Math.floor(atSeconds / SLOT_SECONDS), shape);
        return { perSecond, stable: Math.min(1, stable * forStable), canary: Math.min(1, canary * forCanary) };
      }
      case 'pods':
        return { perSecond, stable: stable * mean(this.#pods.stable), canary: canary * mean(this.#pods.canary) };
      case 'cold-start':
        return { perSecond, stable, canary: atSeconds < shape.seconds ? canary * shape.factor : canary };
    }
  }

  #noiseAt(slot: number, shape: { readonly cv: number; readonly isCommon: boolean }): readonly [number, number] {
    let factors = this.#noise.get(slot);
    if (factors === undefined) {
      const random = this.#noiseRandom.fork(slot);
      const canary = gamma(random, shape.cv);
      factors = [canary, shape.isCommon ? canary : gamma(random, shape.cv)];
      this.#noise.set(slot, factors);
    }
    return factors;
  }
}

/** Mean 1, coefficient of variation cv (Marsaglia & Tsang 2000; below shape 1 by the power of a uniform). */
function gamma(random: Random, cv: number): number {
  const shape = 1 / cv ** 2;
  const boosted = shape < 1 ? shape + 1 : shape;
  const d = boosted - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const z = random.normal();
    const v = (1 + c * z) ** 3;
    if (v <= 0) continue;
    if (Math.log(1 - random.uniform()) < 0.5 * z * z + d - d * v + d * Math.log(v)) {
      const boost = shape < 1 ? (1 - random.uniform()) ** (1 / shape) : 1;
      return (d * v * boost) / shape;
    }
  }
}

interface Pods {
  readonly canary: readonly number[];
  readonly stable: readonly number[];
}

function podsOf({ shape }: Scenario, random: Random): Pods {
  if (shape.kind !== 'pods') return { canary: [1], stable: [] };
  const factors = (pods: number): number[] =>
    Array.from({ length: pods }, () => Math.exp(shape.sd * random.normal() - shape.sd ** 2 / 2));
  return { canary: factors(shape.canary), stable: factors(shape.stable) };
}

function mean(factors: readonly number[]): number {
  return factors.reduce((sum, factor) => sum + factor, 0) / factors.length;
}
