import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { MemoryKubeApi } from '../kubernetes/doubles/index.ts';
import {
  KubeError,
  type KubeObject,
  MUTATING_ADMISSION_POLICIES,
  MUTATING_ADMISSION_POLICY_BINDINGS,
  type Resource,
  ResourceCache,
  VALIDATING_ADMISSION_POLICIES,
  VALIDATING_ADMISSION_POLICY_BINDINGS,
} from '../kubernetes/index.ts';
import { silentLog } from '../lib/log.ts';
import { exemptAccount, holdOf, stampOf } from './admission.ts';
import { EXEMPT_ACCOUNT } from './names.ts';

const KINDS = {
  mutatingPolicies: MUTATING_ADMISSION_POLICIES,
  mutatingBindings: MUTATING_ADMISSION_POLICY_BINDINGS,
  validatingPolicies: VALIDATING_ADMISSION_POLICIES,
  validatingBindings: VALIDATING_ADMISSION_POLICY_BINDINGS,
} as const;

const delivered = parseAllDocuments(readFileSync(join(import.meta.dirname, '../../deploy/admission.yaml'), 'utf8')).map(
  (document) => document.toJS() as KubeObject,
);

type Caches = Readonly<Record<keyof typeof KINDS, ResourceCache>>;

class World {
  readonly api = new MemoryKubeApi();
  readonly caches = Object.fromEntries(
    Object.entries(KINDS).map(([name, resource]) => [name, this.#cache(resource)]),
  ) as Caches;

  async install(isMeant: (object: KubeObject) => boolean = () => true): Promise<void> {
    for (const object of delivered.filter(isMeant)) {
      const resource = Object.values(KINDS).find(({ kind }) => kind === object.kind);
      if (resource !== undefined) await this.api.create(resource, object);
    }
  }

  async look(): Promise<void> {
    for (const cache of Object.values(this.caches)) cache.start();
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  #cache(resource: Resource): ResourceCache {
    const sleep = () => new Promise<void>((resolve) => setImmediate(resolve));
    return new ResourceCache({
      api: this.api,
      resource,
      clock: { now: () => 0, sleep },
      random: () => 0,
      log: silentLog,
    });
  }
}

async function inWorld(body: (world: World) => Promise<void>): Promise<void> {
  const world = new World();
  try {
    await body(world);
  } finally {
    await Promise.all(Object.values(world.caches).map((cache) => cache.stop()));
  }
}

const failsWith = (world: World, status: number, message: string) => {
  world.api.intercept = (verb) => {
    throw new KubeError(verb, status, { message });
  };
};

describe('what the API server does by itself', () => {
  test('row 74: as delivered it is there, for the account that it exempts and for no other', () =>
    inWorld(async (world) => {
      await world.install();
      await world.look();
      assert.deepEqual(holdOf(world.caches, EXEMPT_ACCOUNT), { kind: 'there' });
      assert.deepEqual(holdOf(world.caches, null), { kind: 'there' });
      assert.deepEqual(stampOf(world.caches), { kind: 'there' });
      const stranger = holdOf(world.caches, 'ann');
      assert.equal(stranger.kind, 'stranger');
      assert.match(JSON.stringify(stranger), /runs as ann.*exempts system:serviceaccount:haldane-system:haldane/);
    }));

  test('row 74: a kind that the cluster does not serve is missing, not unknown', () =>
    inWorld(async (world) => {
      failsWith(world, 404, '404 page not found');
      await world.look();
      assert.equal(holdOf(world.caches, null).kind, 'missing');
      assert.equal(stampOf(world.caches).kind, 'missing');
    }));

  for (const [status, message] of [
    [403, 'mutatingadmissionpolicies is forbidden'],
    [503, 'the API server is starting'],
    [404, '<html>a page of a proxy</html>'],
  ] as const) {
    test(`row 71: ${status} ${message}: not known, and neither there nor missing`, () =>
      inWorld(async (world) => {
        failsWith(world, status, message);
        await world.look();
        for (const found of [holdOf(world.caches, EXEMPT_ACCOUNT), stampOf(world.caches)]) {
          assert.equal(found.kind, 'unknown');
          assert.ok(JSON.stringify(found).includes(message));
        }
      }));
  }

  test('what was not asked yet is not known', () =>
    inWorld(async (world) => {
      await world.install();
      assert.equal(holdOf(world.caches, EXEMPT_ACCOUNT).kind, 'unknown');
    }));

  for (const [what, isMeant, why] of [
    ['no haldane-hold', ({ metadata }) => metadata.name !== 'haldane-hold', /haldane-hold is not installed/],
    [
      'no binding of haldane-hold',
      ({ kind, metadata }) => metadata.name !== 'haldane-hold' || kind === 'MutatingAdmissionPolicy',
      /haldane-hold is not bound/,
    ],
  ] as readonly (readonly [string, (object: KubeObject) => boolean, RegExp])[]) {
    test(`row 74: ${what} is no hold`, () =>
      inWorld(async (world) => {
        await world.install(isMeant);
        await world.look();
        const hold = holdOf(world.caches, EXEMPT_ACCOUNT);
        assert.equal(hold.kind, 'missing');
        assert.match(JSON.stringify(hold), why);
        assert.equal(stampOf(world.caches).kind, 'there');
      }));
  }

  test('commands that are only audited are not checked', () =>
    inWorld(async (world) => {
      await world.install();
      const body = { spec: { validationActions: ['Audit'] } };
      await world.api.patch(VALIDATING_ADMISSION_POLICY_BINDINGS, { name: 'haldane-verbs' }, { type: 'merge', body });
      await world.look();
      assert.equal(stampOf(world.caches).kind, 'missing');
      assert.equal(holdOf(world.caches, EXEMPT_ACCOUNT).kind, 'there');
    }));

  test('every policy that lets somebody through lets through the account of the install', () => {
    const exempt = delivered.map(exemptAccount).filter((account) => account !== null);
    assert.deepEqual([...new Set(exempt)], [EXEMPT_ACCOUNT]);
    assert.equal(exempt.length, 5);
  });
});
