import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { type TestContext, test } from 'node:test';
import { userBucket } from '../../src/core/model/bucketing.ts';
import type { GatewayConfig } from '../../src/core/model/gateway.ts';
import { errorSample } from '../../src/core/model/http-counts.ts';
import { snapshotOf } from '../../src/gateway/snapshot.ts';
import { CANARY, counted, openGateway, openHttp, STABLE, seeded, splitConfig } from './harness.ts';

interface Answer {
  readonly version: string;
  readonly setCookie: string | undefined;
}

async function twoVersions(t: TestContext) {
  const stable = await openHttp(t, (_req, res) => res.end('stable'));
  const canary = await openHttp(t, (_req, res) => res.end('canary'));
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  t.after(() => agent.destroy());
  return {
    stable: stable.port,
    canary: canary.port,
    ask: (port: number, headers: Record<string, string> = {}): Promise<Answer> =>
      new Promise((resolve, reject) => {
        const req = request({ port, host: '127.0.0.1', headers, agent }, (res) => {
          let version = '';
          res.on('data', (part) => {
            version += part;
          });
          res.on('end', () => resolve({ version, setCookie: res.headers['set-cookie']?.[0] }));
        });
        req.on('error', reject).end();
      }),
  };
}

test('without a user key each request is drawn: shares lie within their 99.9 % binomial bounds', async (t) => {
  const { stable, canary, ask } = await twoVersions(t);
  const requests = 3_000;
  for (const [weight, seed] of [
    [1, 11],
    [25, 12],
    [50, 13],
  ] as const) {
    const { gateway, port } = await openGateway(t, splitConfig(stable, canary, weight), seeded(seed));
    for (let i = 0; i < requests; i += 20) await Promise.all(Array.from({ length: 20 }, () => ask(port)));
    const seen = counted(gateway, 200, CANARY);
    const share = weight / 100;
    const bound = 3.29 * Math.sqrt(requests * share * (1 - share));
    assert.ok(Math.abs(seen - requests * share) <= bound, `weight ${weight}: ${seen} of ${requests}`);
    assert.equal(seen + counted(gateway, 200, STABLE), requests);
  }
});

test('weights go down to 0.01 %: of 20,000 draws just those below it are sent to the canary', async (t) => {
  const { stable, canary, ask } = await twoVersions(t);
  const draws = [0.00009, 0.0001, 0.00011, 0];
  let next = 0;
  const { port } = await openGateway(t, splitConfig(stable, canary, 0.01), () => draws[next++] as number);
  const seen = [];
  for (let i = 0; i < draws.length; i++) seen.push((await ask(port)).version);
  assert.deepEqual(seen, ['canary', 'stable', 'stable', 'canary']);
});

test('a user stays put while the weight ramps up, and leaves last-in-first-out while it ramps down', async (t) => {
  const { stable, canary, ask } = await twoVersions(t);
  const users = Array.from({ length: 60 }, (_, i) => `user-${i}`);
  const { gateway, port } = await openGateway(
    t,
    splitConfig(stable, canary, 0, { split: { userKey: { cookie: 'uid' } } }),
  );
  let generation = 1;
  for (const weight of [0, 5, 25, 50, 100, 50, 25, 5, 0]) {
    generation += 1;
    await gateway.apply({
      ...splitConfig(stable, canary, weight, { split: { userKey: { cookie: 'uid' } } }),
      generation,
      listen: (gateway.config as GatewayConfig).listen,
    });
    for (const user of users) {
      const { version } = await ask(port, { cookie: `a=b; uid=${user}; uidx=zz` });
      const expected = userBucket('shop', 'release-1', user) < weight ? 'canary' : 'stable';
      assert.equal(version, expected, `${user} at ${weight}`);
    }
  }
  assert.equal(snapshotOf(gateway).users[STABLE], 60);
  assert.equal(snapshotOf(gateway).users[CANARY], 60);
});

test('the user key comes from the cookie first, else from the header, else by chance', async (t) => {
  const { stable, canary, ask } = await twoVersions(t);
  const split = { userKey: { cookie: 'uid', header: 'X-User' } };
  const inside = Array.from({ length: 100 }, (_, i) => `u${i}`).find(
    (user) => userBucket('shop', 'release-1', user) < 10,
  ) as string;
  const outside = Array.from({ length: 100 }, (_, i) => `u${i}`).find(
    (user) => userBucket('shop', 'release-1', user) >= 10,
  ) as string;
  const { port } = await openGateway(t, splitConfig(stable, canary, 10, { split }), () => 0.05);
  assert.equal((await ask(port, { cookie: `uid=${outside}`, 'x-user': inside })).version, 'stable');
  assert.equal((await ask(port, { cookie: 'uid=', 'x-user': inside })).version, 'canary');
  assert.equal((await ask(port, { 'x-user': outside })).version, 'stable');
  assert.equal((await ask(port)).version, 'canary');
});

test('rules come first, in their order, by header and by cookie, exactly', async (t) => {
  const { stable, canary, ask } = await twoVersions(t);
  const rules = [
    { header: { name: 'Canary', value: 'never' }, revision: STABLE },
    { header: { name: 'Canary', value: 'true' }, revision: CANARY },
    { cookie: { name: 'team', value: 'blue' }, revision: CANARY },
    { header: { name: 'x-a', value: '1' }, cookie: { name: 'b', value: '2' }, revision: CANARY },
  ];
  const { port } = await openGateway(t, splitConfig(stable, canary, 0, { split: { rules } }));
  const cases: readonly (readonly [string, Record<string, string>])[] = [
    ['canary', { canary: 'true' }],
    ['canary', { CANARY: ' true ' }],
    ['stable', { canary: 'TRUE' }],
    ['stable', { canary: 'never', cookie: 'team=blue' }],
    ['canary', { cookie: 'x=team=blue; team=blue' }],
    ['stable', { cookie: 'xteam=blue' }],
    ['stable', { cookie: 'team=bluest' }],
    ['canary', { 'x-a': '1', cookie: 'b="2"' }],
    ['stable', { 'x-a': '1' }],
    ['stable', {}],
  ];
  for (const [expected, headers] of cases)
    assert.equal((await ask(port, headers)).version, expected, JSON.stringify(headers));
});

test('requests a rule sent are counted apart: they are exposure, and no sample of the users (I8)', async (t) => {
  const { stable, canary, ask } = await twoVersions(t);
  const rules = [{ header: { name: 'canary', value: 'true' }, revision: CANARY }];
  const routes = [{ name: 'front', pattern: '/' }];
  const { port, gateway } = await openGateway(t, splitConfig(stable, canary, 0, { split: { rules }, routes }));
  for (let i = 0; i < 3; i++) await ask(port, { canary: 'true' });
  await ask(port);
  const { cells } = snapshotOf(gateway);
  const counted = cells.map(({ revision, route, count }) => [revision, route, count]);
  assert.deepEqual(
    counted.sort(),
    [
      [CANARY, 'audience', 3],
      [STABLE, 'front', 1],
    ].sort(),
  );
  const all = { routes: null, methods: null };
  const errors = { ...all, exceptRoutes: [], statusClasses: [], statusCodes: [200], endings: [], retryHeader: null };
  assert.deepEqual(errorSample(cells, CANARY, errors, all), { kind: 'proportion', total: 0, bad: 0 });
});

test('affinity keeps a user at the version first given; the cookie is only set when it is assigned', async (t) => {
  const { stable, canary, ask } = await twoVersions(t);
  const split = { affinity: { cookie: 'haldane', ttlSeconds: 3_600 } };
  const draws = [0.01, 0.9];
  const { port } = await openGateway(t, splitConfig(stable, canary, 5, { split }), () => draws.shift() ?? 0.5);
  const first = await ask(port);
  assert.equal(first.version, 'canary');
  assert.equal(first.setCookie, `haldane=${CANARY}; Max-Age=3600; Path=/; HttpOnly; SameSite=Lax`);
  const cookie = `haldane=${CANARY}`;
  for (let i = 0; i < 5; i++)
    assert.deepEqual(await ask(port, { cookie }), { version: 'canary', setCookie: undefined });
  assert.equal((await ask(port, { cookie: 'haldane=unknown-9' })).setCookie?.split(';')[0], `haldane=${STABLE}`);
});

test('an abort takes effect with the next request: affinity to a version of weight 0 is ignored', async (t) => {
  const { stable, canary, ask } = await twoVersions(t);
  const split = { affinity: { cookie: 'haldane', ttlSeconds: 3_600 } };
  const { gateway, port } = await openGateway(t, splitConfig(stable, canary, 50, { split }), () => 0.1);
  const cookie = `haldane=${CANARY}`;
  assert.equal((await ask(port, { cookie })).version, 'canary');
  await gateway.apply({ ...splitConfig(stable, canary, 0, { split }), generation: 2 });
  const after = await ask(port, { cookie });
  assert.equal(after.version, 'stable');
  assert.equal(after.setCookie?.split(';')[0], `haldane=${STABLE}`);
});

test('row 17: a split that would send requests to nothing, or names unknown versions, is refused and the last one stays', async (t) => {
  const { stable, canary, ask } = await twoVersions(t);
  const { gateway, port } = await openGateway(t, splitConfig(stable, canary, 0));
  const { parseConfig } = await import('../../src/gateway/config-schema.ts');
  const good = splitConfig(stable, canary, 10);
  const versions = [
    good.versions[0] as (typeof good.versions)[number],
    { revision: CANARY, label: 'v2', endpoints: [] },
  ];
  const bad: readonly (readonly [RegExp, unknown])[] = [
    [/no endpoint/, { ...good, versions }],
    [/not among/, { ...good, split: { ...good.split, weights: [{ revision: 'zz', weightPercent: 100 }] } }],
    [/add up to 90/, { ...good, split: { ...good.split, weights: [{ revision: STABLE, weightPercent: 90 }] } }],
    [
      /finer than/,
      {
        ...good,
        split: {
          ...good.split,
          weights: [
            { revision: STABLE, weightPercent: 99.999 },
            { revision: CANARY, weightPercent: 0.001 },
          ],
        },
      },
    ],
    [/nrecognized/, { ...good, colour: 'blue' }],
    [/there twice/, { ...good, versions: [...good.versions, good.versions[0]] }],
    [/header or a cookie/, { ...good, split: { ...good.split, rules: [{ revision: CANARY }] } }],
  ];
  for (const [message, config] of bad) assert.throws(() => parseConfig(config), message);
  assert.equal((await ask(port)).version, 'stable');
  assert.equal(gateway.config?.generation, 1);
});

test('an older generation is refused, the same one with the same content is accepted as done', async (t) => {
  const { stable, canary } = await twoVersions(t);
  const { gateway } = await openGateway(t, { ...splitConfig(stable, canary, 10), generation: 5 });
  await assert.rejects(gateway.apply({ ...splitConfig(stable, canary, 20), generation: 5 }), {
    code: 'gateway-config-stale',
  });
  await assert.rejects(gateway.apply({ ...splitConfig(stable, canary, 10), generation: 4 }), {
    code: 'gateway-config-stale',
  });
  assert.equal(await gateway.apply({ ...splitConfig(stable, canary, 10), generation: 5 }), false);
});

test('100 changes of the split under load lose nothing, and every request is counted once', async (t) => {
  const { stable, canary, ask } = await twoVersions(t);
  const { gateway, port } = await openGateway(t, splitConfig(stable, canary, 0));
  let done = false;
  let sent = 0;
  let lost = 0;
  const users = Array.from({ length: 8 }, async () => {
    while (!done) {
      sent += 1;
      await ask(port).catch(() => {
        lost += 1;
      });
    }
  });
  for (let change = 1; change <= 100; change++) {
    await gateway.apply({ ...splitConfig(stable, canary, change), generation: change + 1 });
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  done = true;
  await Promise.all(users);
  assert.equal(lost, 0);
  assert.equal(counted(gateway, 200, STABLE) + counted(gateway, 200, CANARY), sent);
});

test('a version that leaves the configuration keeps its counts, and its requests in flight until they end', async (t) => {
  let finish: (() => void) | undefined;
  const stable = await openHttp(t, (_req, res) => res.end('stable'));
  const canary = await openHttp(t, (_req, res) => {
    finish = () => res.end('canary');
  });
  const { gateway, port } = await openGateway(t, splitConfig(stable.port, canary.port, 100), seeded(1));
  const pending = fetch(`http://127.0.0.1:${port}/`);
  while (finish === undefined) await new Promise((resolve) => setTimeout(resolve, 2));
  const alone = splitConfig(stable.port, canary.port, 0);
  await gateway.apply({
    ...alone,
    generation: 2,
    versions: alone.versions.slice(0, 1),
    split: {
      ...alone.split,
      weights: alone.split.weights.slice(0, 1).map((entry) => ({ ...entry, weightPercent: 100 })),
    },
  });
  assert.deepEqual(snapshotOf(gateway).inFlight, { [STABLE]: 0, [CANARY]: 1 });
  (finish as () => void)();
  assert.equal(await (await pending).text(), 'canary');
  assert.deepEqual(snapshotOf(gateway).inFlight, { [STABLE]: 0 });
  assert.equal(counted(gateway, 200, CANARY), 1);
});
