// kubectl haldane lint: what it says without a cluster, and what it hands on of an API server's answer.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { KubeError, type StatusBody } from '../../src/kubernetes/index.ts';
import { KINDS } from '../../src/main/kubernetes-client.ts';
import { KubernetesWorld, NAMESPACE, type Ran, SPEC } from './kubernetes-world.ts';

const policyIn = (namespace?: string) =>
  JSON.stringify({
    apiVersion: 'haldane.dev/v1alpha1',
    kind: 'ReleasePolicy',
    metadata: { name: 'checkout', ...(namespace === undefined ? {} : { namespace }) },
    spec: SPEC,
  });

async function lint(world: KubernetesWorld, more: readonly string[] = [], text = policyIn()): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), 'haldane-lint-'));
  const file = join(folder, 'policy.yaml');
  writeFileSync(file, text);
  try {
    return await world.run('lint', '-f', file, ...more);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A world whose API server answers this to every dry run. */
function refusing(status: number, body: StatusBody): KubernetesWorld {
  const world = new KubernetesWorld();
  world.api.intercept = (_verb, { plural }) => {
    if (plural === 'releasepolicies') throw new KubeError('patch releasepolicies', status, body);
  };
  return world;
}

describe('kubectl haldane lint', () => {
  it('asks no cluster', async () => {
    const world = new KubernetesWorld();
    const { code, out } = await lint(world);
    assert.equal(code, 0, out);
    assert.match(out, /policy\.yaml: valid/);
    assert.deepEqual(world.api.calls, []);
  });

  it('calls a policy by the namespace that stands in its file, before the one that is given', async () => {
    const world = new KubernetesWorld();
    const named = async (more: readonly string[], text: string) => {
      const { out } = await lint(world, ['--json', '--rps', '0.01', ...more], text);
      const { files } = JSON.parse(out) as { files: readonly { findings: readonly { policy: string }[] }[] };
      return new Set(files.flatMap(({ findings }) => findings.map(({ policy }) => policy)));
    };
    assert.deepEqual([...(await named([], policyIn('demo')))], ['demo/checkout']);
    assert.deepEqual([...(await named(['-n', 'other'], policyIn('demo')))], ['demo/checkout']);
    assert.deepEqual([...(await named(['-n', 'other'], policyIn()))], ['other/checkout']);
    assert.deepEqual([...(await named([], policyIn()))], ['default/checkout']);
    assert.deepEqual([...(await named(['--server'], policyIn()))], [`${NAMESPACE}/checkout`]);
  });

  it('asks the API server with --server, and writes nothing', async () => {
    const world = new KubernetesWorld();
    const { code, out } = await lint(world, ['--server']);
    assert.equal(code, 0, out);
    assert.equal((await world.api.list(KINDS.policies)).items.length, 0);
    const refused = await lint(refusing(422, { reason: 'Invalid', message: 'spec.stages: too many' }), ['--server']);
    assert.equal(refused.code, 1);
    assert.match(refused.out, /refused\nerror: checkout: .*spec\.stages: too many/);
  });

  it('says each fault that the API server finds on a line of its own, without the value it prints', async () => {
    const dump = '{"gatewayApi":{"service":"checkout","rules":[{"name":"a"}]}}';
    const world = refusing(422, {
      reason: 'Invalid',
      message: `ReleasePolicy.haldane.dev "checkout" is invalid: [spec.router: Invalid value: ${dump}: two, spec.a: no]`,
      details: {
        causes: [
          { reason: 'FieldValueInvalid', field: 'spec.router', message: `Invalid value: ${dump}: write one router` },
          { reason: 'FieldValueInvalid', field: 'spec.interval', message: 'Invalid value: "object": is too short' },
        ],
      },
    });
    const { code, out } = await lint(world, ['--server']);
    assert.equal(code, 1);
    assert.deepEqual(out.trim().split('\n').slice(1), [
      'error: checkout: spec.router: write one router',
      '  fix: kubectl haldane explain spec.router says what it takes',
      'error: checkout: spec.interval: is too short',
      '  fix: kubectl haldane explain spec.interval says what it takes',
    ]);
  });

  it('tells a namespace that is not there from a Haldane that is not installed', async () => {
    const gone = refusing(404, { reason: 'NotFound', message: 'namespaces "demo" not found' });
    const { code, err } = await lint(gone, ['--server'], policyIn('demo'));
    assert.equal(code, 1);
    assert.match(err, /the namespace demo is not there\n {2}fix: kubectl create namespace demo, or .*-n NAMESPACE/);
    assert.doesNotMatch(err, /not installed/);
    const bare = refusing(404, { reason: 'NotFound', message: 'the server could not find the requested resource' });
    assert.match((await lint(bare, ['--server'])).err, /Haldane is not installed in this cluster/);
  });

  it('warns with --server of a Deployment and a Service that are not there, and calls the policy valid', async () => {
    const world = new KubernetesWorld();
    const { code, out } = await lint(world, ['--server']);
    assert.equal(code, 0);
    assert.match(out, /policy\.yaml: valid\n/);
    assert.match(
      out,
      /warning: prod\/checkout: spec\.workload\.deployment\.name: there is no Deployment checkout in prod/,
    );
    assert.match(out, /warning: prod\/checkout: spec\.router: there is no Service checkout in prod/);
    assert.equal((await lint(world, ['--server', '--strict'])).code, 1);
    await world.deploy();
    assert.doesNotMatch((await lint(world, ['--server'])).out, /no Deployment/);
    const blind = new KubernetesWorld();
    blind.denied.add('get deployments').add('get services');
    assert.doesNotMatch((await lint(blind, ['--server'])).out, /there is no/);
  });
});
