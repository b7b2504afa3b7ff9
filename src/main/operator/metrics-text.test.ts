import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PolicyView } from '../../controller/index.ts';
import { CallCounts, metricsText } from './metrics-text.ts';

function text(views: readonly object[]): string {
  const calls = new CallCounts();
  calls.add('patch', 'httproutes', 200, 250);
  return metricsText({
    views: views as readonly PolicyView[],
    sharePercent: () => 23.8,
    calls,
    callsUnderWay: 3,
    isLeader: true,
    nowWallMs: Date.parse('2026-01-01T00:00:05Z'),
    version: '1.2.3',
  });
}

const line = (name: string, of: string) =>
  of.split('\n').find((each) => each.startsWith(name) && !each.startsWith('#'));

test('the operator tells its calls, its queue and its lease', () => {
  const said = text([]);
  assert.equal(
    line('haldane_api_calls_total', said),
    'haldane_api_calls_total{verb="patch",resource="httproutes",code="200"} 1',
  );
  assert.equal(line('haldane_queue_depth', said), 'haldane_queue_depth 3');
  assert.equal(line('haldane_leader', said), 'haldane_leader 1');
});

test('of a release it tells the weight asked beside the share seen', () => {
  const release = { weightPercent: 25, phase: { kind: 'testing', stage: 1 }, to: { revision: 'new' }, verdicts: [] };
  const view = { name: 'shop/web', state: { release }, owed: [], trouble: null, wallTime: '2026-01-01T00:00:00Z' };
  const said = text([view]);
  assert.equal(line('haldane_weight_asked_percent', said), 'haldane_weight_asked_percent{policy="shop/web"} 25');
  assert.equal(line('haldane_share_seen_percent', said), 'haldane_share_seen_percent{policy="shop/web"} 23.8');
  assert.equal(line('haldane_stage', said), 'haldane_stage{policy="shop/web"} 2');
  assert.equal(line('haldane_reconcile_lag_seconds', said), 'haldane_reconcile_lag_seconds{policy="shop/web"} 5');
});
