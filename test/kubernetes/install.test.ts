/** The manifests of deploy/: what they hold, and that a real API server takes every one of them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { CONTROLLER, kubectl, must, noCluster, ROOT } from './cluster.ts';
import { type Installed, installDefinitions, manifest } from './installed.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

function rulesOf(name: string): readonly Rule[] {
  const role = manifest('install').find((each) => each.kind === 'ClusterRole' && each.metadata.name === name);
  return (role?.rules ?? []) as readonly Rule[];
}

test('the operator may read no Secret, delete no policy, and nothing is granted by *', () => {
  for (const { apiGroups, resources, verbs } of rulesOf('haldane')) {
    assert.ok(![...apiGroups, ...resources, ...verbs].includes('*'), resources.join());
    assert.ok(!resources.includes('secrets'));
    assert.ok(!(resources.includes('releasepolicies') && verbs.includes('delete')));
    assert.ok(!resources.some((each) => /roles|webhook|serviceaccounts|tokenreviews/.test(each)));
  }
});

test('the definitions outlive the package, and whatever carries traffic is owned by nothing', () => {
  const definitions = manifest('crds');
  assert.deepEqual(
    definitions.map(({ metadata }) => metadata.name),
    ['releasepolicies.haldane.dev', 'releases.haldane.dev', 'releasecommands.haldane.dev'],
  );
  for (const { metadata } of definitions) {
    const { annotations } = metadata as { annotations?: Readonly<Record<string, string>> };
    assert.equal(annotations?.['helm.sh/resource-policy'], 'keep');
  }
});

test('every admission policy has its binding, and what asks for a policy of ours ignores its own failure', () => {
  const objects = manifest('admission');
  const policies = objects.filter(({ kind }) => kind.endsWith('AdmissionPolicy'));
  const bindings = objects.filter(({ kind }) => kind.endsWith('Binding'));
  assert.deepEqual(
    bindings.map(({ metadata }) => metadata.name).sort(),
    policies.map(({ metadata }) => metadata.name).sort(),
  );
  for (const policy of policies) {
    const spec = policy.spec as { paramKind?: object; failurePolicy: string };
    assert.equal(spec.failurePolicy, spec.paramKind === undefined ? 'Fail' : 'Ignore', policy.metadata.name);
  }
});

describe('manifests on a real API server', { skip: noCluster }, () => {
  before(() => installDefinitions());

  for (const file of ['crds', 'install', 'uninstall', 'admission']) {
    test(`${file}.yaml is taken whole`, () => {
      const { code, text } = kubectl([
        'apply',
        '--server-side',
        '--force-conflicts',
        '--dry-run=server',
        '-f',
        join(ROOT, `deploy/${file}.yaml`),
      ]);
      assert.equal(code, 0, text);
      assert.doesNotMatch(text, /warning/i, 'the namespace enforces restricted pods');
    });
  }

  test('no admission policy has an expression that the API server warns about', () => {
    for (const { kind, metadata } of manifest('admission').filter(
      (each: Installed) => each.kind === 'ValidatingAdmissionPolicy',
    )) {
      const { status } = JSON.parse(must(['get', kind, metadata.name, '-o', 'json'])) as {
        status?: { typeChecking?: { expressionWarnings?: readonly object[] } };
      };
      assert.deepEqual(status?.typeChecking?.expressionWarnings ?? [], [], metadata.name);
    }
  });

  const can = (verb: string, resource: string, more: readonly string[] = []) =>
    kubectl(['auth', 'can-i', verb, resource, '-A', `--as=${CONTROLLER}`, ...more]).code === 0;

  test('the account of the operator has these rights and no others that matter', () => {
    for (const [verb, resource] of [
      ['patch', 'deployments.apps'],
      ['delete', 'replicasets.apps'],
      ['watch', 'pods'],
      ['create', 'services'],
      ['watch', 'releasepolicies.haldane.dev'],
    ] as const) {
      assert.ok(can(verb, resource), `${verb} ${resource}`);
    }
    assert.ok(can('patch', 'pods', ['--subresource=status']));
    assert.ok(can('patch', 'releasepolicies.haldane.dev', ['--subresource=status']));
    for (const [verb, resource] of [
      ['get', 'secrets'],
      ['delete', 'pods'],
      ['create', 'pods'],
      ['delete', 'releasepolicies.haldane.dev'],
      ['create', 'releasecommands.haldane.dev'],
      ['update', 'clusterroles.rbac.authorization.k8s.io'],
      ['get', 'leases.coordination.k8s.io'],
    ] as const) {
      assert.ok(!can(verb, resource), `${verb} ${resource}`);
    }
    assert.equal(
      kubectl(['auth', 'can-i', 'update', 'leases.coordination.k8s.io', '-n', 'haldane-system', `--as=${CONTROLLER}`])
        .code,
      0,
    );
  });
});
