// What real Flagger and real Argo Rollouts did on a live cluster, and the same releases run by their ports, so that the
// ports can be held against it. Refuses to tune a port: settings are those of the measured runs. What a port has not got
// (pods that start, scrapes, status, a load that goes on) are the constants below, one value each for all cases; of them
// the load's lead was not written down, and 25 to 75 s agree with what was.
//
// Measured with Flagger 15bd6ad and Argo Rollouts 9f8d111, unmodified, on Kubernetes 1.36 with Traefik 3.7 and Prometheus
// scraping every 5 s; 2 replicas, 60 requests/s, 0.1 % of stable's answers bad; one run per case.

import { createRandom, type Random } from '../../../src/core/statistics/index.ts';
import type { ArmCounts, Outcome, WindowCounts, World } from '../contestant.ts';
import { argo } from './argo.ts';
import { flagger } from './flagger.ts';

export interface Measured {
  readonly peer: 'Flagger' | 'Argo';
  readonly title: string;
  readonly canaryRate: number;
  readonly end: 'promoted' | 'aborted';
  /** From the push until the tool said so. */
  readonly seconds: number;
  /** Bad answers that users saw in the run; null where it was not written down. */
  readonly bad: number | null;
}

export const MEASURED: readonly Measured[] = [
  { peer: 'Flagger', title: 'healthy', canaryRate: 0.001, end: 'promoted', seconds: 136, bad: null },
  { peer: 'Flagger', title: '2 % errors', canaryRate: 0.02, end: 'aborted', seconds: 174, bad: 51 },
  { peer: 'Flagger', title: '0.8 % errors', canaryRate: 0.008, end: 'promoted', seconds: 185, bad: 125 },
  { peer: 'Flagger', title: 'every request fails', canaryRate: 1, end: 'aborted', seconds: 126, bad: 320 },
  { peer: 'Argo', title: 'healthy', canaryRate: 0.001, end: 'promoted', seconds: 244, bad: null },
  { peer: 'Argo', title: '2 % errors', canaryRate: 0.02, end: 'promoted', seconds: 244, bad: 312 },
  { peer: 'Argo', title: '0.8 % errors', canaryRate: 0.008, end: 'promoted', seconds: 244, bad: 116 },
  { peer: 'Argo', title: 'every request fails', canaryRate: 1, end: 'aborted', seconds: 43, bad: 475 },
];

const REQUESTS_PER_SECOND = 60;
const STABLE_RATE = 0.001;
/** About 25,000 requests per case. */
const RUN_SECONDS = 417;
/** The load began before the push; how long is not written down. One value for all cases. */
const LEAD_SECONDS = 50;
const SCRAPE_SECONDS = 5;
/** Argo's canary pods take about this long to be ready. */
const ARGO_START_SECONDS = 3;
/** Reconciling, status and whoever watches it take up to this long, in whole. */
const ARGO_WORD_SECONDS = 5;
const FLAGGER_INTERVAL_SECONDS = 10;

export interface Replayed {
  readonly end: Outcome['end'];
  readonly seconds: number;
  readonly bad: number;
}

export function replay({ peer, canaryRate }: Measured, seed: string): Replayed {
  const random = createRandom(seed);
  const world = new TestbedWorld(canaryRate, random.fork('counts'));
  const outcome = peer === 'Flagger' ? replayFlagger(world, random) : replayArgo(world, random);
  return { ...outcome, bad: world.badInRun(outcome) };
}

/**
 * Settings of Flagger's Traefik tutorial. The push is found within one look, the next look gives the canary its weight; a
 * promotion is called so two looks after the last check (promoting, finalising).
 */
function replayFlagger(world: World, random: Random): Pick<Replayed, 'end' | 'seconds'> {
  const { end, atSeconds } = flagger('Flagger', {
    intervalSeconds: FLAGGER_INTERVAL_SECONDS,
    step: 5,
    max: 50,
    threshold: 10,
    successPercent: 99,
    p99Ms: null,
    windowSeconds: 60,
    lagSeconds: SCRAPE_SECONDS,
    startSeconds: FLAGGER_INTERVAL_SECONDS * (1 + random.fork('look').uniform()),
  }).run(world, '');
  return { end, seconds: end === 'promoted' ? atSeconds + 2 * FLAGGER_INTERVAL_SECONDS : atSeconds };
}

function replayArgo(world: World, random: Random): Pick<Replayed, 'end' | 'seconds'> {
  const { end, atSeconds } = argo('Argo', {
    stepWeights: [20, 40, 60, 80],
    pauseSeconds: 60,
    intervalSeconds: 60,
    successFraction: 0.99,
    failureLimit: 3,
    lagSeconds: SCRAPE_SECONDS,
    startSeconds: ARGO_START_SECONDS,
  }).run(world, '');
  return { end, seconds: atSeconds + ARGO_WORD_SECONDS * random.fork('word').uniform() };
}

/** A steady load, split as weighted round robin splits it. */
class TestbedWorld implements World {
  readonly horizonSeconds = RUN_SECONDS;
  readonly requestsPerSecond = REQUESTS_PER_SECOND;
  readonly boundaries = null;
  readonly #canaryRate: number;
  readonly #random: Random;
  #seen = 0;
  #until = 0;
  #owed = 0;

  constructor(canaryRate: number, random: Random) {
    this.#canaryRate = canaryRate;
    this.#random = random;
  }

  draw(fromSeconds: number, toSeconds: number, weightPercent: number): WindowCounts {
    const all = (toSeconds - fromSeconds) * REQUESTS_PER_SECOND;
    const due = (all * weightPercent) / 100 + this.#owed;
    const total = Math.floor(due);
    this.#owed = due - total;
    const canary = this.#arm(total, this.#canaryRate);
    const stable = this.#arm(Math.max(0, Math.round(all) - total), STABLE_RATE);
    this.#seen += canary.bad + stable.bad;
    this.#until = toSeconds;
    return { canary, stable };
  }

  excessPerSecond(_: number, weightPercent: number): number {
    return ((REQUESTS_PER_SECOND * weightPercent) / 100) * (this.#canaryRate - STABLE_RATE);
  }

  /** Users' bad answers of both versions, from before the push to the end of the load. */
  badInRun({ end }: Pick<Replayed, 'end'>): number {
    const after = Math.max(0, RUN_SECONDS - LEAD_SECONDS - this.#until) * REQUESTS_PER_SECOND;
    const before = LEAD_SECONDS * REQUESTS_PER_SECOND;
    const afterwards = this.#arm(Math.round(after), end === 'promoted' ? this.#canaryRate : STABLE_RATE).bad;
    return this.#seen + afterwards + this.#arm(before, STABLE_RATE).bad;
  }

  #arm(total: number, rate: number): ArmCounts {
    return { total, bad: this.#random.binomial(total, rate), latency: null };
  }
}

export interface Held {
  readonly case: Measured;
  readonly runs: number;
  /** Part of the port's runs that end as the real one did. */
  readonly sameEnd: number;
  /** The middle 95 % of the port's runs that end so. */
  readonly seconds: readonly [number, number];
  readonly bad: readonly [number, number];
  readonly holds: { readonly end: boolean; readonly seconds: boolean; readonly bad: boolean | null };
}

/** Each measured case beside so many runs of its port. */
export function holdAgainstMeasured(runs = 1000): readonly Held[] {
  return MEASURED.map((measured) => {
    const all = Array.from({ length: runs }, (_, i) =>
      replay(measured, `testbed/${measured.peer}/${measured.title}/${i}`),
    );
    const same = all.filter(({ end }) => end === measured.end);
    const seconds = middle(same.map((run) => run.seconds));
    const bad = middle(same.map((run) => run.bad));
    const within = ([low, high]: readonly [number, number], value: number): boolean => low <= value && value <= high;
    const sameEnd = same.length / runs;
    return {
      case: measured,
      runs,
      sameEnd,
      seconds,
      bad,
      holds: {
        end: sameEnd >= 0.025,
        seconds: within(seconds, measured.seconds),
        bad: measured.bad === null ? null : within(bad, measured.bad),
      },
    };
  });
}

function middle(values: readonly number[]): readonly [number, number] {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.round(part * (sorted.length - 1))] ?? Number.NaN;
  return [at(0.025), at(0.975)];
}
