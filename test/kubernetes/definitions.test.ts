/** The custom resources on a real API server: what it takes, what it refuses with which sentence, and what kubectl shows. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { compileObject } from '../../src/core/policy/index.ts';
import { BASES, sha256 } from '../policy/bases.ts';
import { kubectl, must, Namespace, noCluster, ROOT } from './cluster.ts';
import { installDefinitions } from './installed.ts';
import { ADOPTED, ROUTE, releaseCommand, releasePolicy, SHARE, type Spec } from './objects.ts';

const space = new Namespace('definitions');
const GATE = { approval: { name: 'go' } };

/** The spec, and the sentence with which the API server must refuse it. */
const REFUSED: readonly (readonly [spec: Spec, sentence: RegExp])[] = [
  [{ ...SHARE, workload: undefined }, /spec\.workload: Required value/],
  [{ ...SHARE, workload: {} }, /a workload on Kubernetes is deployment/],
  [{ ...SHARE, workload: { processes: {} } }, /unknown field "spec\.workload\.processes"/],
  [{ ...SHARE, workload: { deployment: { name: 'Shop' } } }, /spec\.workload\.deployment\.name/],
  [{ ...SHARE, workload: { deployment: { nmae: 'shop' } } }, /unknown field "spec\.workload\.deployment\.nmae"/],
  [{ ...SHARE, workload: { deployment: { name: 'shop', pods: 'isolated' } } }, /write pods: shared/],
  [{ ...SHARE, workload: { deployment: { name: 'shop', label: 'app' } } }, /label is never used/],
  [
    { ...SHARE, workload: { deployment: { name: 'shop', onRemoval: 'delete' } } },
    /supported values: "restore", "letGo"/,
  ],
  [{ ...ROUTE, workload: { deployment: { name: 'shop', pods: 'shared' } } }, /write pods: isolated/],
  [{ ...SHARE, router: undefined }, /router is required: write router: \{replicaShare/],
  [{ ...SHARE, router: {} }, /a router is exactly one of replicaShare or gatewayApi/],
  [{ ...SHARE, router: { ...(SHARE.router as Spec), ...(ROUTE.router as Spec) } }, /a router is exactly one of/],
  [{ ...SHARE, router: { gateway: {} } }, /unknown field "spec\.router\.gateway"/],
  [{ ...SHARE, router: { replicaShare: { service: 'my.shop' } } }, /spec\.router\.replicaShare\.service/],
  [{ ...ROUTE, router: { gatewayApi: { service: 'shop', route: {} } } }, /a route is exactly one of owned or adopted/],
  [
    { ...ROUTE, router: { gatewayApi: { service: 'shop', route: { owned: { parents: [] } } } } },
    /no Gateway would use/,
  ],
  [{ ...ADOPTED, affinity: {} }, /affinity needs a rule of its own/],
  [{ ...ADOPTED, audience: [{ header: { name: 'a', value: 'b' } }] }, /audience needs a rule of its own/],
  [{ ...ROUTE, audience: [{}] }, /a rule of the audience is exactly one of header or cookie/],
  [{ ...SHARE, affinity: {} }, /replica share cannot keep users apart/],
  [{ ...SHARE, audience: [{ header: { name: 'a', value: 'b' } }] }, /replica share cannot send an audience/],
  [{ ...ROUTE, userKey: { cookie: 'id' } }, /take userKey out/],
  [{ ...SHARE, metrics: undefined }, /metrics is required.*metrics: \{pods: \{\}\}/],
  [{ ...SHARE, metrics: { gateway: {} } }, /unknown field "spec\.metrics\.gateway"/],
  [{ ...SHARE, metrics: [] }, /spec\.metrics.*must be of type object/],
  [{ ...ROUTE, metrics: { prometheus: {} } }, /spec\.metrics\.prometheus\.address: Required value/],
  [{ ...ROUTE, metrics: { prometheus: { address: 'prometheus:9090' } } }, /spec\.metrics\.prometheus\.address/],
  [
    { ...ROUTE, metrics: { prometheus: { address: 'http://p:9090', headers: { Authorization: 'Bearer x' } } } },
    /secrets do not belong into a policy/,
  ],
  [
    { ...SHARE, metrics: { prometheus: { address: 'http://p:9090', counters: { traefik: {} } } } },
    /both versions are behind one/,
  ],
  [{ ...SHARE, stages: [{ weight: 50 }, { weight: '5%' }] }, /weights of the stages must rise/],
  [{ ...SHARE, stages: [] }, /stages is an empty list/],
  [{ ...SHARE, stages: [{ weight: 0 }] }, /spec\.stages\[0\]\.weight/],
  [{ ...SHARE, stages: [{ weight: 5, bake: '10 minutes' }] }, /spec\.stages\[0\]\.bake/],
  [
    { ...SHARE, stages: [{ weight: 5, gates: [{ ...GATE, webhook: { name: 'w', url: 'https://w' } }] }] },
    /a gate is exactly one/,
  ],
  [{ ...SHARE, stages: [{ weight: 5 }], preset: 'fast' }, /exclude each other/],
  [{ ...SHARE, analysis: 'none' }, /leaves an adaptive ramp nothing to follow/],
  [
    { ...SHARE, analysis: 'none', preset: 'fast', checks: [{ name: 'e', metric: { errors: {} } }] },
    /never asks checks/,
  ],
  [{ ...SHARE, checks: [] }, /nothing could be proven/],
  [{ ...SHARE, checks: [{ name: 'e', metric: {} }] }, /a metric on Kubernetes is exactly one of/],
  [
    { ...SHARE, checks: ['errors', 'latency'].map((metric) => ({ name: 'one', metric: { [metric]: {} } })) },
    /Duplicate value/,
  ],
  [{ ...SHARE, chekcs: [] }, /unknown field "spec\.chekcs"/],
];

describe('definitions of the custom resources', { skip: noCluster }, () => {
  before(() => {
    installDefinitions();
    space.create();
  });
  after(() => space.remove());

  const dryRun = (object: object) => space.ask(['create', '--dry-run=server', '-f', '-'], { input: object });

  test('are structural, so that kubectl explain teaches and unknown fields are seen', () => {
    for (const plural of ['releasepolicies', 'releases', 'releasecommands']) {
      const { status } = JSON.parse(must(['get', 'crd', `${plural}.haldane.dev`, '-o', 'json'])) as {
        status: { conditions: { type: string; status: string; message: string }[] };
      };
      assert.ok(!status.conditions.some(({ type, status }) => type === 'NonStructuralSchema' && status === 'True'));
    }
    const explained = must(['explain', 'releasepolicy.spec.router.gatewayApi']);
    assert.match(explained, /An HTTPRoute of the Gateway API/);
    assert.match(explained, /Left out: 3s/);
  });

  for (const [index, [spec, sentence]] of REFUSED.entries()) {
    test(`refusal ${index + 1}: ${sentence.source}`, () => {
      const { code, text } = dryRun(releasePolicy(spec));
      assert.notEqual(code, 0, `accepted: ${text}`);
      assert.match(text, sentence);
    });
    if (sentence.source.includes('unknown field')) continue;
    test(`refusal ${index + 1} is the compiler's too`, () => {
      const compiled = compileObject({ metadata: { name: 'shop', namespace: 'web' }, spec }, { hash: sha256 });
      assert.equal(compiled.kind, 'refused');
    });
  }

  test('take every policy of Kubernetes that the compiler takes, and store it as it was written', () => {
    for (const base of [BASES.gatewayApi, BASES.adopted, BASES.replicaShare]) {
      const spec = base.spec as Spec;
      space.must(['apply', '-f', '-'], { input: releasePolicy(spec) });
      const stored = space.read<{ spec: Spec; metadata: object }>('releasepolicy', 'shop');
      assert.deepEqual(stored.spec, spec, 'nothing is dropped, and no default is put in');
      assert.equal(compileObject(stored, { hash: sha256 }).kind, 'ok');
      space.must(['delete', 'releasepolicy', 'shop']);
    }
  });

  test('take the examples', () => {
    for (const folder of ['10-kubernetes-replica-share', '11-kubernetes-gateway-api']) {
      for (const document of parseAllDocuments(readFileSync(join(ROOT, 'examples', folder, 'haldane.yaml'), 'utf8'))) {
        const { code, text } = dryRun(document.toJS() as object);
        assert.equal(code, 0, text);
      }
    }
  });

  test('row 63: a policy stays with its Deployment, and one that keeps its name may change all else', () => {
    space.must(['apply', '-f', '-'], { input: releasePolicy(SHARE) });
    const moved = { ...SHARE, workload: { deployment: { name: 'web' } } };
    const { code, text } = space.ask(['apply', '-f', '-'], { input: releasePolicy(moved) });
    assert.notEqual(code, 0, `accepted: ${text}`);
    assert.match(text, /spec\.workload\.deployment\.name.*make another policy of another name, and delete this one/);
    space.must(['apply', '-f', '-'], { input: releasePolicy({ ...SHARE, historyLimit: 3 }) });
    space.must(['delete', 'releasepolicy', 'shop']);
  });

  test('a name that would not fit into a label is refused', () => {
    assert.match(dryRun(releasePolicy(SHARE, 'a'.repeat(53))).text, /at most 52 characters/);
    assert.match(dryRun(releasePolicy(SHARE, 'shop.web')).text, /at most 52 characters/);
  });

  test('show version, share, verdict and next', () => {
    space.must(['apply', '-f', '-'], { input: releasePolicy(SHARE) });
    const status = {
      version: 'v2',
      share: '5 %',
      verdict: 'errors pass',
      next: '25 % in 3 min',
      floor: 3,
      record: { version: 1, state: '{}', journal: [{ any: { thing: 1 } }] },
      conditions: [
        {
          type: 'Promoted',
          status: 'True',
          reason: 'Proven',
          message: 'v2',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    };
    space.must([
      'patch',
      'releasepolicy',
      'shop',
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status }),
    ]);
    const table = space.must(['get', 'rp']);
    assert.match(table, /NAME\s+VERSION\s+SHARE\s+VERDICT\s+NEXT\s+AGE/);
    assert.match(table, /shop\s+v2\s+5 %\s+errors pass\s+25 % in 3 min/);
    assert.deepEqual(space.read<{ status: object }>('rp', 'shop').status, status, 'the record is kept whole');
    space.must(['wait', '--for=condition=Promoted', 'releasepolicy/shop', '--timeout=5s']);
  });

  test('a status is written by its subresource alone', () => {
    space.must(['apply', '-f', '-'], { input: { ...releasePolicy(SHARE), status: { version: 'forged' } } });
    assert.notEqual(space.read<{ status: { version: string } }>('rp', 'shop').status.version, 'forged');
  });

  test('a command goes with what belongs to its verb alone', () => {
    const rows: readonly (readonly [object, RegExp])[] = [
      [{ verb: 'promot' }, /Unsupported value: "promot"/],
      [{ verb: 'suspend' }, /suspend needs a reason/],
      [{ verb: 'promote', skipAnalysis: true }, /needs a reason, and is marked with it for ever/],
      [{ verb: 'abort', skipAnalysis: true, reason: 'x' }, /skipAnalysis goes with promote alone/],
      [{ verb: 'abort', gate: 'qa' }, /gate goes with approve alone/],
      [{ verb: 'abort', revision: 'abc' }, /revision goes with rollback alone/],
    ];
    for (const [spec, sentence] of rows) assert.match(dryRun(releaseCommand(spec)).text, sentence);
  });

  test('a Release stays the release it was', () => {
    const release = {
      apiVersion: 'haldane.dev/v1alpha1',
      kind: 'Release',
      metadata: { name: 'shop-1' },
      spec: {
        policy: 'shop',
        number: 1,
        revision: 'abc',
        label: 'v2',
        template: { spec: { containers: [{ name: 'app' }] } },
      },
    };
    space.must(['create', '-f', '-'], { input: release });
    const patch = (spec: object) =>
      space.ask(['patch', 'release', 'shop-1', '--type=merge', '-p', JSON.stringify({ spec })]);
    assert.match(patch({ revision: 'def' }).text, /cannot become another one/);
    assert.deepEqual(space.read<{ spec: object }>('rel', 'shop-1').spec, release.spec);
    assert.equal(kubectl(['explain', 'release.status.journal']).code, 0);
  });
});
