// kubectl haldane doctor where another HTTPRoute takes the same requests.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KINDS } from '../../src/main/kubernetes-client.ts';
import { KubernetesWorld, NAMESPACE } from './kubernetes-world.ts';

const OLDER =
  /HTTPRoute (\S+) also takes host checkout\.example on Gateway web and is older than checkout: it gets the requests/;

interface Told {
  readonly name?: string;
  readonly namespace?: string;
  readonly spec?: object;
  readonly status?: object;
}

const team = (more: object = {}) => ({
  parentRefs: [{ name: 'web' }],
  hostnames: ['checkout.example', 'www.example'],
  rules: [{ backendRefs: [{ name: 'checkout', port: 80 }] }],
  ...more,
});

async function withRoute(
  world: KubernetesWorld,
  at: string,
  { name = 'team', namespace = NAMESPACE, spec = team(), status = {} }: Told,
) {
  world.api.wallTime = () => at;
  await world.api.create(KINDS.routes, { metadata: { namespace, name }, spec, status });
}

/** The route that Haldane writes, of five past ten. */
async function withOwned(world: KubernetesWorld): Promise<void> {
  const matches = [{ path: { type: 'PathPrefix', value: '/' } }];
  await withRoute(world, '2026-01-01T00:10:05Z', {
    name: 'checkout',
    spec: team({ hostnames: ['checkout.example'], rules: [{ matches, backendRefs: [{ name: 'checkout' }] }] }),
  });
}

async function told(others: readonly Told[], { at = '2026-01-01T00:00:00Z', isOwnedMade = true } = {}) {
  const world = new KubernetesWorld();
  await world.policy();
  for (const other of others) await withRoute(world, at, other);
  if (isOwnedMade) await withOwned(world);
  const { out } = await world.run('doctor', 'checkout', '--plain');
  return OLDER.exec(out.replaceAll(/\s+/g, ' '))?.[1] ?? null;
}

describe('kubectl haldane doctor, where another HTTPRoute is there', () => {
  it('names an older one that takes the same requests, with what to do', async () => {
    assert.equal(await told([{}]), 'team');
    assert.equal(await told([{}], { isOwnedMade: false }), 'team', 'the owned one is not made yet');
    const elsewhere = { namespace: 'infra', spec: team({ parentRefs: [{ name: 'web', namespace: NAMESPACE }] }) };
    assert.equal(await told([elsewhere]), 'infra/team', 'a Gateway of the policy, a route of another namespace');
  });

  it('names the one whose name comes first of two that were made in one second', async () => {
    const at = '2026-01-01T00:10:05Z';
    assert.equal(await told([{ name: 'a' }], { at }), 'a');
    assert.equal(await told([{ name: 'z' }], { at }), null);
  });

  it('says nothing of one that is younger, and of one that takes other requests', async () => {
    assert.equal(await told([{}], { at: '2026-01-01T00:20:00Z' }), null, 'younger');
    assert.equal(await told([{ spec: team({ hostnames: ['other.example'] }) }]), null, 'another host');
    assert.equal(await told([{ spec: team({ parentRefs: [{ name: 'mesh' }] }) }]), null, 'another Gateway');
    assert.equal(await told([{ namespace: 'infra' }]), null, 'a Gateway of that name elsewhere');
    const api = [{ matches: [{ path: { type: 'PathPrefix', value: '/api' } }] }];
    assert.equal(await told([{ spec: team({ rules: api }) }]), null, 'a part of the requests, on purpose');
    const beta = [{ matches: [{ headers: [{ name: 'beta', value: 'yes' }] }] }];
    assert.equal(await told([{ spec: team({ rules: beta }) }]), null, 'a few users, on purpose');
    const conditions = [{ type: 'Accepted', status: 'False' }];
    assert.equal(await told([{ status: { parents: [{ conditions }] } }]), null, 'refused by the Gateway');
  });

  it('says nothing where routes may not be listed', async () => {
    const world = new KubernetesWorld();
    await world.policy();
    await withRoute(world, '2026-01-01T00:00:00Z', {});
    world.denied.add('list httproutes');
    const { out, err } = await world.run('doctor', 'checkout', '--plain');
    assert.doesNotMatch(out + err, /also takes/);
  });
});
