// The recipe for kubectl alone, as it stands in the documents, in each way that a release ends or waits. The decisions are
// real, in the small obedient world, and what the operator writes of them is written into a policy of the cluster.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { conditionsOf } from '../../src/core/engine/forecast.ts';
import { statusOf } from '../../src/main/operator/status.ts';
import { version, type World } from '../engine/world.ts';
import { Namespace, noCluster, ROOT } from '../kubernetes/cluster.ts';
import { installDefinitions } from '../kubernetes/installed.ts';
import { deployment, releasePolicy, SHARE } from '../kubernetes/objects.ts';
import { inputOf, samplePolicy, sampleWorld } from '../views/samples.ts';

function recipeOf(page: string): string {
  const text = readFileSync(join(ROOT, 'docs/kubernetes', page), 'utf8');
  return /^```sh\n(wanted=[\s\S]*?)^```$/m.exec(text)?.[1] ?? '';
}

const RECIPE = recipeOf('README.md');

/** What the operator writes of the world's last decision about this generation of the Deployment. */
function statusAfter(world: World, generation: number, refusal: string | null = null): object {
  const view = { ...inputOf(world), looks: 1 } as unknown as Parameters<typeof statusOf>[0]['view'];
  const deployed = { name: 'shop', generation };
  const wallTime = '2026-01-01T00:00:00Z';
  const rest = { sharePercent: null, generation: 1, before: [], wallTime };
  const status = statusOf({ view, deployment: deployed, refusal, ...rest });
  return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== null));
}

const atWeight = (world: World, weight: number) => world.runUntil((w) => w.state.release?.weightPercent === weight);

function bad(world: World): World {
  world.behaviour.set('rev-v2', { errorRate: 0.04 });
  return world.runUntil((w) => w.outcome?.kind === 'aborted').runFor(10_000);
}

function gated(world: World): World {
  const { ramp } = samplePolicy;
  if (ramp.kind !== 'stages') throw new Error('the sample has stages');
  const gates = [{ kind: 'approval', name: 'go', approvals: 1 }] as const;
  const [first, ...others] = ramp.stages.map((stage, index) => (index === 0 ? { ...stage, gates } : stage));
  world.policy = { ...samplePolicy, ramp: { ...ramp, stages: first === undefined ? others : [first, ...others] } };
  return world.runUntil((w) => w.state.release?.awaiting === 'approval');
}

function paused(world: World): World {
  atWeight(world, 5).runFor(20_000).command('pause', { reason: 'incident elsewhere' });
  return world.runFor(2_000);
}

const promoted = (world: World) => world.runUntil((w) => w.state.stable?.label === 'v2').runFor(10_000);

const WAYS: readonly (readonly [what: string, run: (world: World) => World, said: RegExp, code: number])[] = [
  ['promoted', promoted, /^Promoted Promoted: v2 serves everyone/, 0],
  ['taken back', bad, /^Aborted Aborted: .*\nWaiting VersionWaits: v2 waits/, 1],
  ['waiting for an approval', gated, /^Waiting ApprovalNeeded: /, 1],
  ['paused', paused, /^Paused PausedByPerson: incident elsewhere/, 1],
];

/** The conditions that are True, as the recipe reads them. */
function trueOnes(status: object): readonly string[] {
  const { conditions } = status as { conditions: readonly { type: string; status: string; reason: string }[] };
  return conditions.filter((each) => each.status === 'True').map(({ type, reason }) => `${type} ${reason}`);
}

const ENDS = /^(?:Promoted|Aborted|Paused|Waiting) /;

it('the quick start has the recipe of the page about Kubernetes, word by word', () => {
  assert.notEqual(RECIPE, '');
  assert.equal(recipeOf('quick-start.md'), RECIPE);
});

it('while a release is under way, or one gives way to the next, no condition that ends the recipe is true', () => {
  const world = atWeight(sampleWorld(), 25).runFor(90_000);
  const underWay = trueOnes(statusAfter(world, 2));
  assert.deepEqual(underWay, ['Reconciling UnderWay', 'Progressing UnderWay']);
  world.declared = version('v3');
  let hasSeenTheGap = false;
  for (let steps = 0; world.state.release?.to.label !== 'v3'; steps++) {
    assert.ok(steps < 1_000, 'v3 never had its turn');
    world.step();
    hasSeenTheGap ||= conditionsOf(world.state, '').every(
      ({ type, status }) => type !== 'Progressing' || status === 'False',
    );
    assert.ok(!trueOnes(statusAfter(world, 2)).some((each) => ENDS.test(each)), trueOnes(statusAfter(world, 2)).join());
  }
  assert.ok(hasSeenTheGap, 'between the two neither is under way, so Progressing alone would not do');
});

describe('the recipe for kubectl alone, on a cluster', { skip: noCluster }, () => {
  const space = new Namespace('recipe');
  before(() => {
    installDefinitions();
    space.create();
    space.must(['apply', '-f', '-'], { input: deployment('shop') });
    space.must(['apply', '-f', '-'], { input: releasePolicy(SHARE) });
  });
  after(() => space.remove());

  const generation = () => space.read<{ metadata: { generation: number } }>('deployment', 'shop').metadata.generation;

  function setStatus(status: object): void {
    const patch = JSON.stringify({ status });
    space.must(['patch', 'releasepolicy', 'shop', '--subresource=status', '--type=merge', '-p', patch]);
  }

  async function run(looks: number, meanwhile: () => void = () => {}) {
    const here = `kubectl() { command kubectl -n ${space.name} "$@"; }\n`;
    const script = here + RECIPE.replace('seq 600', `seq ${looks}`).replace('sleep 3', 'sleep 1');
    const child = spawn('bash', ['-euc', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    const closed = once(child, 'close') as Promise<[number]>;
    meanwhile();
    const [code] = await closed;
    return { code, out };
  }

  for (const [what, play, said, code] of WAYS) {
    it(`ends for a version that is ${what}, and says so`, async () => {
      setStatus(statusAfter(play(sampleWorld()), generation()));
      const ran = await run(2);
      assert.match(ran.out, said);
      assert.equal(ran.code, code);
    });
  }

  it('ends for a policy that is refused, also before the Deployment was seen', async () => {
    setStatus(statusAfter(promoted(sampleWorld()), 0, 'spec.router: there is no Service shop'));
    const ran = await run(2);
    assert.match(ran.out, /^Stalled PolicyRefused: spec\.router: there is no Service shop/);
    assert.equal(ran.code, 1);
  });

  it('is not told of the release before, and waits for the end of its own', async () => {
    setStatus(statusAfter(promoted(sampleWorld()), generation()));
    space.must(['set', 'image', 'deployment/shop', 'app=app:v2']);
    assert.deepEqual(await run(2), { code: 1, out: 'Late: it goes on\n' });
    const ran = await run(20, () => {
      setStatus(statusAfter(atWeight(sampleWorld(), 25).runFor(90_000), generation()));
      setStatus(statusAfter(bad(sampleWorld()), generation()));
    });
    assert.match(ran.out, /^Aborted Aborted: /);
  });
});
