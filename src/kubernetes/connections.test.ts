import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import type { ClusterConfig } from './config.ts';
import type { Identity } from './credentials.ts';
import { ApiUnreachable } from './errors.ts';
import { HttpKubeApi } from './http-api.ts';
import { CONFIG_MAPS } from './resources.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const SKIP = { skip: hasOpenssl ? false : 'openssl is not installed' };
const FOLDER = mkdtempSync(join(tmpdir(), 'kube-tls-'));
after(() => rmSync(FOLDER, { recursive: true }));

const textOf = (name: string) => readFileSync(join(FOLDER, name), 'utf8');

function openssl(...args: string[]): void {
  const { status, stderr } = spawnSync('openssl', args, { cwd: FOLDER, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

/** An authority; and what it has signed. */
function authority(name: string): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`];
  openssl('req', '-x509', ...key, '-out', `${name}.pem`, '-subj', `/CN=${name}`, '-days', '2');
}

function signed(name: string, by: string): { readonly certificate: string; readonly key: string } {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`];
  openssl('req', ...key, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
  writeFileSync(join(FOLDER, `${name}.ext`), `subjectAltName=DNS:${name}`);
  const authorities = ['-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-CAcreateserial'];
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    ...authorities,
    '-out',
    `${name}.pem`,
    '-days',
    '2',
    '-extfile',
    `${name}.ext`,
  );
  return { certificate: textOf(`${name}.pem`), key: textOf(`${name}.key`) };
}

/** Says who the client is by its certificate. */
async function started(): Promise<Server> {
  const { certificate: cert, key } = signed('kubernetes.test', 'ours');
  const options = { cert, key, ca: textOf('ours.pem'), requestCert: true, rejectUnauthorized: false };
  const server = createServer(options, (request, response) => {
    const socket = request.socket as TLSSocket;
    const name = socket.authorized ? String(socket.getPeerCertificate().subject.CN) : 'nobody';
    response.end(JSON.stringify({ metadata: { name } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

test(
  'the server is known by its authority and name, the client by its certificate, also when that is renewed',
  SKIP,
  async () => {
    for (const name of ['ours', 'theirs']) authority(name);
    const server = await started();
    const apis: HttpKubeApi[] = [];
    const nameSeen = async (config: Partial<ClusterConfig>, identities: readonly Identity[] = [{}]) => {
      const left = [...identities];
      const api = new HttpKubeApi({
        userAgent: 'haldane/test',
        config: {
          server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
          ca: textOf('ours.pem'),
          insecure: false,
          tlsServerName: 'kubernetes.test',
          namespace: 'default',
          source: 'test',
          credentials: { get: async () => left.shift() ?? {} },
          ...config,
        },
      });
      apis.push(api);
      const names: (string | undefined)[] = [];
      for (const _ of identities) names.push((await api.get(CONFIG_MAPS, { name: 'me' }))?.metadata.name);
      return names;
    };
    assert.deepEqual(await nameSeen({}), ['nobody']);
    assert.deepEqual(await nameSeen({}, [signed('haldane', 'ours'), signed('renewed', 'ours')]), [
      'haldane',
      'renewed',
    ]);
    assert.deepEqual(await nameSeen({}, [signed('stranger', 'theirs')]), ['nobody']);
    await assert.rejects(nameSeen({ ca: textOf('theirs.pem') }), ApiUnreachable);
    await assert.rejects(nameSeen({ tlsServerName: 'elsewhere.test' }), ApiUnreachable);
    assert.deepEqual(await nameSeen({ ca: undefined, insecure: true }), ['nobody']);
    for (const api of apis) await api.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  },
);
