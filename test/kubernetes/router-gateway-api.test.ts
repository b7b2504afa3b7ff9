// HTTPRoutes on a real cluster, behind every Gateway that the environment tells of: weights as the data plane shows them,
// and users who lose nothing.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Route } from '../../src/adapters/routers/gateway-api/route.ts';
import { adoptRoute, GatewayApiRouter } from '../../src/adapters/routers/gateway-api.ts';
import type { ReleasePolicy, GatewayApiRouter as RouterPolicy } from '../../src/core/model/policy.ts';
import { HTTP_ROUTES, SERVICES } from '../../src/kubernetes/index.ts';
import { silentLog } from '../../src/lib/log.ts';
import { noCluster } from './cluster.ts';
import { ask, type GatewayAt, gateways, isChance, Routed, requestsSeen, tally, until, withUsers } from './routed.ts';

const REQUESTS = 4_000;

function routerFor({ api, caches, clock }: Routed): GatewayApiRouter {
  return new GatewayApiRouter({ api, caches, clock, log: silentLog });
}

function routed(at: GatewayAt, space: Routed, more: Partial<RouterPolicy> = {}): ReleasePolicy {
  return space.policy({
    kind: 'gatewayApi',
    service: 'shop',
    port: null,
    route: {
      kind: 'owned',
      name: 'shop',
      parents: [{ name: at.name, namespace: at.namespace, sectionName: null, port: null }],
      hostnames: [space.host],
      matches: [{ path: '/', type: 'PathPrefix' }],
    },
    mirrorPercent: null,
    settleMs: 1_000,
    ...more,
  });
}

/** Until the Gateway answers for this host at all. */
async function served(at: GatewayAt, space: Routed): Promise<void> {
  await until('the route answers', async () => (await ask(at.url, { host: space.host })).status === 200);
}

async function routeOf({ api, space }: Routed, name: string): Promise<Route> {
  const found = await api.get<Route>(HTTP_ROUTES, { namespace: space.name, name });
  assert.ok(found);
  return found;
}

const none =
  noCluster || (gateways().length === 0 ? 'the environment tells of no Gateway (HALDANE_E2E_URL_GATEWAY_API)' : false);

describe('an HTTPRoute on a cluster', { skip: none }, () => {
  for (const at of gateways()) {
    describe(`owned, ${at.title}`, () => owned(at));
    describe(`adopted, ${at.title}`, () => adopted(at));
  }
});

function owned(at: GatewayAt): void {
  let space: Routed;
  let router: GatewayApiRouter;
  let policy: ReleasePolicy;
  let headers: { readonly host: string };
  let stopWatching = () => {};

  before(async () => {
    space = new Routed(false);
    router = routerFor(space);
    policy = routed(at, space);
    headers = { host: space.host };
    await space.start();
    stopWatching = router.watch(policy, () => {});
    await space.put(router, policy, space.split(policy, 0));
    await served(at, space);
  });

  after(async () => {
    stopWatching();
    await space.end();
  });

  for (const percent of [0.5, 5, 50, 0]) {
    test(`${percent} % is what ${REQUESTS} requests see, within what chance does once in a million`, async () => {
      await space.put(router, policy, space.split(policy, percent));
      const seen = await tally(at.url, headers, REQUESTS);
      assert.deepEqual(
        Object.keys(seen).filter((key) => key !== 'v1' && key !== 'v2'),
        [],
      );
      assert.ok(isChance(seen.v2 ?? 0, REQUESTS, percent), JSON.stringify(seen));
    });
  }

  test('40 changes of the weight under load lose no request', async () => {
    const quick = routed(at, space, { settleMs: 200 });
    const { lost, answered } = await withUsers({ url: at.url, host: space.host, kind: 'both' }, async () => {
      for (let change = 0; change < 40; change += 1) {
        await space.put(router, quick, space.split(quick, [5, 20, 50, 80, 0][change % 5] ?? 0));
      }
    });
    assert.deepEqual(lost, []);
    assert.ok((answered.v2 ?? 0) > 20 && (answered.v1 ?? 0) > 20, JSON.stringify(answered));
  });

  test('requests of the audience, by a header or a cookie, get the canary, all others as the weight says', async () => {
    const revision = space.revisions(policy).canary;
    const byHeader = { header: { name: 'canary', value: 'yes' }, revision };
    const byCookie = { cookie: { name: 'beta', value: '1' }, revision };
    await space.put(router, policy, space.split(policy, 1, { rules: [byHeader, byCookie] }));
    assert.deepEqual(await tally(at.url, { ...headers, cookie: 'a=b; beta=1; c=d' }, 200), { v2: 200 });
    assert.ok(isChance((await tally(at.url, { ...headers, cookie: 'beta=10' }, 500)).v2 ?? 0, 500, 1));
    assert.deepEqual(await tally(at.url, { ...headers, canary: 'yes' }, 200), { v2: 200 });
    assert.ok(isChance((await tally(at.url, { ...headers, canary: 'no' }, 500)).v2 ?? 0, 500, 1));
    await space.put(router, policy, space.split(policy, 1));
    assert.ok(isChance((await tally(at.url, { ...headers, canary: 'yes' }, 500)).v2 ?? 0, 500, 1));
  });

  test('a user keeps the version first given, by a cookie', async () => {
    const affinity = { cookie: 'version', ttlSeconds: 600 };
    await space.put(router, policy, space.split(policy, 50, { affinity }));
    const given = new Map<string, string>();
    for (let tries = 0; given.size < 2 && tries < 100; tries += 1) {
      const { version, cookies } = await ask(at.url, headers);
      given.set(version, cookies[0]?.split(';')[0] ?? '');
    }
    for (const [version, cookie] of given) {
      assert.deepEqual(await tally(at.url, { ...headers, cookie: `other=1; ${cookie}` }, 100), { [version]: 100 });
    }
    assert.equal(given.size, 2);
  });

  test('a mirror sends a copy to the canary, or is refused where it would break the route', async () => {
    const mirroring = routed(at, space, { mirrorPercent: 100 });
    await space.put(router, policy, space.split(policy, 0));
    const split = space.split(policy, 0.01);
    if (!at.canMirror) {
      const result = await router.ensure(mirroring, split, space.backends(mirroring));
      assert.match(JSON.stringify(result), /rejected.*cannot mirror/);
      assert.deepEqual(await tally(at.url, headers, 50), { v1: 50 });
      return;
    }
    await space.put(router, mirroring, split);
    const total = async () => {
      const counts = await Promise.all(space.endpoints('canary').map((address) => requestsSeen(address)));
      return counts.reduce((sum, count) => sum + count, 0);
    };
    const beforeAll = await total();
    const seen = await tally(at.url, headers, 300);
    assert.ok((seen.v1 ?? 0) >= 298, JSON.stringify(seen));
    await until('the copies arrive', async () => (await total()) - beforeAll >= 300);
  });

  test('given back under load: nothing lost, nothing of Haldane left', async () => {
    await space.put(router, policy, space.split(policy, 20));
    const { lost } = await withUsers({ url: at.url, host: space.host, kind: 'both' }, async () => {
      await space.put(router, policy, space.split(policy, 0));
      await until('drained', async () => Object.keys(await router.inFlight(policy)).length === 0);
      space.space.must(['delete', 'deployment', 'shop-canary', '--wait=true']);
      await until('handed back', async () => {
        await router.handBack(policy);
        return true;
      });
      await delay(2_000);
    });
    assert.deepEqual(lost, []);
    const left = await routeOf(space, 'shop');
    assert.deepEqual([left.metadata.labels ?? {}, left.metadata.annotations ?? {}], [{}, {}]);
    assert.equal(await space.api.get(SERVICES, { namespace: space.space.name, name: 'shop-canary' }), null);
    assert.deepEqual(await tally(at.url, headers, 50), { v1: 50 });
  });
}

function gitRoute(at: GatewayAt, space: Routed, isPlain: boolean): object {
  const main = {
    matches: [{ path: { type: 'PathPrefix', value: '/' } }],
    backendRefs: [{ name: 'shop', port: 80 }],
  };
  const other = {
    matches: [{ path: { type: 'PathPrefix', value: '/other' }, headers: [{ name: 'x-a', value: 'b' }] }],
    filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-c', value: 'd' }] } }],
    backendRefs: [{ name: 'shop', port: 80, weight: 7 }],
    timeouts: { request: '10s' },
  };
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'git', annotations: { owner: 'team' } },
    spec: {
      parentRefs: [{ name: at.name, namespace: at.namespace }],
      hostnames: [space.host],
      rules: isPlain ? [main] : [other, main],
    },
  };
}

function adopted(at: GatewayAt): void {
  let space: Routed;
  let router: GatewayApiRouter;
  let policy: ReleasePolicy;
  let stopWatching = () => {};

  before(async () => {
    space = new Routed(false);
    router = routerFor(space);
    policy = routed(at, space, { route: { kind: 'adopted', name: 'git' } });
    await space.start();
    space.apply(gitRoute(at, space, false));
    await served(at, space);
    stopWatching = router.watch(policy, () => {});
    await until('the route is seen', async () => (await router.observe(policy)).state === 'converged');
  });

  after(async () => {
    stopWatching();
    await space.end();
  });

  const other = (route: Route) =>
    JSON.stringify(route.spec, (key, value) => (key === 'backendRefs' ? undefined : value));

  test('row 57: rules, filters and time-outs stay byte for byte, and the weights come back as they were', async () => {
    const first = await routeOf(space, 'git');
    await space.put(router, policy, space.split(policy, 30));
    const during = await routeOf(space, 'git');
    assert.equal(other(during), other(first));
    const seen = await tally(at.url, { host: space.host }, 1_000);
    assert.ok(isChance(seen.v2 ?? 0, 1_000, 30), JSON.stringify(seen));
    await space.put(router, policy, space.split(policy, 0));
    space.space.must(['delete', 'deployment', 'shop-canary', '--wait=true']);
    await until('as before', async () => {
      return JSON.stringify((await routeOf(space, 'git')).spec) === JSON.stringify(first.spec);
    });
    await until('released', async () => {
      const { metadata } = await routeOf(space, 'git');
      return !JSON.stringify(metadata.managedFields?.filter(({ manager }) => manager === 'haldane')).includes(
        'f:rules',
      );
    });
    space.apply(gitRoute(at, space, false), 'git', false);
    space.startCanary();
    await until('the canary is back', async () => space.endpoints('canary').length === 2);
  });

  test('a tool that writes the weights back twice in a minute is named, with the fix; the way back stays open', async () => {
    await space.put(router, policy, space.split(policy, 30));
    space.apply(gitRoute(at, space, false), 'argocd-controller');
    await until('drift is seen', async () => (await router.observe(policy)).split?.weights[1] === undefined);
    await until('drift is set right', async () => {
      await router.ensure(policy, space.split(policy, 30), space.backends(policy));
      return (await router.observe(policy)).split?.weights[1]?.weightPercent === 30;
    });
    space.apply(gitRoute(at, space, false), 'argocd-controller');
    await until('named', async () => {
      const result = await router.ensure(policy, space.split(policy, 30), space.backends(policy));
      return result.kind === 'rejected' && /argocd-controller.*jqPathExpressions/.test(result.reason);
    });
    assert.equal((await router.observe(policy)).state, 'rejected');
    await space.put(router, policy, space.split(policy, 0));
  });

  test('adopted into an owned route under load: nothing lost while git drops its own', async () => {
    space.apply(gitRoute(at, space, true), 'argocd-controller');
    const fresh = routerFor(space);
    const { lost, answered } = await withUsers({ url: at.url, host: space.host, kind: 'both' }, async () => {
      await space.put(fresh, policy, space.split(policy, 20));
      const { route } = await adoptRoute(space.api, policy);
      await space.put(fresh, policy, space.split(policy, 30));
      const owned = routed(at, space, { route });
      await space.put(fresh, owned, space.split(owned, 40));
      space.space.must(['delete', 'httproute', 'git']);
      await space.put(fresh, owned, space.split(owned, 60));
      await delay(1_000);
      const seen = await tally(at.url, { host: space.host }, 1_000);
      assert.ok(isChance(seen.v2 ?? 0, 1_000, 60), JSON.stringify(seen));
    });
    assert.deepEqual(lost, []);
    assert.ok((answered.v2 ?? 0) > 100, JSON.stringify(answered));
  });
}
