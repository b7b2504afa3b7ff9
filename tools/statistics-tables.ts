/**
 * `node tools/statistics-tables.ts`: prints the two measured tables of docs/statistics.md, from fixed seeds, in a few
 * minutes. It measures single evidences only and refuses to stand for whole releases; for those there is
 * `npm run bench:evidence`.
 */
import {
  addAsymptoticTick,
  addScores,
  addTailTick,
  addTick,
  asymptoticBand,
  binomialInterval,
  canaryRequestsToTell,
  createRandom,
  geometricLevels,
  logHarmE,
  logNoHarmE,
  type Random,
  type RateRatioOptions,
  type RateRatioState,
  type ScoreTick,
  startAsymptoticMean,
  startLabelTilt,
  startRateRatio,
  startTails,
  type TailOptions,
  type TickCounts,
} from '../src/core/statistics/index.ts';

const random = createRandom('validate');
const ALPHA = 0.01;
const LINE = -Math.log(ALPHA);
/** Evidence that stopped at its line stands there but for rounding. */
const REACHED = LINE - 1e-9;
const PLAIN: RateRatioOptions = { toleranceRatio: 1, tickMs: 10_000 };
const SHIPPED: RateRatioOptions = { ...PLAIN, logLine: LINE };
const BARE = { lateOnset: false, capFraction: Number.POSITIVE_INFINITY };

type Arm = readonly [requests: number, rate: number];

function arms(stream: Random, canary: Arm, stable: Arm): TickCounts {
  return {
    canaryTotal: canary[0],
    canaryBad: stream.binomial(...canary),
    stableTotal: stable[0],
    stableBad: stream.binomial(...stable),
  };
}

function percent(rate: number): string {
  return `${(100 * rate).toFixed(2)} %`;
}

/** How many of so many runs came true, with the exact 99 % upper limit. */
function howOften(name: string, runs: number, isTrue: (stream: Random) => boolean): string {
  let count = 0;
  for (let run = 0; run < runs; run++) if (isTrue(random.fork(name + run))) count += 1;
  return `| ${name} | ${percent(count / runs)} (${percent(binomialInterval(count, runs, 0.98).upper)}) |`;
}

const RUNS = 4000;
const TICKS = 360;

/** An hour of equal versions, or of whatever `tick` draws, looked at after every tick. */
function everReached(
  options: RateRatioOptions,
  {
    tick,
    reading = (state) => state.peakLogHarmE >= REACHED,
  }: {
    readonly tick: (tick: number) => TickCounts;
    readonly reading?: (state: RateRatioState) => boolean;
  },
): boolean {
  let state = startRateRatio(options);
  for (let t = 0; t < TICKS; t++) {
    state = addTick(state, tick(t), options);
    if (reading(state)) return true;
  }
  return false;
}

function falseAlarms(name: string, options: RateRatioOptions, rateAt: (tick: number) => number): string {
  return howOften(name, RUNS, (stream) =>
    everReached(options, { tick: (t) => arms(stream, [100, rateAt(t)], [900, rateAt(t)]) }),
  );
}

function falsePromotions(name: string, rates: { readonly canary: number; readonly stable: number }): string {
  const margin = rates.canary - rates.stable;
  return howOften(name, RUNS, (stream) =>
    everReached(PLAIN, {
      tick: () => arms(stream, [100, rates.canary], [900, rates.stable]),
      reading: (state) => logNoHarmE(state, margin) >= Math.log(20),
    }),
  );
}

const TAILS = [0.5, 0.25, 0.1, 0.04, 0.01, 0.003, 0.001, 0.0003];

function falseLatencyAlarms(name: string): string {
  const tails: TailOptions = { ...SHIPPED, lines: TAILS.length, lineTails: TAILS, boundLines: [4, 3] };
  return howOften(name, RUNS / 4, (stream) => {
    let state = startTails(tails);
    for (let t = 0; t < TICKS && state.peakLogHarmE < REACHED; t++) {
      const [canarySlow, stableSlow] = [slowOf(stream, 100), slowOf(stream, 900)];
      state = addTailTick(state, { canaryTotal: 100, stableTotal: 900, canarySlow, stableSlow }, tails);
    }
    return state.peakLogHarmE >= REACHED;
  });
}

/** Requests slower than each line: those slower than the line before, thinned. */
function slowOf(stream: Random, total: number): number[] {
  let [left, tail] = [total, 1];
  return TAILS.map((next) => {
    left = stream.binomial(left, next / tail);
    tail = next;
    return left;
  });
}

const LEVELS = geometricLevels(33);
/** Visits per value: nineteen in twenty bring nothing, the others log-normally much (sigma 1), capped at 30 medians. */
const VALUES = LEVELS.map((level, k) => {
  const next = LEVELS[k + 1];
  const below = (value: number) => normalBelow(Math.log(30 * value));
  return k === 0 ? 0.95 : 0.05 * ((next === undefined ? 1 : below(next)) - (k === 1 ? 0 : below(level)));
});

/** Within 0.00014 (Bowling et al. 2009): the shape matters here, not the digits. */
function normalBelow(z: number): number {
  return 1 / (1 + Math.exp(-0.07056 * z ** 3 - 1.5976 * z));
}

function valuesOf(stream: Random, total: number): number[] {
  let [left, rest] = [total, 1];
  return VALUES.map((mass) => {
    const drawn = stream.binomial(left, Math.min(1, mass / rest));
    left -= drawn;
    rest -= mass;
    return drawn;
  });
}

/** Visits from 1000 to 100,000, looked at after every 1000; both versions earn the same. */
function means(name: string, isWrong: (ticks: readonly ScoreTick[]) => boolean): string {
  const share = 0.05;
  return howOften(name, RUNS / 4, (stream) =>
    isWrong(
      Array.from({ length: 100 }, () => {
        const canary = stream.binomial(1000, share);
        return { share, canary: valuesOf(stream, canary), stable: valuesOf(stream, 1000 - canary) };
      }),
    ),
  );
}

function bandMisses(ticks: readonly ScoreTick[]): boolean {
  const options = { levels: LEVELS };
  let state = startAsymptoticMean(options);
  return ticks.some((tick) => {
    state = addAsymptoticTick(state, tick, options);
    const band = asymptoticBand(state, { alpha: ALPHA, tuneTo: 20_000, burnIn: 1000 });
    return band !== undefined && (band.lower > 0 || band.upper < 0);
  });
}

function tiltAlarms(ticks: readonly ScoreTick[]): boolean {
  const options = { harm: 'decrease', levels: LEVELS, tickMs: 10_000 } as const;
  let state = startLabelTilt(options);
  for (const tick of ticks) state = addScores(state, tick, options);
  return state.peakLogHarmE >= LINE;
}

interface Change {
  readonly stableRate: number;
  readonly canaryRate: number;
  readonly share: number;
}

/** Mean canary requests until the line, looking every five of them. */
function requestsToDetect({ stableRate, canaryRate, share }: Change, options: RateRatioOptions): number {
  const runs = 1000;
  let requests = 0;
  for (let run = 0; run < runs; run++) {
    const stream = random.fork(`d${stableRate}${canaryRate}${share}/${run}`);
    let state = startRateRatio(options);
    while (logHarmE(state) < REACHED) {
      const stable = Math.round((5 * (1 - share)) / share);
      state = addTick(state, arms(stream, [5, canaryRate], [stable, stableRate]), options);
    }
    requests += state.canaryTotal;
  }
  return requests / runs;
}

function detection(change: Change): string {
  const limit = canaryRequestsToTell(change, { alpha: ALPHA });
  const [on, stopping] = [
    { ...PLAIN, ...BARE },
    { ...SHIPPED, ...BARE },
  ].map((options) => requestsToDetect(change, options));
  const times = (requests = Number.NaN) => `${Math.round(requests)} | ${(requests / limit).toFixed(2)}`;
  const { stableRate, canaryRate, share } = change;
  const name = `${Number((100 * stableRate).toPrecision(4))} → ${Number((100 * canaryRate).toPrecision(4))} %`;
  return `| ${name} | ${100 * share} % | ${times(on)} | ${times(stopping)} |`;
}

const usual = (): number => 0.005;
const tables = [
  () =>
    '| change | share | canary requests, going on | times L2 | stopping at the line | times L2 |\n|---|---|---|---|---|---|',
  () => detection({ stableRate: 0.001, canaryRate: 0.005, share: 0.05 }),
  () => detection({ stableRate: 0.005, canaryRate: 0.01, share: 0.05 }),
  () => detection({ stableRate: 0.01, canaryRate: 0.05, share: 0.05 }),
  () => detection({ stableRate: 0.01, canaryRate: 0.02, share: 0.5 }),
  () => detection({ stableRate: 0.1, canaryRate: 0.15, share: 0.1 }),
  () => detection({ stableRate: 0.5, canaryRate: 0.6, share: 0.1 }),
  () => '\n| | ever, of an hour |\n|---|---|',
  () => falseAlarms('alarm, r = 1, going on, no cap, no onset mixture', { ...PLAIN, ...BARE }, usual),
  () => falseAlarms('alarm, r = 1, as shipped', SHIPPED, usual),
  () =>
    falseAlarms('alarm, r = 1, a minute of 30 % errors in both arms', SHIPPED, (tick) =>
      tick >= 30 && tick < 36 ? 0.3 : 0.005,
    ),
  () => falseAlarms('alarm, r = 1.1, as shipped', { ...SHIPPED, toleranceRatio: 1.1 }, usual),
  () => falseAlarms('alarm, r = 1, 20 % errors (exact factors)', SHIPPED, () => 0.2),
  () => falseLatencyAlarms('alarm, latency at eight lines, r = 1'),
  () => means('alarm, revenue, label-tilt', tiltAlarms),
  () => means('revenue, the band for display leaves out the truth, nominal 1 %', bandMisses),
  () => falsePromotions('no harm shown at the margin, 0.1 % + 0.5 %, alpha 5 %', { canary: 0.006, stable: 0.001 }),
];
for (const line of tables) process.stdout.write(`${line()}\n`);
