import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Split } from '../../../core/model/split.ts';
import { HTTP_ROUTES } from '../../../kubernetes/index.ts';
import { sampleSplit } from '../../../ports/doubles/index.ts';
import type { EnsureResult } from '../../../ports/index.ts';
import { adoptRoute } from '../gateway-api.ts';
import { planAdopted } from './adopted.ts';
import { Fights } from './fights.ts';
import type { HttpRouteSpec, Route } from './route.ts';
import { ADOPTED_SPEC, gatewayApiPolicy, type RoutedWorld, routedWorld } from './test-world.ts';

const POLICY = gatewayApiPolicy({ route: { kind: 'adopted', name: 'shop' } });
const PAIR = { namespace: 'default', stable: 'shop', canary: 'shop-canary', port: 80 };
const AT = { namespace: 'default', name: 'shop' };

async function asked(here: RoutedWorld, split: Split, policy = here.policy): Promise<EnsureResult> {
  const result = await here.router.ensure(policy, split, [here.stable, here.canary]);
  await here.cluster.pass(1_000);
  return result;
}

async function inForce(here: RoutedWorld, split: Split, policy = here.policy): Promise<void> {
  for (let looks = 0; looks < 20; looks += 1) {
    if ((await asked(here, split, policy)).kind === 'converged') return;
  }
  assert.fail(`never in force: ${JSON.stringify(await here.router.observe(policy))}`);
}

function divided({ stable, canary }: RoutedWorld, percent: number): Split {
  return sampleSplit(stable.revision, { revision: canary.revision, weightPercent: percent });
}

async function route(here: RoutedWorld, name = 'shop'): Promise<Route> {
  const found = await here.cluster.api.get<Route>(HTTP_ROUTES, { namespace: 'default', name });
  assert.ok(found);
  return found;
}

/** As a tool that applies what is in git, whatever is there. */
async function reapply(here: RoutedWorld, manager: string): Promise<void> {
  const time = '2026-01-02T00:00:00Z';
  const fieldsV1 = { 'f:spec': { 'f:rules': {} } };
  const body = { spec: ADOPTED_SPEC, metadata: { managedFields: [{ manager, operation: 'Apply', time, fieldsV1 }] } };
  await here.cluster.api.patch(HTTP_ROUTES, AT, { type: 'merge', body });
  await here.cluster.pass(1_000);
}

describe('an adopted route', () => {
  test('row 57: of all its bytes only the weights of the two backends change, and they come back', async () => {
    const here = await routedWorld(POLICY);
    await inForce(here, divided(here, 5));
    const during = (await route(here)).spec;
    assert.deepEqual(during.rules?.[1]?.backendRefs, [
      { group: '', kind: 'Service', name: 'shop', port: 80, weight: 9500 },
      { group: '', kind: 'Service', name: 'shop-canary', port: 80, weight: 500 },
    ]);
    const without = (spec: HttpRouteSpec) => JSON.stringify(spec, (key, value) => (key === 'backendRefs' ? '' : value));
    assert.equal(without(during), without(ADOPTED_SPEC));
    assert.deepEqual(during.rules?.[0], ADOPTED_SPEC.rules[0]);
    const stop = here.router.watch(POLICY, () => {});
    await inForce(here, sampleSplit(here.stable.revision));
    await here.cluster.remove(here.v2);
    for (let turn = 0; turn < 5; turn += 1) await here.cluster.pass(100);
    assert.equal(JSON.stringify((await route(here)).spec), JSON.stringify(ADOPTED_SPEC));
    stop();
    await here.cluster.stop();
  });

  test('row 56: written back once it is set right', async () => {
    const here = await routedWorld(POLICY);
    await inForce(here, divided(here, 5));
    await reapply(here, 'argocd-controller');
    assert.notEqual((await here.router.observe(POLICY)).split?.weights[1]?.weightPercent, 5);
    await inForce(here, divided(here, 5));
    await here.cluster.stop();
  });

  test('row 59: written back twice within a minute it is a fight: held, the other named, the fix told', async () => {
    const here = await routedWorld(POLICY);
    await inForce(here, divided(here, 5));
    await reapply(here, 'argocd-controller');
    await inForce(here, divided(here, 5));
    await reapply(here, 'argocd-controller');
    const before = JSON.stringify(await route(here));
    const result = await asked(here, divided(here, 5));
    const reason = result.kind === 'rejected' ? result.reason : '';
    assert.match(reason, /argocd-controller writes the weights of HTTPRoute shop back/);
    assert.match(reason, /jqPathExpressions.*kubectl haldane adopt shop/);
    const seen = await here.router.observe(POLICY);
    assert.deepEqual([seen.state, seen.reason], ['rejected', reason]);
    assert.equal(JSON.stringify(await route(here)), before);
    await here.cluster.stop();
  });

  test('row 59: written back once it is set right, though the data plane writes its status meanwhile', async () => {
    const here = await routedWorld(POLICY);
    await inForce(here, divided(here, 10));
    await reapply(here, 'git-tool');
    for (const note of ['a', 'b', 'c']) {
      await here.router.observe(POLICY);
      const body = { status: { note, ...((await route(here)).status ?? {}) } };
      await here.cluster.api.patch(HTTP_ROUTES, AT, { type: 'merge', body }, { subresource: 'status' });
      await here.cluster.pass(100);
    }
    await inForce(here, divided(here, 10));
    assert.equal((await here.router.observe(POLICY)).split?.weights[1]?.weightPercent, 10);
    await here.cluster.stop();
  });

  test('I3: in a fight the way back to stable is open', async () => {
    const here = await routedWorld(POLICY);
    await inForce(here, divided(here, 50));
    for (const manager of ['kustomize-controller', 'kustomize-controller']) {
      await reapply(here, manager);
      await asked(here, divided(here, 50));
      await asked(here, divided(here, 50));
    }
    assert.match(JSON.stringify(await asked(here, divided(here, 60))), /IfNotPresent/);
    await inForce(here, sampleSplit(here.stable.revision));
    assert.deepEqual(await here.router.inFlight(POLICY), {});
    await here.cluster.stop();
  });

  test('after five minutes it is tried again, and one more write-back is a fight again', () => {
    const at = (seconds: number) => ({ monotonicMs: seconds * 1_000, epoch: 'test', wallTime: '' });
    const fights = new Fights();
    fights.note('shop', '1', at(0));
    fights.note('shop', '1', at(30));
    assert.equal(fights.stands('shop', at(30)), false);
    fights.note('shop', '2', at(59));
    assert.deepEqual([fights.stands('shop', at(59)), fights.stands('shop', at(360))], [true, false]);
    fights.note('shop', '3', at(365));
    assert.equal(fights.stands('shop', at(365)), true);
    fights.note('shop', '4', at(1_000));
    assert.equal(fights.stands('shop', at(1_000)), false);
  });

  test('beside other backends the numbers of stable are divided, or the rule is refused with the fix', () => {
    const spec = (weight: number): HttpRouteSpec => ({
      rules: [
        {
          backendRefs: [
            { name: 'shop', port: 80, weight },
            { name: 'other', port: 80, weight: 100 },
          ],
        },
      ],
    });
    const asked = { canaryPercent: 5, hasCanary: true };
    const plan = planAdopted(spec(100), asked, PAIR, {});
    assert.ok('operations' in plan);
    assert.deepEqual(plan.operations[0], { op: 'add', path: '/spec/rules/0/backendRefs/0/weight', value: 95 });
    assert.match(JSON.stringify(planAdopted(spec(1), asked, PAIR, {})), /cannot be divided to 5 %/);
    assert.deepEqual(planAdopted(spec(0), asked, PAIR, {}), { operations: [], given: {} });
  });

  test('an audience and affinity are refused: they need rules of their own', async () => {
    const here = await routedWorld(POLICY);
    const rules = [{ header: { name: 'canary', value: 'yes' }, revision: here.canary.revision }];
    const result = await asked(here, { ...divided(here, 5), rules });
    assert.match(result.kind === 'rejected' ? result.reason : '', /write route: \{owned/);
    await here.cluster.stop();
  });

  test('a route without a rule for the Service, and no route at all, are said', async () => {
    const here = await routedWorld(POLICY);
    const rules = [ADOPTED_SPEC.rules[0]];
    await here.cluster.api.patch(HTTP_ROUTES, AT, { type: 'merge', body: { spec: { rules } } });
    await here.cluster.pass(100);
    assert.match(JSON.stringify(await asked(here, divided(here, 5))), /no rule of HTTPRoute shop sends to port 80/);
    await here.cluster.api.delete(HTTP_ROUTES, AT);
    await here.cluster.pass(100);
    assert.equal((await here.router.observe(POLICY)).state, 'absent');
    assert.match(JSON.stringify(await asked(here, divided(here, 5))), /there is no HTTPRoute shop/);
    await here.cluster.stop();
  });

  test('handed back, it is as its owner had it, byte by byte', async () => {
    const here = await routedWorld(POLICY);
    await inForce(here, divided(here, 5));
    await inForce(here, sampleSplit(here.stable.revision));
    for (let turn = 0; turn < 2; turn += 1) {
      await here.router.handBack(POLICY).catch(() => undefined);
      await here.cluster.pass(100);
    }
    await here.router.handBack(POLICY);
    const left = await route(here);
    assert.equal(JSON.stringify(left.spec), JSON.stringify(ADOPTED_SPEC));
    assert.equal(left.metadata.annotations?.['haldane.dev/split'], undefined);
    await here.cluster.stop();
  });

  test('row 25: 10,000 times the same question writes nothing', async () => {
    const here = await routedWorld(POLICY);
    await inForce(here, divided(here, 5));
    const calls = here.cluster.api.calls.length;
    for (let again = 0; again < 10_000; again += 1) await ask(here);
    assert.equal(here.cluster.api.calls.length, calls);
    await here.cluster.stop();
  });
});

const ask = (here: RoutedWorld) => here.router.ensure(POLICY, divided(here, 5), [here.stable, here.canary]);

describe('haldane adopt', () => {
  const PLAIN = {
    ...ADOPTED_SPEC,
    rules: [{ matches: ADOPTED_SPEC.rules[1]?.matches, backendRefs: ADOPTED_SPEC.rules[1]?.backendRefs }],
  };

  test('an owned route is made that says the same, and both carry the weights until the old one is gone', async () => {
    const here = await routedWorld(POLICY);
    await here.cluster.api.patch(HTTP_ROUTES, AT, { type: 'merge', body: { spec: PLAIN } });
    await here.cluster.pass(100);
    await inForce(here, divided(here, 5));
    const adopted = await adoptRoute(here.cluster.api, POLICY);
    assert.deepEqual([adopted.isNew, adopted.route.name, adopted.replaces], [true, 'shop-owned', 'shop']);
    assert.deepEqual(adopted.route.matches, [{ path: '/', type: 'PathPrefix' }]);
    assert.equal((await adoptRoute(here.cluster.api, POLICY)).isNew, false);
    await here.cluster.pass(100);
    const backends = async (name: string) =>
      (await route(here, name)).spec.rules?.[0]?.backendRefs?.map(({ weight }) => weight);
    assert.deepEqual(await backends('shop-owned'), [9500, 500]);
    // Before the policy is changed, and after.
    await inForce(here, divided(here, 10));
    assert.deepEqual(
      [await backends('shop'), await backends('shop-owned')],
      [
        [9000, 1000],
        [9000, 1000],
      ],
    );
    const owned = gatewayApiPolicy({ route: adopted.route });
    await inForce(here, divided(here, 20), owned);
    assert.deepEqual(
      [await backends('shop'), await backends('shop-owned')],
      [
        [8000, 2000],
        [8000, 2000],
      ],
    );
    await here.cluster.api.delete(HTTP_ROUTES, AT);
    await here.cluster.pass(100);
    await inForce(here, divided(here, 30), owned);
    assert.deepEqual(await backends('shop-owned'), [7000, 3000]);
    await here.cluster.stop();
  });

  test('what an owned route cannot say is refused by its name', async () => {
    const here = await routedWorld(POLICY);
    await assert.rejects(adoptRoute(here.cluster.api, POLICY), /timeouts/);
    await here.cluster.stop();
  });
});
