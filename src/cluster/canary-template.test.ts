import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DeploymentWorkload } from '../core/model/policy.ts';
import { type CanaryRequest, canaryDeployment, isolatedValue } from './canary-template.ts';
import { LABEL, TRAFFIC_GATE } from './names.ts';
import type { PodTemplate } from './revision.ts';
import { type NamespaceSelector, selectorsIn } from './selectors.ts';

const WORKLOAD: DeploymentWorkload = {
  kind: 'deployment',
  deployment: 'shop',
  container: null,
  pods: 'isolated',
  label: null,
  onRemoval: 'restore',
};

type Change = Partial<Omit<CanaryRequest, 'workload'>> & {
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: object;
  readonly workload?: Partial<DeploymentWorkload>;
};

function request({
  labels = { app: 'shop', part: 'web' },
  spec = {},
  workload = {},
  ...more
}: Change = {}): CanaryRequest {
  const template: PodTemplate = {
    metadata: { labels },
    spec: { containers: [{ name: 'app', image: 'app:v2' }], ...spec },
  };
  const deployment = {
    metadata: {
      name: 'shop',
      namespace: 'a',
      labels: { 'app.kubernetes.io/instance': 'shop' },
      annotations: { tracked: 'yes' },
    },
    spec: { replicas: 3, minReadySeconds: 4, selector: { matchLabels: labels }, template },
  };
  return {
    policy: 'shop',
    workload: { ...WORKLOAD, ...workload },
    deployment,
    template,
    revision: 'b1',
    replicas: 2,
    serviceSelector: { app: 'shop' },
    others: [],
    canary: null,
    ...more,
  };
}

const labelsOf = (asked: CanaryRequest) => canaryDeployment(asked).spec.template.metadata?.labels ?? {};
const policy = (name: string, spec: object) => selectorsIn('NetworkPolicy', { metadata: { name }, spec });

describe('the canary Deployment', () => {
  test('has the template and nothing else of the Deployment: no label, no annotation, no owner', () => {
    const { metadata, spec } = canaryDeployment(request());
    const own = { [LABEL.policy]: 'shop', [LABEL.role]: 'canary', [LABEL.revision]: 'b1' };
    assert.deepEqual(metadata, { namespace: 'a', name: 'shop-canary', labels: own });
    assert.equal(spec.minReadySeconds, 4);
    assert.equal(spec.replicas, 2);
    assert.deepEqual(spec.template.metadata?.labels, { app: 'shop-canary', part: 'web', ...own });
  });

  test('row 61: configuration is named as in the template: what hangs on a hash belongs to the version, the rest passes through', () => {
    const spec = {
      volumes: [
        { name: 'a', configMap: { name: 'settings-5f2c' } },
        { name: 'b', secret: { secretName: 'database' } },
      ],
      serviceAccountName: 'shop',
    };
    const { template } = canaryDeployment(request({ spec })).spec;
    assert.deepEqual(template.spec.volumes, spec.volumes);
    assert.equal(template.spec.serviceAccountName, 'shop');
  });

  test('is never selected by the Deployment beside it', () => {
    for (const pods of ['isolated', 'shared'] as const) {
      const { selector } = canaryDeployment(request({ workload: { pods } })).spec;
      assert.deepEqual(selector, { matchLabels: { [LABEL.policy]: 'shop', [LABEL.role]: 'canary' } });
    }
  });

  test('shared, it keeps all labels and its own gates, and gets one more', () => {
    const asked = request({ workload: { pods: 'shared' }, spec: { readinessGates: [{ conditionType: 'other' }] } });
    const { template } = canaryDeployment(asked).spec;
    assert.equal(template.metadata?.labels?.app, 'shop');
    assert.deepEqual(template.spec.readinessGates, [{ conditionType: 'other' }, { conditionType: TRAFFIC_GATE }]);
  });

  test('its own spread and affinity follow the label; selectors of nodes and of other pods do not', () => {
    const byApp = (app: string) => ({ labelSelector: { matchLabels: { app } }, topologyKey: 'zone' });
    const expression = (key: string, ...values: string[]) => ({ key, operator: 'In', values });
    const nodes = {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [expression('app', 'shop')] }],
      },
    };
    const spec = {
      topologySpreadConstraints: [{ maxSkew: 1, ...byApp('shop') }],
      affinity: {
        nodeAffinity: nodes,
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            byApp('shop'),
            byApp('cache'),
            { labelSelector: { matchExpressions: [expression('app', 'shop', 'cache')] }, topologyKey: 'host' },
          ],
        },
      },
    };
    const { template } = canaryDeployment(request({ spec })).spec;
    assert.deepEqual(template.spec.topologySpreadConstraints, [{ maxSkew: 1, ...byApp('shop-canary') }]);
    assert.deepEqual(template.spec.affinity, {
      nodeAffinity: nodes,
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          byApp('shop-canary'),
          byApp('cache'),
          { labelSelector: { matchExpressions: [expression('app', 'shop-canary', 'cache')] }, topologyKey: 'host' },
        ],
      },
    });
  });

  test('a long value stays a label', () => {
    assert.equal(isolatedValue('x'.repeat(63)).length, 63);
    assert.equal(isolatedValue('shop'), 'shop-canary');
  });

  test('a restart is no part of it', () => {
    const asked = request();
    const annotations = { 'kubectl.kubernetes.io/restartedAt': 'now', other: 'stays' };
    const template = { ...asked.template, metadata: { ...asked.template.metadata, annotations } };
    const made = canaryDeployment({ ...asked, template }).spec.template;
    assert.deepEqual(made.metadata?.annotations, { other: 'stays' });
  });
});

describe('the label that tells it apart', () => {
  test('is one that the Service and the Deployment both select', () => {
    const labels = { app: 'shop', 'app.kubernetes.io/name': 'shop' };
    const asked = request({ labels, serviceSelector: { 'app.kubernetes.io/name': 'shop' } });
    assert.equal(labelsOf(asked).app, 'shop');
    assert.equal(labelsOf(asked)['app.kubernetes.io/name'], 'shop-canary');
  });

  test('with none in common it is refused', () => {
    assert.throws(() => canaryDeployment(request({ serviceSelector: { tier: 'web' } })), { code: 'canary-label' });
    assert.throws(() => canaryDeployment(request({ workload: { label: 'tier' } })), {
      code: 'canary-label',
      fix: 'use app',
    });
  });

  const both = { serviceSelector: { app: 'shop', part: 'web' } };
  const onApp = { podSelector: { matchLabels: { app: 'shop' } } };

  test('is not one that a NetworkPolicy selects these pods by, its own or those it lets through', () => {
    const peer = { podSelector: { matchLabels: { app: 'db' } }, ingress: [{ from: [onApp] }] };
    for (const spec of [onApp, peer]) {
      const labels = labelsOf(request({ ...both, others: policy('p', spec) }));
      assert.deepEqual([labels.app, labels.part], ['shop', 'web-canary']);
    }
  });

  test('without another one it is refused, and says who would miss the canary; the policy’s own word accepts that', () => {
    const others = policy('db', onApp);
    assert.throws(() => canaryDeployment(request({ others })), {
      code: 'canary-missed',
      message: /missed by NetworkPolicy db/,
      fix: /label: app/,
    });
    assert.equal(labelsOf(request({ others, workload: { label: 'app' } })).app, 'shop-canary');
  });

  test('stays what it is for a canary that is there already', () => {
    const canary = canaryDeployment(request({ ...both, others: policy('p', onApp) }));
    const labels = labelsOf(request({ ...both, canary, workload: { label: 'app' } }));
    assert.deepEqual([labels.app, labels.part], ['shop', 'web-canary']);
  });

  test('a policy that selects everything, or others, misses nobody', () => {
    for (const spec of [{ podSelector: {} }, { podSelector: { matchLabels: { app: 'db' } } }]) {
      assert.equal(labelsOf(request({ others: policy('p', spec) })).app, 'shop-canary');
    }
  });

  test('a disruption budget is kept where it can be, and is no reason to refuse', () => {
    const others: readonly NamespaceSelector[] = selectorsIn('PodDisruptionBudget', {
      metadata: { name: 'pdb' },
      spec: { selector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['shop'] }] } },
    });
    assert.equal(labelsOf(request({ ...both, others })).part, 'web-canary');
    assert.equal(labelsOf(request({ others })).app, 'shop-canary');
  });
});
