import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { World } from '../../test/engine/world.ts';
import { inputOf, sampleWorld } from '../../test/views/samples.ts';
import type { Controller, PolicyView } from '../controller/index.ts';
import { silentLog } from '../lib/log.ts';
import { Traces } from './traces.ts';

const folder = mkdtempSync(join(tmpdir(), 'haldane-traces-'));
after(() => rmSync(folder, { recursive: true }));

/** Traces that listen to a world, as they listen to the controller. */
function follow(place: string) {
  let tell: (view: PolicyView) => void = () => {};
  const controller = {
    subscribe: (listener: (view: PolicyView) => void) => {
      tell = listener;
      return () => {};
    },
  } as unknown as Controller;
  const traces = new Traces(place, silentLog);
  traces.start(controller);
  const run = (world: World, ms: number) => {
    for (const endMs = world.nowMs + ms; world.nowMs < endMs; ) {
      world.step();
      tell({ ...inputOf(world), looks: 1, owed: [] } as unknown as PolicyView);
    }
  };
  return { traces, run };
}

describe('evidence over time', () => {
  it('is a point a window, and is there again after a restart', () => {
    const place = join(folder, 'a');
    const { traces, run } = follow(place);
    const world = sampleWorld();
    run(world, 300_000);
    const points = traces.points('checkout-2');
    const windows = world.state.release?.windows ?? 0;
    assert.ok(
      windows > 20 && points.length >= windows && points.length <= windows + 3,
      `${points.length} of ${windows}`,
    );
    const last = points.at(-1);
    assert.equal(last?.canaryRequests, world.state.release?.exposure.canaryRequests);
    assert.equal(last?.checks.errors?.outcome, world.state.release?.verdicts[0]?.outcome);
    assert.deepEqual(new Traces(place, silentLog).points('checkout-2'), points);
  });

  it('survives a line cut short, and a folder that cannot be written costs only the picture', () => {
    const place = join(folder, 'b');
    const { run } = follow(place);
    run(sampleWorld(), 60_000);
    const [file] = readdirSync(place);
    assert.ok(file !== undefined);
    const before = new Traces(place, silentLog).points('checkout-2').length;
    appendFileSync(join(place, file), '{"atMs": 1');
    assert.equal(new Traces(place, silentLog).points('checkout-2').length, before);
    const nowhere = follow(join(place, file, 'not-a-folder'));
    nowhere.run(sampleWorld(), 60_000);
    assert.ok(nowhere.traces.points('checkout-2').length > 0);
  });
});
