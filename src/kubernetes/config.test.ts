import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ClusterConfigError, clusterConfigOf, inClusterConfig } from './config.ts';
import { CredentialsError, fileToken } from './credentials.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
after(() => rmSync(FOLDER, { recursive: true }));

const base64 = (text: string) => Buffer.from(text).toString('base64');

function file(name: string, text: string): string {
  writeFileSync(join(FOLDER, name), text);
  return join(FOLDER, name);
}

/** A kubeconfig of one context; what is given is put in. */
function kubeconfig(name: string, user: object, cluster: object = {}): string {
  return file(
    `${name}.yaml`,
    JSON.stringify({
      'current-context': name,
      contexts: [{ name, context: { cluster: name, user: name, namespace: `${name}-space` } }],
      clusters: [{ name, cluster: { server: `https://${name}.test:6443/`, ...cluster } }],
      users: [{ name, user }],
    }),
  );
}

const read = (path: string, context: string | null = null) =>
  clusterConfigOf({ kubeconfig: null, context, env: { KUBECONFIG: path } });

test('several files are joined: the first of a name wins, the first current context too', async () => {
  const one = kubeconfig('one', { token: 'first' });
  const two = kubeconfig('two', { token: 'second' });
  const again = file('again.yaml', readFileSync(one, 'utf8').replace('first', 'other'));
  const joined = [join(FOLDER, 'none.yaml'), one, two, again].join(':');
  const config = read(joined);
  assert.deepEqual([config.server, config.namespace], ['https://one.test:6443', 'one-space']);
  assert.deepEqual(await config.credentials.get(false), { token: 'first', certificate: undefined, key: undefined });
  assert.equal(read(joined, 'two').server, 'https://two.test:6443');
});

test('certificates come from data or from files beside the kubeconfig', async () => {
  file('cert.pem', 'CERT');
  file('ca.pem', 'CA');
  const user = { 'client-certificate': 'cert.pem', 'client-key-data': base64('KEY') };
  const config = read(kubeconfig('certs', user, { 'certificate-authority': 'ca.pem', 'tls-server-name': 'api' }));
  assert.deepEqual([config.ca, config.tlsServerName, config.insecure], ['CA', 'api', false]);
  assert.deepEqual(await config.credentials.get(false), { token: undefined, certificate: 'CERT', key: 'KEY' });
});

const REFUSED: Readonly<Record<string, readonly [user: object, cluster: object, words: RegExp]>> = {
  'a proxy': [{ token: 'a' }, { 'proxy-url': 'http://proxy:3128' }, /proxy-url is not supported/],
  'an auth provider': [{ 'auth-provider': { name: 'gcp' } }, {}, /auth-provider/],
  'a password': [{ username: 'a', password: 'b' }, {}, /password/],
  impersonation: [{ token: 'a', as: 'b' }, {}, /impersonation/],
  'a file that is not there': [{ 'client-certificate': 'gone.pem' }, {}, /cannot be read/],
  'an old plugin': [{ exec: { command: 'aws', apiVersion: 'client.authentication.k8s.io/v1alpha1' } }, {}, /v1alpha1/],
  'a plugin for a terminal': [{ exec: { command: 'aws', interactiveMode: 'Always' } }, {}, /terminal/],
};

for (const [what, [user, cluster, words]] of Object.entries(REFUSED)) {
  test(`${what} is refused, and how to go on is said`, () => {
    assert.throws(
      () => read(kubeconfig('refused', user, cluster)),
      (error) => (error instanceof ClusterConfigError || error instanceof CredentialsError) && has(error, words),
    );
  });
}

function has(error: ClusterConfigError | CredentialsError, words: RegExp): boolean {
  assert.match(error.message, words);
  assert.ok(error.fix);
  return true;
}

test('what is missing is named, with what is there', () => {
  assert.throws(() => read(join(FOLDER, 'none.yaml')), /there is no kubeconfig/);
  assert.throws(() => read(file('text.yaml', 'a: [')), /it is not YAML/);
  assert.throws(
    () => read(kubeconfig('there', {}), 'staging'),
    (error) =>
      error instanceof ClusterConfigError && has(error, /no context "staging"/) && /there/.test(error.fix ?? ''),
  );
});

test('in a pod it speaks as its service account; a token that is renewed on disk is read again', async () => {
  const pod = join(FOLDER, 'pod');
  mkdirSync(pod);
  for (const [name, text] of [
    ['token', 'one\n'],
    ['ca.crt', 'CA'],
    ['namespace', 'haldane-system\n'],
  ] as const) {
    writeFileSync(join(pod, name), text);
  }
  const config = inClusterConfig({ KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }, pod);
  assert.deepEqual([config.server, config.namespace, config.ca], ['https://[fd00::1]:443', 'haldane-system', 'CA']);
  assert.deepEqual(await config.credentials.get(false), { token: 'one' });
  writeFileSync(join(pod, 'token'), 'two');
  assert.deepEqual(await config.credentials.get(false), { token: 'one' });
  assert.deepEqual(await config.credentials.get(true), { token: 'two' }, 'a refused one is read anew at once');
  let nowMs = 0;
  const credentials = fileToken(join(pod, 'token'), () => nowMs);
  await credentials.get(false);
  writeFileSync(join(pod, 'token'), 'three');
  nowMs = 60_000;
  assert.deepEqual(await credentials.get(false), { token: 'three' });
  writeFileSync(join(pod, 'token'), '');
  await assert.rejects(credentials.get(true), /the token is empty/);
  rmSync(join(pod, 'token'));
  await assert.rejects(credentials.get(true), /cannot be read/);
});

/** A plugin that counts its runs and answers this. */
function plugin(name: string, answer: string): { readonly user: object; runs(): number } {
  const log = join(FOLDER, `${name}.runs`);
  const path = file(name, `#!/bin/sh\necho "$KUBERNETES_EXEC_INFO $MORE" >> ${log}\ncat <<'END'\n${answer}\nEND\n`);
  chmodSync(path, 0o755);
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: `./${name}`,
    env: [{ name: 'MORE', value: 'x' }],
  };
  return { user: { exec }, runs: () => readFileSync(log, 'utf8').trim().split('\n').length };
}

const credential = (status: object) => JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', status });

test('a credential plugin is run once for many callers, and again when its answer has run out or was refused', async () => {
  const later = new Date(Date.now() + 3_600_000).toISOString();
  const lasting = plugin('lasting', credential({ token: 'secret', expirationTimestamp: later }));
  const { credentials } = read(kubeconfig('lasting', lasting.user));
  const all = await Promise.all([1, 2, 3].map(() => credentials.get(false)));
  assert.deepEqual(
    all.map(({ token }) => token),
    ['secret', 'secret', 'secret'],
  );
  await credentials.get(false);
  assert.equal(lasting.runs(), 1);
  await credentials.get(true);
  assert.equal(lasting.runs(), 2);
  const short = plugin('short', credential({ token: 'secret', expirationTimestamp: new Date().toISOString() }));
  const again = read(kubeconfig('short', short.user)).credentials;
  await again.get(false);
  await again.get(false);
  assert.equal(short.runs(), 2);
});

test('a plugin that fails, or says nothing of use, is an error that shows no secret', async () => {
  for (const [name, answer] of [
    ['nothing', credential({})],
    ['words', 'secret'],
    ['old', JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1beta1', status: { token: 'secret' } })],
  ] as const) {
    const { credentials } = read(kubeconfig(name, plugin(name, answer).user));
    await assert.rejects(
      credentials.get(false),
      (error) => error instanceof CredentialsError && !JSON.stringify([error, error.message]).includes('secret'),
    );
  }
  const { credentials } = read(kubeconfig('gone', { exec: { command: './gone', installHint: 'install it' } }));
  await assert.rejects(
    credentials.get(false),
    (error) => error instanceof CredentialsError && error.fix === 'install it',
  );
});
