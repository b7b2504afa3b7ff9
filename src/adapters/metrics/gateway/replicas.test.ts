import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Check, ErrorDefinition } from '../../../core/model/check.ts';
import type { EndpointSlice, GatewayPast } from '../../../core/model/gateway.ts';
import type { ReleasePolicy } from '../../../core/model/policy.ts';
import { replicaTallies } from './replicas.ts';

const HOUR_MS = 3_600_000;
const checks = [
  { name: 'errors', metric: { kind: 'errors' } },
  { name: 'aca/errors', metric: { kind: 'errors' } },
  { name: 'slow', metric: { kind: 'latency', quantile: 0.99 } },
] as unknown as readonly Check[];
const past = (...places: (readonly [number, EndpointSlice[]])[]): GatewayPast => ({
  sliceMs: 10_000,
  endpoints: places.map(([port, slices]) => ({ revision: 'v1', endpoint: { host: '127.0.0.1', port }, slices })),
});
const slice = (at: number, ...ended: EndpointSlice['ended'][number][]): EndpointSlice => ({ slice: at, ended });

function tallies(pasts: readonly GatewayPast[], errors: Partial<ErrorDefinition> = {}, nowMs = HOUR_MS) {
  const definition = { statusClasses: ['5xx'], statusCodes: [], endings: ['timeout'], ...errors };
  const policy = { errors: definition } as unknown as ReleasePolicy;
  return replicaTallies({ policy, stable: 'v1', checks }, pasts, nowMs);
}

describe('replicas of stable in slices of time', () => {
  const two = past(
    [1, [slice(5, ['2xx', 90], ['5xx', 10]), slice(6, ['2xx', 7])]],
    [2, [slice(5, ['2xx', 50], ['4xx', 5], ['timeout', 2], ['client-closed', 9])]],
  );

  test('each check of errors gets the slices in which at least two endpoints answered', () => {
    const slices = [
      [
        { total: 100, bad: 10 },
        { total: 57, bad: 2 },
      ],
    ];
    assert.deepEqual(tallies([two]), { errors: slices, 'aca/errors': slices });
    assert.deepEqual(tallies([past([1, [slice(5, ['2xx', 9])]])]), {}, 'one endpoint says nothing');
    assert.deepEqual(tallies([]), {});
  });

  test('a status code that the policy names stands for its whole class', () => {
    const slices = tallies([two], { statusClasses: [], statusCodes: [429] }).errors;
    assert.deepEqual(slices?.[0]?.[1], { total: 57, bad: 7 });
  });

  test('an endpoint that two gateway processes sent to in one slice is one replica', () => {
    const next = past([1, [slice(5, ['2xx', 10])]], [2, [slice(5, ['5xx', 1]), slice(7, ['2xx', 3])]]);
    assert.deepEqual(tallies([two, next]).errors, [
      [
        { total: 110, bad: 10 },
        { total: 58, bad: 3 },
      ],
    ]);
  });

  test('what is older than an hour, or of another version, is left out', () => {
    assert.deepEqual(tallies([two], {}, HOUR_MS + 50_001), {});
    assert.equal(tallies([two], {}, HOUR_MS + 50_000).errors?.length, 1);
    const other = { ...two, endpoints: two.endpoints.map((one) => ({ ...one, revision: 'v2' })) };
    assert.deepEqual(tallies([other]), {});
  });
});
