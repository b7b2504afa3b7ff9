import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AskingAgain } from '../../cluster/doubles/asking-again.ts';
import { neverRead } from '../../cluster/doubles/never-read.ts';
import type { Backend } from '../../core/model/effect.ts';
import type { Split } from '../../core/model/split.ts';
import { DEPLOYMENTS, GATEWAY_CLASSES, GATEWAYS, HTTP_ROUTES, SERVICES } from '../../kubernetes/index.ts';
import { silentLog } from '../../lib/log.ts';
import { routerConformance } from '../../ports/conformance/index.ts';
import { sampleSplit } from '../../ports/doubles/index.ts';
import type { EnsureResult, Router } from '../../ports/index.ts';
import type { Route } from './gateway-api/route.ts';
import { gatewayApiPolicy, type RoutedWorld, routedWorld, routerOf } from './gateway-api/test-world.ts';
import { GatewayApiRouter } from './gateway-api.ts';

const OWNED = gatewayApiPolicy({});

for (const [name, policy] of [
  ['GatewayApiRouter, owned', OWNED],
  ['GatewayApiRouter, adopted', gatewayApiPolicy({ route: { kind: 'adopted', name: 'shop' } })],
] as const) {
  routerConformance(name, async () => {
    const { cluster, v1, v2, stable, canary } = await routedWorld(policy);
    const asking = new AskingAgain<EnsureResult>();
    const follow = async (backends: readonly Backend[]) => {
      for (const { revision, endpoints } of backends) {
        if (endpoints.length > 0) await cluster.runAt(revision === v1.revision ? v1 : v2, endpoints);
      }
      await cluster.pass(0);
    };
    const wrapped = (router: GatewayApiRouter): Router => {
      const isAdopted = policy.router.kind === 'gatewayApi' && policy.router.route.kind === 'adopted';
      return {
        capabilities: { ...router.capabilities, headerMatch: !isAdopted },
        ensure: asking.ensuring(follow, (...asked) => router.ensure(...asked)),
        observe: (of) => router.observe(of),
        inFlight: (of) => router.inFlight(of),
        watch: (of, changed) => router.watch(of, changed),
      };
    };
    return {
      router: wrapped(routerOf(cluster)),
      policy,
      stable,
      canary,
      until: async (what, condition) => {
        for (let looks = 0; looks < 60; looks += 1) {
          if (await condition()) return;
          await cluster.pass(1_000);
          await asking.again();
        }
        throw new Error(`still not: ${what}`);
      },
      moveCanary: async () => ({ ...canary, endpoints: stable.endpoints }),
      blind: () => cluster.pass(400_000),
      nextAgent: async () => {
        await cluster.restart();
        return wrapped(routerOf(cluster));
      },
      end: () => cluster.stop(),
    };
  });
}

async function asked(here: RoutedWorld, split: Split): Promise<EnsureResult> {
  const result = await here.router.ensure(here.policy, split, [here.stable, here.canary]);
  await here.cluster.pass(1_000);
  return result;
}

/** As the controller does: again and again, until it is in force. */
async function inForce(here: RoutedWorld, split: Split): Promise<void> {
  for (let looks = 0; looks < 20; looks += 1) {
    const result = await asked(here, split);
    if (result.kind === 'converged') return;
  }
  assert.fail(`never in force: ${JSON.stringify(await here.router.observe(here.policy))}`);
}

function divided({ stable, canary }: RoutedWorld, percent: number): Split {
  return sampleSplit(stable.revision, { revision: canary.revision, weightPercent: percent });
}

async function route(here: RoutedWorld, name = 'shop'): Promise<Route> {
  const found = await here.cluster.api.get<Route>(HTTP_ROUTES, { namespace: 'default', name });
  assert.ok(found);
  return found;
}

const weights = ({ spec }: Route) =>
  (spec.rules?.at(-1)?.backendRefs ?? []).map(({ name, weight }) => `${name} ${weight}`).join(', ');

describe('an owned route', () => {
  test('rows 12 and 20: the canary is named with weight 0 first, and gets weight when its name is resolved', async () => {
    const here = await routedWorld(OWNED);
    const first = await here.router.ensure(OWNED, divided(here, 5), [here.stable, here.canary]);
    assert.match(first.kind === 'progressing' ? first.reason : '', /no ready endpoint yet/);
    await here.cluster.pass(100);
    await here.router.ensure(OWNED, divided(here, 5), [here.stable, here.canary]);
    assert.equal(weights(await route(here)), 'shop 10000, shop-canary 0');
    here.cluster.says = () => ({ accepted: true, resolved: false, message: 'Service shop-canary not found' });
    await here.cluster.pass(100);
    const refused = await here.router.ensure(OWNED, divided(here, 5), [here.stable, here.canary]);
    assert.match(refused.kind === 'rejected' ? refused.reason : '', /not found/);
    assert.equal(weights(await route(here)), 'shop 10000, shop-canary 0');
    here.cluster.says = () => ({ accepted: true, resolved: true });
    await here.cluster.pass(100);
    await here.router.ensure(OWNED, divided(here, 5), [here.stable, here.canary]);
    assert.equal(weights(await route(here)), 'shop 9500, shop-canary 500');
    await here.cluster.stop();
  });

  test('it is in force once every parent accepted this generation, and settle is over', async () => {
    const here = await routedWorld(OWNED);
    await inForce(here, divided(here, 5));
    here.cluster.says = () => null;
    await asked(here, divided(here, 10));
    assert.match((await here.router.observe(OWNED)).reason, /not said of the latest change/);
    here.cluster.says = () => ({ accepted: true, resolved: true });
    await here.cluster.pass(100);
    assert.match((await here.router.observe(OWNED)).reason, /3 s more/);
    await here.cluster.pass(3_000);
    assert.equal((await here.router.observe(OWNED)).state, 'converged');
    await here.cluster.stop();
  });

  test('a route of that name that somebody else writes is left alone, and its writer is named', async () => {
    const here = await routedWorld(gatewayApiPolicy({ route: { kind: 'adopted', name: 'shop' } }));
    const before = JSON.stringify(await route(here));
    const result = await here.router.ensure(OWNED, sampleSplit(here.stable.revision), [here.stable]);
    assert.match(result.kind === 'rejected' ? result.reason : '', /git-tool writes it.*kubectl haldane adopt shop/);
    assert.equal((await here.router.observe(OWNED)).state, 'rejected');
    assert.equal(JSON.stringify(await route(here)), before);
    await here.cluster.stop();
  });

  test('row 26: after the canary, its name goes from the route first and its Service after', async () => {
    const here = await routedWorld(OWNED);
    const stop = here.router.watch(OWNED, () => {});
    await inForce(here, divided(here, 5));
    await inForce(here, sampleSplit(here.stable.revision));
    assert.equal(weights(await route(here)), 'shop 10000, shop-canary 0');
    const order: string[] = [];
    here.cluster.api.intercept = (verb, resource) => {
      if (['apply', 'delete'].includes(verb) && ['httproutes', 'services'].includes(resource.plural)) {
        order.push(`${verb} ${resource.kind}`);
      }
    };
    await here.cluster.remove(here.v2);
    for (let turn = 0; turn < 5; turn += 1) await here.cluster.pass(100);
    assert.equal(weights(await route(here)), 'shop 10000');
    assert.equal(await here.cluster.api.get(SERVICES, { namespace: 'default', name: 'shop-canary' }), null);
    assert.deepEqual(order, ['apply HTTPRoute', 'delete Service']);
    stop();
    await here.cluster.stop();
  });

  test('a canary with no weight counts as in use until every proxy has followed', async () => {
    const here = await routedWorld(OWNED);
    await inForce(here, divided(here, 5));
    await asked(here, sampleSplit(here.stable.revision));
    assert.deepEqual(await here.router.inFlight(OWNED), { [here.canary.revision]: 1 });
    await here.cluster.pass(3_000);
    assert.deepEqual(await here.router.inFlight(OWNED), {});
    await here.cluster.stop();
  });

  test('rows 56 and 58: an edit by hand is set right: the split is made from what is wanted', async () => {
    const here = await routedWorld(OWNED);
    await inForce(here, divided(here, 5));
    const body = { spec: { ...(await route(here)).spec, hostnames: ['other.test'] } };
    await here.cluster.api.patch(HTTP_ROUTES, { namespace: 'default', name: 'shop' }, { type: 'merge', body });
    await here.cluster.pass(100);
    assert.notEqual((await here.router.observe(OWNED)).split?.salt, 'salt');
    await inForce(here, divided(here, 5));
    assert.deepEqual((await route(here)).spec.hostnames, ['shop.test']);
    await here.cluster.stop();
  });

  test('row 25: 10,000 times the same question leaves the route as it is and writes nothing', async () => {
    const here = await routedWorld(OWNED);
    const split = {
      ...divided(here, 5),
      rules: [{ header: { name: 'canary', value: 'yes' }, revision: here.canary.revision }],
    };
    await inForce(here, split);
    const [before, calls] = [JSON.stringify(await route(here)), here.cluster.api.calls.length];
    for (let again = 0; again < 10_000; again += 1) await here.router.ensure(OWNED, split, [here.stable, here.canary]);
    assert.equal(here.cluster.api.calls.length, calls);
    assert.equal(JSON.stringify(await route(here)), before);
    await here.cluster.stop();
  });

  test('what something in between adds to the route is not fought', async () => {
    const here = await routedWorld(OWNED);
    here.cluster.api.admit = (resource, _before, after) =>
      resource === HTTP_ROUTES ? { ...after, spec: { ...(after.spec as object), useDefaultGateways: 'None' } } : after;
    await inForce(here, divided(here, 5));
    const calls = here.cluster.api.calls.length;
    await here.router.ensure(OWNED, divided(here, 5), [here.stable, here.canary]);
    assert.equal(here.cluster.api.calls.length, calls);
    assert.equal((await here.router.observe(OWNED)).split?.salt, 'salt');
    await here.cluster.stop();
  });

  test('affinity is a cookie for each version and a rule for each cookie, while both have weight', async () => {
    const here = await routedWorld(OWNED);
    const affinity = { cookie: 'version', ttlSeconds: 60 };
    await inForce(here, { ...divided(here, 5), affinity });
    const { rules = [] } = (await route(here)).spec;
    const patterns = rules.slice(0, 2).map(({ matches }) => new RegExp(matches?.[0]?.headers?.[0]?.value ?? ''));
    const [canary, stable] = [here.canary.revision, here.stable.revision];
    for (const cookie of [`version=${canary}`, `a=b; version=${canary}`, `a=b;version=${canary}; c=d`]) {
      assert.deepEqual(
        patterns.map((pattern) => pattern.test(cookie)),
        [true, false],
        cookie,
      );
    }
    for (const cookie of [`other-version=${canary}`, `version=${canary}0`, 'version=']) {
      assert.deepEqual(
        patterns.map((pattern) => pattern.test(cookie)),
        [false, false],
        cookie,
      );
    }
    assert.match(JSON.stringify(rules.at(-1)), new RegExp(`version=${stable}; Path=/; Max-Age=60`));
    await inForce(here, { ...sampleSplit(stable), affinity });
    assert.equal((await route(here)).spec.rules?.length, 1);
    assert.deepEqual((await here.router.observe(OWNED)).split?.affinity, affinity);
    await here.cluster.stop();
  });

  test('a mirror is written while the canary has weight, and not where the Gateway says that it cannot', async () => {
    const policy = gatewayApiPolicy({ mirrorPercent: 100 });
    const here = await routedWorld(policy);
    await inForce(here, divided(here, 5));
    assert.match(JSON.stringify((await route(here)).spec), /RequestMirror.*shop-canary/);
    await inForce(here, sampleSplit(here.stable.revision));
    assert.doesNotMatch(JSON.stringify((await route(here)).spec), /RequestMirror/);
    const { api } = here.cluster;
    await api.create(GATEWAYS, {
      metadata: { namespace: 'default', name: 'web' },
      spec: { gatewayClassName: 'plain' },
    });
    const status = { supportedFeatures: [{ name: 'HTTPRouteHostRewrite' }] };
    await api.create(GATEWAY_CLASSES, { metadata: { name: 'plain' }, spec: {}, status });
    const result = await asked(here, divided(here, 10));
    assert.match(result.kind === 'rejected' ? result.reason : '', /cannot mirror/);
    await here.cluster.stop();
  });

  test('row 17: while stable has no ready endpoint in its Service, nothing is moved to it', async () => {
    const here = await routedWorld(OWNED);
    await inForce(here, divided(here, 50));
    await here.cluster.runAt(here.v1, []);
    await here.cluster.pass(100);
    const result = await asked(here, sampleSplit(here.stable.revision));
    assert.equal(result.kind, 'rejected');
    assert.equal(weights(await route(here)), 'shop 5000, shop-canary 5000');
    await here.cluster.stop();
  });

  test('handed back, it sends everything to stable and bears no mark, and the canary has no Service', async () => {
    const here = await routedWorld(OWNED);
    await inForce(here, divided(here, 5));
    await inForce(here, sampleSplit(here.stable.revision));
    await here.cluster.remove(here.v2);
    await assert.rejects(here.router.handBack(OWNED), /not taken/);
    for (let turn = 0; turn < 3; turn += 1) {
      await here.cluster.pass(100);
      await here.router.handBack(OWNED);
    }
    const left = await route(here);
    assert.equal(weights(left), 'shop 10000');
    assert.deepEqual([left.metadata.labels ?? {}, left.metadata.annotations ?? {}], [{}, {}]);
    assert.equal(await here.cluster.api.get(SERVICES, { namespace: 'default', name: 'shop-canary' }), null);
    await here.cluster.stop();
  });

  test('a Service of the canary name that is not ours is not touched', async () => {
    const here = await routedWorld(OWNED);
    await here.cluster.service('shop-canary', { app: 'another' });
    await here.cluster.pass(100);
    const result = await asked(here, divided(here, 5));
    assert.match(result.kind === 'rejected' ? result.reason : '', /is not Haldane's/);
    await here.cluster.stop();
  });

  test('once the version serves in place, stable means it and the rest of the canary is a spare', async () => {
    const here = await routedWorld(OWNED);
    await inForce(here, divided(here, 5));
    const at = { namespace: 'default', name: 'shop-canary' };
    const body = { metadata: { labels: { 'haldane.dev/revision': here.stable.revision } } };
    await here.cluster.api.patch(DEPLOYMENTS, at, { type: 'merge', body });
    await here.cluster.pass(100);
    const seen = await here.router.observe(OWNED);
    assert.deepEqual(
      seen.split?.weights.map(({ revision }) => revision.replace(here.stable.revision, 'B')),
      ['B', 'B~spare'],
    );
    await inForce(here, sampleSplit(here.stable.revision));
    assert.equal(weights(await route(here)), 'shop 10000, shop-canary 0');
    await here.cluster.stop();
  });
});

test('a kind that it does not read, and that cannot be read, keeps no way back waiting (I3)', async () => {
  const here = await routedWorld(OWNED);
  const { api, caches, clock } = here.cluster;
  const all = { ...caches, mutatingPolicies: neverRead(api) };
  const router = new GatewayApiRouter({ api, caches: all, clock, log: silentLog });
  const back = sampleSplit(here.stable.revision, { revision: here.canary.revision, weightPercent: 0 });
  assert.equal((await router.ensure(OWNED, back, [here.stable, here.canary])).kind, 'progressing');
  assert.notEqual(await here.cluster.api.get(HTTP_ROUTES, { namespace: 'default', name: 'shop' }), null);
  await here.cluster.stop();
});
