// I3: whatever somebody changes in the middle of a release, the canary's traffic can be taken away.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ANNOTATION } from '../../../cluster/names.ts';
import { HTTP_ROUTES, SERVICES } from '../../../kubernetes/index.ts';
import { sampleSplit } from '../../../ports/doubles/index.ts';
import { divisionsOf, percentOf, type Route } from './route.ts';
import { gatewayApiPolicy, type RoutedWorld, routedWorld } from './test-world.ts';

const AT = { namespace: 'default', name: 'shop' };
const METRICS = { name: 'metrics', port: 9100, protocol: 'TCP', targetPort: 9100 };
const HTTP = { name: 'http', port: 80, protocol: 'TCP', targetPort: 8080 };

async function underWay(mode: 'owned' | 'adopted'): Promise<RoutedWorld> {
  const adopted = { route: { kind: 'adopted', name: 'shop' } } as const;
  const here = await routedWorld(gatewayApiPolicy(mode === 'owned' ? {} : adopted));
  await inForce(here, 50);
  return here;
}

async function inForce({ router, policy, stable, canary, cluster }: RoutedWorld, percent: number): Promise<void> {
  const split = sampleSplit(stable.revision, { revision: canary.revision, weightPercent: percent });
  for (let looks = 0; looks < 20; looks += 1) {
    if ((await router.ensure(policy, split, [stable, canary])).kind === 'converged') return;
    await cluster.pass(1_000);
  }
  assert.fail(`${percent} % never in force: ${JSON.stringify(await router.observe(policy))}`);
}

async function canaryPercent({ cluster }: RoutedWorld, port: number): Promise<readonly number[]> {
  const route = (await cluster.api.get<Route>(HTTP_ROUTES, AT)) as Route;
  const pair = { namespace: 'default', stable: 'shop', canary: 'shop-canary', port };
  return divisionsOf(route.spec, pair).map(percentOf);
}

async function setPorts({ cluster }: RoutedWorld, ports: readonly object[]): Promise<void> {
  await cluster.api.patch(SERVICES, AT, { type: 'merge', body: { spec: { ports } } });
  await cluster.pass(1_000);
}

for (const mode of ['owned', 'adopted'] as const) {
  describe(`the way back of a route, ${mode}`, () => {
    test('I3: a second port at the Service of stable does not close it', async () => {
      const here = await underWay(mode);
      await setPorts(here, [HTTP, METRICS]);
      assert.equal((await here.router.observe(here.policy)).split?.weights[1]?.weightPercent, 50);
      await inForce(here, 0);
      assert.deepEqual(await canaryPercent(here, 80), [0]);
      await here.cluster.stop();
    });

    test('I3: another number of its port does not, either', async () => {
      const here = await underWay(mode);
      await setPorts(here, [{ ...HTTP, port: 8081 }]);
      await inForce(here, 0);
      // Of an adopted route the port is its owner's.
      assert.deepEqual(await canaryPercent(here, mode === 'owned' ? 8_081 : 80), [0]);
      await here.cluster.stop();
    });

    for (const left of ['{"policy":"default/shop","wanted":{"canaryPercent":50}}', '{"policy":"default/shop"}', '{']) {
      test(`I3: an annotation that a hand has cut down to ${left} does not`, async () => {
        const here = await underWay(mode);
        const body = { metadata: { annotations: { [ANNOTATION.split]: left } } };
        await here.cluster.api.patch(HTTP_ROUTES, AT, { type: 'merge', body });
        await here.cluster.pass(1_000);
        await here.router.observe(here.policy);
        await inForce(here, 0);
        assert.deepEqual(await canaryPercent(here, 80), [0]);
        await here.cluster.stop();
      });
    }
  });
}

test('a Service with two ports of which none is told is refused before anything is sent', async () => {
  const here = await routedWorld(gatewayApiPolicy({}));
  await setPorts(here, [HTTP, METRICS]);
  const split = sampleSplit(here.stable.revision, { revision: here.canary.revision, weightPercent: 5 });
  const result = await here.router.ensure(here.policy, split, [here.stable, here.canary]);
  assert.match(
    result.kind === 'rejected' ? result.reason : '',
    /has 2 ports \(80, 9100\); write router\.gatewayApi\.port/,
  );
  await here.cluster.stop();
});
