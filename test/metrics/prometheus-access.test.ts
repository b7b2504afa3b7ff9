// How Prometheus is asked: credentials and where they may appear, what is refused, how much and how long is taken.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { PrometheusMetrics } from '../../src/adapters/metrics/prometheus.ts';
import type { MeasurementResult } from '../../src/core/model/measurement.ts';
import type { PrometheusAccess } from '../../src/core/model/policy.ts';
import { VirtualClock } from '../../src/ports/doubles/index.ts';
import { FakePrometheus } from './fake-prometheus.ts';
import { access, byPrometheus, CANARY, CHECKS, measuredBy, Shop, STABLE } from './shop.ts';

const SECRET = 'hunter2-very-secret';
const key = (name: string) => ({ name: 'prometheus', key: name });

class Asking {
  readonly here: Shop;
  readonly secrets: Record<string, string> = {};
  readonly source: PrometheusMetrics;
  reads = 0;
  readonly #access: PrometheusAccess;

  constructor(fake: FakePrometheus, at: PrometheusAccess) {
    this.here = new Shop(fake, new VirtualClock());
    this.#access = at;
    const podsOf = () => this.here.podsOf();
    this.source = new PrometheusMetrics({
      clock: this.here.clock,
      podsOf,
      readSecret: async ({ namespace, name, key: of }) => {
        assert.deepEqual([namespace, name], ['shop', 'prometheus']);
        this.reads += 1;
        return this.secrets[of] ?? null;
      },
    });
  }

  async measure(timeoutMs = 1_000): Promise<MeasurementResult> {
    const policy = measuredBy(byPrometheus(this.#access, undefined, timeoutMs));
    const query = { policy, stable: STABLE, canary: CANARY, checks: CHECKS };
    const opening = await this.source.measure({ ...query, cursor: null });
    assert.ok(opening.kind === 'measurement');
    for (const pod of this.here.pods) pod.serve({ good: 3, bad: 0 });
    await this.here.scrapes();
    return this.source.measure({ ...query, cursor: opening.measurement.cursor });
  }
}

async function asking(more: Partial<PrometheusAccess>, body: (asking: Asking, fake: FakePrometheus) => Promise<void>) {
  const fake = await new FakePrometheus().start();
  const under = new Asking(fake, access(fake.address, more));
  try {
    await body(under, fake);
  } finally {
    await under.source.close();
    await fake.stop();
  }
}

function messageOf(result: MeasurementResult): string {
  return result.kind === 'error' ? result.message : assert.fail(JSON.stringify(result));
}

describe('asking Prometheus', () => {
  test('with a bearer token and a tenant: the token is read again after a refusal, and every minute', async () => {
    await asking({ bearer: key('token'), headers: { 'X-Scope-OrgID': 'shop' } }, async (under, fake) => {
      under.secrets.token = `${SECRET}\n`;
      assert.equal((await under.measure()).kind, 'measurement');
      assert.deepEqual(
        [fake.asked[0]?.headers.authorization, fake.asked[0]?.headers['x-scope-orgid']],
        [`Bearer ${SECRET}`, 'shop'],
      );
      assert.equal(under.reads, 1);

      fake.tamper = (text, { headers }) =>
        headers.authorization === 'Bearer new' ? { status: 200, text } : { status: 401, text: 'no' };
      under.secrets.token = 'new';
      assert.equal((await under.measure()).kind, 'measurement');

      fake.tamper = (text) => ({ status: 200, text });
      await under.here.scrapes(13);
      under.secrets.token = 'newer';
      await under.measure();
      assert.equal(fake.asked.at(-1)?.headers.authorization, 'Bearer newer');
    });
  });

  test('with a user name and a password', async () => {
    await asking({ basic: { username: 'ann', password: key('password') } }, async (under, fake) => {
      under.secrets.password = SECRET;
      assert.equal((await under.measure()).kind, 'measurement');
      assert.equal(fake.asked[0]?.headers.authorization, `Basic ${Buffer.from(`ann:${SECRET}`).toString('base64')}`);
    });
  });

  test('a secret is in no error, whatever goes wrong with it', async () => {
    for (const token of [SECRET, `${SECRET}\nX-Evil: 1`, `${SECRET}\u0000`]) {
      await asking({ bearer: key('token') }, async (under, fake) => {
        under.secrets.token = token;
        fake.tamper = (_, { headers }) => ({ status: 403, text: `go away, ${headers.authorization}` });
        const said = messageOf(await under.measure());
        assert.ok(!said.includes('hunter2'), said);
      });
    }
    await asking({ bearer: key('token') }, async (under) => {
      assert.match(
        messageOf(await under.measure()),
        /there is no key token in the Secret shop\/prometheus\n {2}fix: create it/,
      );
    });
  });

  test('answers end after 64 MiB and after the time-out; redirects are not followed', async () => {
    await asking({}, async (under, fake) => {
      fake.tamper = () => ({ status: 200, text: ' '.repeat(65 * 1024 * 1024) });
      assert.match(messageOf(await under.measure(20_000)), /longer than 64 MiB/);
      fake.tamper = async (text) => {
        await sleep(600);
        return { status: 200, text };
      };
      assert.match(messageOf(await under.measure(200)), /did not answer/);
      fake.tamper = () => ({ status: 307, headers: { location: `${fake.address}/api/v1/query` }, text: '' });
      const before = fake.asked.length;
      assert.match(messageOf(await under.measure()), /status 307/);
      assert.equal(fake.asked.length, before + 1);
    });
  });

  test('addresses at which machines hand out credentials are not asked', async () => {
    for (const address of ['http://169.254.169.254', 'http://[fd00:ec2::254]:9090', 'http://0.0.0.0:1']) {
      const fake = await new FakePrometheus().start();
      const under = new Asking(fake, access(address));
      assert.match(messageOf(await under.measure()), /is a link-local, metadata or otherwise special address/);
      await fake.stop();
    }
  });

  test('questions to one address share connections', async () => {
    await asking({}, async (under, fake) => {
      for (let i = 0; i < 5; i++) assert.equal((await under.measure()).kind, 'measurement');
      assert.ok(fake.asked.length >= 15 && fake.connections <= 3, `${fake.connections} for ${fake.asked.length}`);
    });
  });
});

const noOpenssl = spawnSync('openssl', ['version']).status === 0 ? false : 'the program openssl is not installed';

describe('asking Prometheus by TLS', { skip: noOpenssl }, () => {
  test('its certificate is checked by the authority of the policy, and it sees ours', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'haldane-tls-'));
    const openssl = (...args: string[]) => assert.equal(spawnSync('openssl', args, { cwd: folder }).status, 0);
    const made = (name: string) =>
      openssl(
        ...[
          'req',
          '-x509',
          '-newkey',
          'rsa:2048',
          '-nodes',
          '-days',
          '2',
          '-subj',
          `/CN=${name}`,
          '-addext',
          'subjectAltName=IP:127.0.0.1',
        ],
        ...['-keyout', `${name}.key`, '-out', `${name}.crt`],
      );
    for (const name of ['server', 'client', 'stranger']) made(name);
    const read = (name: string) => readFileSync(join(folder, name), 'utf8');
    const shown: string[] = [];
    const server = createTlsServer(
      {
        cert: read('server.crt'),
        key: read('server.key'),
        ca: read('client.crt'),
        requestCert: true,
        rejectUnauthorized: true,
      },
      (request, response) => {
        shown.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
        response.end(JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: [] } }));
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const fake = await new FakePrometheus().start();
    const clientCertificate = { certificate: key('tls.crt'), key: key('tls.key') };
    const at = access(`https://127.0.0.1:${port}`, { ca: key('ca.crt'), clientCertificate });
    const under = new Asking(fake, at);
    Object.assign(under.secrets, {
      'ca.crt': read('server.crt'),
      'tls.crt': read('client.crt'),
      'tls.key': read('client.key'),
    });
    assert.equal((await under.measure()).kind, 'measurement');
    assert.equal(shown[0], 'client');

    const other = new Asking(fake, at);
    Object.assign(other.secrets, { ...under.secrets, 'ca.crt': read('stranger.crt') });
    assert.match(messageOf(await other.measure()), /self-signed certificate/);
    Object.assign(other.secrets, { ...under.secrets, 'ca.crt': 'no certificate' });
    assert.match(messageOf(await new Asking(fake, at).measure()), /no key/);
    await Promise.all([under.source.close(), other.source.close()]);
    server.closeAllConnections();
    server.close();
    await fake.stop();
    rmSync(folder, { recursive: true });
  });
});
