/** What src/kubernetes counts on, on a real API server: the sentences of its conformance suite, the wire, the lease. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { cacheOf, kubeApiConformance, realClock, until } from '../../src/kubernetes/conformance.ts';
import { fixedCredentials } from '../../src/kubernetes/credentials.ts';
import {
  ApiUnreachable,
  type ClusterConfig,
  CONFIG_MAPS,
  clusterConfigOf,
  DEPLOYMENTS,
  HttpKubeApi,
  isForbidden,
  isGone,
  isInvalid,
  isJsonPatchTestFailure,
  KubeError,
  LEASES,
  LeaderLease,
  NAMESPACES,
} from '../../src/kubernetes/index.ts';
import { silentLog } from '../../src/lib/log.ts';
import { noCluster } from './cluster.ts';
import { Relay } from './relay.ts';

const SKIP = { skip: noCluster };

const realConfig = () => clusterConfigOf({ kubeconfig: null, context: null, env: process.env });
const apiOf = (config: ClusterConfig) => new HttpKubeApi({ config, userAgent: 'haldane/test' });

async function inNamespace() {
  const api = apiOf(realConfig());
  const namespace = `api-${randomBytes(3).toString('hex')}`;
  await api.create(NAMESPACES, { metadata: { name: namespace } });
  const end = async () => {
    await api.delete(NAMESPACES, { name: namespace });
    await api.close();
  };
  return { api, namespace, end };
}

type Under = Awaited<ReturnType<typeof inNamespace>>;

const trial = (title: string, body: (under: Under) => Promise<void>) =>
  test(title, SKIP, async () => {
    const under = await inNamespace();
    try {
      await body(under);
    } finally {
      await under.end();
    }
  });

kubeApiConformance('a real API server', inNamespace, SKIP);

/** etcd is compacted every five minutes. */
const COMPACTED_AFTER_MS = 15 * 60_000;

describe('the errors of a real API server', () => {
  trial('row 71: a kind that is not served is an error, not an absence', async ({ api, namespace }) => {
    const unknown = { group: 'nobody.test', version: 'v1', plural: 'things', kind: 'Thing', namespaced: true };
    const unserved = { ...DEPLOYMENTS, plural: 'things' };
    for (const resource of [unknown, unserved]) {
      const missing = (error: unknown) => error instanceof KubeError && error.status === 404;
      await assert.rejects(api.get(resource, { namespace, name: 'a' }), missing);
      await assert.rejects(api.delete(resource, { namespace, name: 'a' }), missing);
    }
  });

  trial('an invalid object names its fields, and is no failed test of a JSON patch', async ({ api, namespace }) => {
    const object = { metadata: { namespace, name: 'shop' }, spec: { leaseDurationSeconds: -1 } };
    await assert.rejects(
      api.create(LEASES, object),
      (error) =>
        isInvalid(error) && !isJsonPatchTestFailure(error) && (error as KubeError).causes[0]?.field !== undefined,
    );
  });

  trial('a version from long ago is gone, and a watch from it says so', async ({ api }) => {
    // Before its first compaction a server remembers everything, and nothing is long ago.
    const system = await api.get(NAMESPACES, { name: 'kube-system' });
    const ageMs = Date.now() - Date.parse(system?.metadata.creationTimestamp ?? '');
    if (ageMs < COMPACTED_AFTER_MS) return;
    const { signal } = new AbortController();
    const watch = { resourceVersion: '1', signal, idleMs: 20_000, timeoutSeconds: 30 };
    const reading = (async () => {
      for await (const _event of api.watch(CONFIG_MAPS, watch));
    })();
    await assert.rejects(reading, isGone);
  });

  trial('a token that nobody knows is refused, a server elsewhere is unreachable', async ({ namespace }) => {
    const config = { ...realConfig(), credentials: fixedCredentials({ token: 'nobody' }) };
    await assert.rejects(
      apiOf(config).list(CONFIG_MAPS, { namespace }),
      (error) => isForbidden(error) || (error instanceof KubeError && error.status === 401),
    );
    await assert.rejects(apiOf({ ...config, ca: undefined }).list(CONFIG_MAPS, { namespace }), ApiUnreachable);
    const nowhere = { ...config, server: 'https://127.0.0.1:9' };
    await assert.rejects(apiOf(nowhere).list(CONFIG_MAPS, { namespace }), ApiUnreachable);
  });
});

describe('a watch of a real API server over a bad line', () => {
  for (const [what, harm] of [
    ['cut', (relay: Relay) => relay.cut()],
    ['half open', (relay: Relay) => relay.freeze()],
  ] as const) {
    trial(
      `row 70: a connection that is ${what} is replaced, and what went in the meantime is noticed`,
      async (under) => {
        const { api, namespace } = under;
        const relay = new Relay(realConfig().server);
        const config = { ...realConfig(), server: await relay.start(), tlsServerName: 'kubernetes.default.svc' };
        const far = apiOf(config);
        const cache = cacheOf(far, namespace, 1_000);
        const write = (name: string) => api.create(CONFIG_MAPS, { metadata: { namespace, name } });
        await write('stays');
        await write('goes');
        cache.start();
        await cache.whenSynced(AbortSignal.timeout(20_000));
        await write('seen');
        await until(() => cache.get(namespace, 'seen') !== undefined);
        harm(relay);
        await api.delete(CONFIG_MAPS, { namespace, name: 'goes' });
        await write('new');
        await until(() => cache.get(namespace, 'new') !== undefined && cache.get(namespace, 'goes') === undefined);
        assert.notEqual(cache.get(namespace, 'stays'), undefined);
        await cache.stop();
        await far.close();
        await relay.stop();
      },
    );
  }
});

class Writer {
  readonly process: ChildProcess;
  readonly said: string[] = [];
  #isOver = false;

  constructor(namespace: string, identity: string) {
    const path = join(import.meta.dirname, 'lease-writer.ts');
    const args = ['--disable-warning=ExperimentalWarning', path, namespace, identity];
    this.process = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    if (this.process.stdout !== null) {
      createInterface(this.process.stdout).on('line', (line) => this.said.push(line));
    }
    this.process.on('exit', () => {
      this.#isOver = true;
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get holds(): boolean {
    return this.said.some((line) => line.startsWith('gained')) && !this.said.includes('lost');
  }
}

describe('the lease on a real API server', () => {
  trial('it is taken, renewed, released, and taken at once by the next', async ({ api, namespace }) => {
    const over = new AbortController();
    const gained: number[] = [];
    const leaseOf = (identity: string) => {
      const clock = { ...realClock };
      const times = { clock, wallTime: () => new Date().toISOString(), leaseMs: 15_000, retryMs: 200 };
      const lease = new LeaderLease({
        api,
        namespace,
        name: 'l',
        identity,
        ...times,
        random: Math.random,
        log: silentLog,
      });
      lease.onGained((transitions) => gained.push(transitions));
      void lease.run(over.signal);
      return lease;
    };
    const a = leaseOf('a');
    await until(() => a.isHeld);
    const b = leaseOf('b');
    await realClock.sleep(1_000);
    assert.equal(b.isHeld, false);
    await a.release();
    await until(() => b.isHeld, 3_000);
    assert.deepEqual(gained, [0, 1]);
    over.abort();
    await b.release();
  });

  trial(
    'row 65: a leader that is stopped and goes on writes nothing beside the next one',
    async ({ api, namespace }) => {
      const writers = [new Writer(namespace, 'w0'), new Writer(namespace, 'w1')];
      try {
        for (let round = 0; round < 3; round += 1) {
          await until(() => writers.some(({ holds }) => holds));
          await realClock.sleep(1_000 + 700 * round);
          const held = writers.findIndex(({ holds }) => holds);
          const leader = writers[held]!;
          leader.process.kill('SIGSTOP');
          await until(() => writers.some((writer) => writer !== leader && writer.holds));
          await realClock.sleep(500);
          leader.process.kill('SIGCONT');
          await until(() => leader.isOver);
          assert.equal(leader.said.at(-1), 'lost');
          writers[held] = new Writer(namespace, `w${round + 2}`);
        }
      } finally {
        for (const { process } of writers) process.kill('SIGKILL');
      }
      const { items } = await api.list(CONFIG_MAPS, { namespace, labelSelector: 'trial=lease' });
      const terms = items
        .map(({ metadata }) => ({
          version: BigInt(metadata.resourceVersion ?? 0),
          term: Number(metadata.labels?.term),
        }))
        .sort((a, b) => (a.version < b.version ? -1 : 1))
        .map(({ term }) => term);
      const late = terms.filter((term, index) => index > 0 && term < terms[index - 1]!);
      assert.equal(late.length, 0, 'writes of a former leader that came after the first of the next');
      assert.deepEqual([...new Set(terms)], [0, 1, 2, 3]);
      assert.ok(terms.length > 100, `${terms.length} writes`);
    },
  );
});
