// kubectl haldane status --wait: what became of the version somebody just wrote, second by second, and the exit code.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KubeError } from '../../src/kubernetes/index.ts';
import { KubernetesWorld, type Ran, seen, V1, V2, viewOf } from './kubernetes-world.ts';

async function atRest(): Promise<KubernetesWorld> {
  const world = new KubernetesWorld();
  const view = viewOf('promoted', (rest) => ({ ...rest, release: null }));
  await world.policy({ view, status: seen(1, V1, view) });
  await world.deploy('app:v1');
  return world;
}

/** What happens, second by second, while status --wait looks. */
async function waitFor(
  world: KubernetesWorld,
  happens: Readonly<Record<number, () => Promise<unknown>>>,
  ...more: readonly string[]
): Promise<Ran> {
  world.whileWaiting = async (waitedMs) => void (await happens[waitedMs / 1_000]?.());
  return world.run('status', 'checkout', '--wait', '--timeout', '1m', ...more);
}

describe('kubectl haldane status --wait', () => {
  const ends: readonly (readonly [name: string, sample: string, change: object, code: number, word: RegExp])[] = [
    ['is promoted', 'promoted', {}, 0, /^promoted: .*v2 promoted after/],
    ['is taken back by a verdict', 'aborted', {}, 2, /^aborted by verdict: v2 aborted/],
    ['is taken back by a person', 'aborted', { by: 'person' }, 3, /^aborted by a person/],
    ['is withdrawn by its author', 'aborted', { by: 'author' }, 3, /^aborted by a person/],
    ['meets its deadline', 'aborted', { by: 'deadline' }, 4, /^deadline/],
    ['is superseded', 'aborted', { by: 'superseded' }, 6, /^superseded/],
  ];
  for (const [what, sample, change, code, word] of ends) {
    it(`ends with ${code} when the version ${what}`, async () => {
      const world = await atRest();
      await world.write('app:v2');
      const ended = viewOf(sample, (view) =>
        view.release?.outcome == null
          ? view
          : { ...view, release: { ...view.release, outcome: { ...view.release.outcome, ...change } } },
      );
      const ran = await waitFor(world, {
        1: () => world.setStatus(seen(2, V2, viewOf('testing'))),
        3: () => world.setStatus(seen(2, sample === 'promoted' ? V2 : V1, ended)),
      });
      assert.equal(ran.code, code, ran.out + ran.err);
      assert.match(ran.out, word);
    });
  }

  it('does not take the outcome of the version before for this one', async () => {
    const world = await atRest();
    await world.write('app:v2');
    const ran = await waitFor(world, {
      // The operator has heard of the new generation, and what it shows is still of before.
      2: () =>
        world.setStatus(
          seen(
            2,
            V1,
            viewOf('promoted', (view) => ({ ...view, release: null })),
          ),
        ),
      4: () => world.setStatus(seen(2, V2, viewOf('testing'))),
      6: () => world.setStatus(seen(2, V2, viewOf('promoted'))),
    });
    assert.equal(ran.code, 0);
    assert.equal(world.waitedMs, 6_000);
    assert.match(ran.err, /the operator has not seen the newest template yet/);
  });

  it('waits for an image that git has not brought yet', async () => {
    const world = await atRest();
    const ran = await waitFor(
      world,
      {
        2: () => world.write('app:v2'),
        3: () => world.setStatus(seen(2, V2, viewOf('promoted'))),
      },
      '--image',
      'app:v2',
    );
    assert.equal(ran.code, 0);
    assert.match(ran.err, /waits for app:v2 in Deployment checkout/);
  });

  it('ends with 4 when the time is over, and leaves the release alone', async () => {
    const world = await atRest();
    const ran = await waitFor(world, {}, '--image', 'app:v9');
    assert.deepEqual([ran.code, world.waitedMs], [4, 60_000]);
    assert.match(ran.out, /^timed out: waits for app:v9 in Deployment checkout/);
    assert.deepEqual(await world.commands(), []);
  });

  it('ends with 5 when a person is asked', async () => {
    const world = await atRest();
    await world.write('app:v2');
    const asking = viewOf('testing', (view) =>
      view.release === null ? view : { ...view, release: { ...view.release, awaiting: 'approval' } },
    );
    const ran = await waitFor(world, { 1: () => world.setStatus(seen(2, V2, asking)) });
    assert.equal(ran.code, 5);
  });

  it('ends with 6 when another template takes its place', async () => {
    const world = await atRest();
    await world.write('app:v2');
    const ran = await waitFor(world, { 2: () => world.write('app:v3') });
    assert.equal(ran.code, 6);
    assert.match(ran.out, /^superseded: another template has taken its place/);
  });

  it('is at once done with a version that serves already', async () => {
    const world = await atRest();
    const ran = await waitFor(world, {}, '--image', 'app:v1');
    assert.deepEqual([ran.code, world.waitedMs], [0, 0]);
  });

  it('holds out while the API server is away', async () => {
    const world = await atRest();
    let isAway = false;
    world.api.intercept = () => {
      if (isAway) throw new KubeError('get', 503, { reason: 'ServiceUnavailable', message: 'down' });
    };
    await world.write('app:v2');
    const ran = await waitFor(world, {
      1: async () => (isAway = true),
      5: async () => {
        isAway = false;
        await world.setStatus(seen(2, V2, viewOf('promoted')));
      },
    });
    assert.equal(ran.code, 0);
  });

  it('ends with 1 when the policy is refused as it stands', async () => {
    const world = await atRest();
    await world.write('app:v2');
    const conditions = [{ type: 'Stalled', status: 'True', reason: 'PolicyRefused', message: 'stages: too many' }];
    const ran = await waitFor(world, { 1: () => world.setStatus({ conditions }) });
    assert.equal(ran.code, 1);
    assert.match(ran.out, /stages: too many/);
  });

  it('prints one JSON object at the end', async () => {
    const world = await atRest();
    const ran = await waitFor(world, {}, '--json');
    const { exitCode, outcome } = JSON.parse(ran.out) as { exitCode: number; outcome: string };
    assert.deepEqual([exitCode, outcome, ran.err], [0, 'promoted', '']);
  });
});
