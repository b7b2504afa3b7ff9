// The single steps of a decision, each as a function to call again and again on a state in the middle of a release. Refuses
// to time them.
import {
  addTailTick,
  addTick,
  type RateRatioOptions,
  startRateRatio,
  startTails,
  type TailCounts,
  type TailOptions,
  upperExcess,
} from '../../src/core/statistics/index.ts';
import { CANARY_PERCENT, REQUESTS_PER_WINDOW, WINDOW_SECONDS } from './subject.ts';
import { naiveZ, type Pair } from './yardsticks.ts';

export interface Operation {
  readonly name: string;
  readonly call: () => unknown;
}

const CANARY_TOTAL = (REQUESTS_PER_WINDOW * CANARY_PERCENT) / 100;
const STABLE_TOTAL = REQUESTS_PER_WINDOW - CANARY_TOTAL;
const TICKS_BEFORE = 60;
const EVIDENCE = { toleranceRatio: 1.1, tickMs: WINDOW_SECONDS * 1000, logLine: Math.log(1000) };
const TAILS = [0.5, 0.25, 0.1, 0.06, 0.04, 0.01, 0.003, 0.0003];

export function operations(): readonly Operation[] {
  const rare = pairAt(0.005);
  return [
    addTickOf('addTick, errors at 0.5 %', rare),
    addTickOf('addTick, errors at 15 % (exact factors)', pairAt(0.15)),
    addTailTickOf(),
    upperExcessOf(rare),
    { name: 'naive z-test', call: () => naiveZ(rare) },
  ];
}

function pairAt(rate: number): Pair {
  return {
    canaryTotal: CANARY_TOTAL,
    canaryBad: Math.round(CANARY_TOTAL * rate),
    stableTotal: STABLE_TOTAL,
    stableBad: Math.round(STABLE_TOTAL * rate),
  };
}

function stateAfter(counts: Pair, options: RateRatioOptions) {
  let state = startRateRatio(options);
  for (let tick = 0; tick < TICKS_BEFORE; tick++) state = addTick(state, counts, options);
  return state;
}

function addTickOf(name: string, counts: Pair): Operation {
  const state = stateAfter(counts, EVIDENCE);
  return { name, call: () => addTick(state, counts, EVIDENCE) };
}

function upperExcessOf(counts: Pair): Operation {
  const state = stateAfter(counts, EVIDENCE);
  return { name: 'upperExcess, errors at 0.5 %', call: () => upperExcess(state, 0.05) };
}

function addTailTickOf(): Operation {
  const options: TailOptions = { ...EVIDENCE, lines: TAILS.length, lineTails: TAILS, boundLines: [5, 2] };
  const counts: TailCounts = {
    canaryTotal: CANARY_TOTAL,
    stableTotal: STABLE_TOTAL,
    canarySlow: TAILS.map((tail) => Math.round(CANARY_TOTAL * tail)),
    stableSlow: TAILS.map((tail) => Math.round(STABLE_TOTAL * tail)),
  };
  let state = startTails(options);
  for (let tick = 0; tick < TICKS_BEFORE; tick++) state = addTailTick(state, counts, options);
  return { name: 'addTailTick, 8 lines', call: () => addTailTick(state, counts, options) };
}
