// Argo's metric verdict: limits and their edges, times, retries, and what no data becomes (argoproj/argo-rollouts,
// 9f8d111).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConditionResult } from '../../model/condition.ts';
import {
  type ArgoMetric,
  type ArgoState,
  argoStep,
  measurementOf,
  nextArgoSeconds,
  readArgoMetric,
  startArgo,
  terminateArgo,
} from './argo.ts';

type Result = ConditionResult | { readonly error: string };

const SUCCESS: ArgoMetric = { intervalSeconds: 60, successCondition: 'result[0] >= 0.95' };

/** Measures whenever it is due; gives the state and the times. */
function run(metric: ArgoMetric, results: readonly Result[]): { state: ArgoState; times: number[] } {
  const read = readArgoMetric(metric);
  const times: number[] = [];
  let state = startArgo(0);
  for (const result of results) {
    const atSeconds = nextArgoSeconds(read, state);
    if (atSeconds === undefined) break;
    times.push(atSeconds);
    state = argoStep(read, state, { atSeconds, result });
  }
  return { state, times };
}

const GOOD = [0.99];
const BAD = [0.5];

describe("Argo's verdict on a metric", () => {
  it('fails when more measurements failed than the limit, not as many', () => {
    assert.equal(run({ ...SUCCESS, failureLimit: 3 }, [BAD, BAD, GOOD, BAD]).state.phase, 'Running');
    const { state } = run({ ...SUCCESS, failureLimit: 3 }, [BAD, BAD, GOOD, BAD, BAD]);
    assert.deepEqual([state.phase, state.reason], ['Failed', '4 failed, more than 3']);
    assert.equal(run(SUCCESS, [BAD]).state.phase, 'Failed');
  });

  it('goes on for ever with an interval alone, and can only veto', () => {
    const { state, times } = run(SUCCESS, Array<number[]>(50).fill(GOOD));
    assert.deepEqual([state.phase, state.count, times.at(-1)], ['Running', 50, 49 * 60]);
    assert.equal(terminateArgo(state).phase, 'Successful');
    const failed = run(SUCCESS, [BAD]).state;
    assert.equal(terminateArgo(failed), failed);
  });

  it('is successful at its count, one without an interval', () => {
    const counted = run({ ...SUCCESS, count: 3, failureLimit: 1 }, [GOOD, BAD, GOOD]).state;
    assert.deepEqual([counted.phase, counted.reason], ['Successful', '3 measured']);
    assert.equal(run({ successCondition: 'result > 1' }, [2]).state.phase, 'Successful');
    assert.equal(run({}, [null]).state.phase, 'Successful');
  });

  it('waits its initial delay and interval, and asks again 10 s after an error without counting it', () => {
    const metric = { ...SUCCESS, initialDelaySeconds: 30, count: 3 };
    const { state, times } = run(metric, [GOOD, [], { error: 'timeout' }, GOOD, GOOD]);
    assert.deepEqual(times, [30, 90, 100, 110, 170]);
    assert.deepEqual([state.phase, state.count, state.error], ['Successful', 3, 2]);
  });

  it('ends at the fifth error in a row, 40 s after the first', () => {
    const { state, times } = run(SUCCESS, Array<number[]>(9).fill([]));
    assert.deepEqual(times, [0, 10, 20, 30, 40]);
    assert.equal(state.phase, 'Error');
    assert.match(state.reason, /^5 errors in a row, more than 4: the query gave no value/);
    assert.equal(run(SUCCESS, [[], [], [], [], GOOD, [], [], [], []]).state.phase, 'Running');
  });

  it('is inconclusive where neither condition holds', () => {
    const metric = { ...SUCCESS, failureCondition: 'result[0] < 0.9' };
    assert.equal(run(metric, [[0.92]]).state.phase, 'Inconclusive');
    assert.equal(run({ ...metric, inconclusiveLimit: 1 }, [[0.92], GOOD]).state.phase, 'Running');
    assert.equal(run({ ...metric, failureLimit: 1 }, [[0.8]]).state.phase, 'Running');
  });

  it('may ask for successes in a row', () => {
    const metric: ArgoMetric = { ...SUCCESS, consecutiveSuccessLimit: 2 };
    assert.equal(run({ ...metric, failureLimit: -1 }, [BAD, GOOD, BAD, GOOD, GOOD]).state.phase, 'Successful');
    assert.equal(run({ ...metric, failureLimit: -1, count: 3 }, [GOOD, BAD, GOOD]).state.phase, 'Failed');
    assert.equal(run({ ...metric, failureLimit: 1, count: 3 }, [GOOD, BAD, GOOD]).state.phase, 'Inconclusive');
  });

  it('lets the later rule win: errors over inconclusive over failed', () => {
    const metric: ArgoMetric = {
      intervalSeconds: 60,
      successCondition: 'result > 2',
      failureCondition: 'result < 1',
      failureLimit: 9,
    };
    assert.equal(run(metric, [0, 1.5]).state.phase, 'Inconclusive');
  });

  it('survives being written down between measurements', () => {
    const read = readArgoMetric(SUCCESS);
    const state = run({ ...SUCCESS, failureLimit: 5 }, [GOOD, BAD, []]).state;
    const again: ArgoState = JSON.parse(JSON.stringify(state));
    const measured = { atSeconds: 99, result: BAD };
    assert.deepEqual(argoStep(read, again, measured), argoStep(read, state, measured));
  });

  it('refuses limits that Argo refuses, and to go on after the end', () => {
    const refused = (metric: ArgoMetric, expected: RegExp) => assert.throws(() => readArgoMetric(metric), expected);
    refused({ failureLimit: -1 }, /cannot both be off/);
    refused({ failureLimit: -2 }, /failureLimit/);
    refused({ count: 5 }, /needs an interval/);
    refused({ intervalSeconds: 1, count: 2, failureLimit: 3 }, /count must be at least 3/);
    refused({ intervalSeconds: 1, count: 2, inconclusiveLimit: 3 }, /inconclusiveLimit/);
    refused({ consecutiveSuccessLimit: -1 }, /consecutiveSuccessLimit/);
    refused({ consecutiveErrorLimit: -1 }, /consecutiveErrorLimit/);
    refused({ inconclusiveLimit: -1 }, /inconclusiveLimit/);
    refused({ successCondition: 'result[0] => 1' }, /at character/);
    const read = readArgoMetric(SUCCESS);
    assert.throws(() => argoStep(read, run(SUCCESS, [BAD]).state, { atSeconds: 60, result: GOOD }), /ended already/);
  });
});

describe('one measurement without requests', () => {
  const nothing = [Number.NaN];
  const measured = (metric: ArgoMetric, result: Result) => measurementOf(readArgoMetric(metric), result).phase;

  it('is Failed, Successful or Inconclusive by which conditions are written, for the same 0/0', () => {
    const success = { successCondition: 'result[0] >= 0.95' };
    const failure = { failureCondition: 'result[0] < 0.95' };
    assert.equal(measured(success, nothing), 'Failed');
    assert.equal(measured(failure, nothing), 'Successful');
    assert.equal(measured({ ...success, ...failure }, nothing), 'Inconclusive');
    assert.equal(measured({}, nothing), 'Successful');
  });

  it('is Error if the query gives nothing at all, unless the condition guards', () => {
    assert.equal(measured({ successCondition: 'result[0] >= 0.95' }, []), 'Error');
    assert.equal(measured({ successCondition: 'len(result) == 0 or result[0] >= 0.95' }, []), 'Successful');
    assert.equal(measured({}, { error: 'unreachable' }), 'Error');
  });
});
