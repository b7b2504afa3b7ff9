/**
 * `node tools/statistics-tables.ts`: prints the two measured tables of docs/statistics.md, from fixed seeds, in half a
 * minute. It measures the bare evidence only and refuses to stand for whole releases; for those there is the benchmark.
 */
import {
  addTick,
  binomialInterval,
  canaryRequestsToTell,
  createRandom,
  logPlainHarmE,
  type Random,
  type RateRatioOptions,
  startRateRatio,
  type TickCounts,
} from '../src/core/statistics/index.ts';

const random = createRandom('validate');
const ALPHA = 0.01;
const LINE = -Math.log(ALPHA);
const STRICT: RateRatioOptions = { toleranceRatio: 1, tickMs: 10_000 };
const BARE: RateRatioOptions = { ...STRICT, lateOnset: false, capFraction: Number.POSITIVE_INFINITY };

type Arm = readonly [requests: number, rate: number];

function arms(stream: Random, canary: Arm, stable: Arm): TickCounts {
  return {
    canaryTotal: canary[0],
    canaryBad: stream.binomial(...canary),
    stableTotal: stable[0],
    stableBad: stream.binomial(...stable),
  };
}

function falseAlarms(name: string, options: RateRatioOptions, rateAt: (tick: number) => number): string {
  const runs = 6000;
  let alarms = 0;
  for (let run = 0; run < runs; run++) {
    const stream = random.fork(name + run);
    let state = startRateRatio(options);
    for (let tick = 0; tick < 360; tick++) {
      const rate = rateAt(tick);
      state = addTick(state, arms(stream, [100, rate], [900, rate]), options);
    }
    if (state.peakLogHarmE >= LINE) alarms += 1;
  }
  const percent = (rate: number): string => `${(100 * rate).toFixed(2)} %`;
  return `${name}: ${percent(alarms / runs)} (${percent(binomialInterval(alarms, runs, 0.98).upper)})`;
}

function detection(stableRate: number, canaryRate: number, share: number): string {
  const runs = 1500;
  let requests = 0;
  for (let run = 0; run < runs; run++) {
    const stream = random.fork(`d${stableRate}${canaryRate}${share}/${run}`);
    let state = startRateRatio(BARE);
    while (logPlainHarmE(state, 0) < LINE) {
      const stable = Math.round((5 * (1 - share)) / share);
      state = addTick(state, arms(stream, [5, canaryRate], [stable, stableRate]), BARE);
    }
    requests += state.canaryTotal;
  }
  const mean = requests / runs;
  const limit = canaryRequestsToTell({ stableRate, canaryRate, share }, { alpha: ALPHA });
  return `${stableRate} -> ${canaryRate} at share ${share}: ${mean.toFixed(0)} canary requests, ${(mean / limit).toFixed(2)} x L2`;
}

const usual = (): number => 0.005;
const lines = [
  detection(0.001, 0.005, 0.05),
  detection(0.005, 0.01, 0.05),
  detection(0.01, 0.05, 0.05),
  detection(0.01, 0.02, 0.5),
  falseAlarms('iid r=1 bare', BARE, usual),
  falseAlarms('iid r=1 mix+cap', STRICT, usual),
  falseAlarms('outage aligned r=1', STRICT, (tick) => (tick >= 30 && tick < 36 ? 0.3 : 0.005)),
  falseAlarms('iid r=1.1', { ...STRICT, toleranceRatio: 1.1 }, usual),
];
process.stdout.write(`${lines.join('\n')}\n`);
