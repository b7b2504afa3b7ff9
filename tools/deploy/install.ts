/** What runs in the cluster: the operator twice, one of them leading; and the job that gives every workload back. */
import { readFileSync } from 'node:fs';
import { customResources } from './custom-resources.ts';
import type { Schema } from './lower.ts';
import { ACCOUNT, handBackRights, LABELS, NAMESPACE, operatorsRights, peoplesRoles } from './rights.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};
const IMAGE = `ghcr.io/haldane/haldane:${version}`;
const PORT = 8081;
const CONTROLLER = { ...LABELS, 'app.kubernetes.io/component': 'controller' };

const NAMESPACE_OBJECT = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: NAMESPACE, labels: { ...LABELS, 'pod-security.kubernetes.io/enforce': 'restricted' } },
};

const ACCOUNT_OBJECT = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: ACCOUNT, namespace: NAMESPACE, labels: LABELS },
};

const POD_SECURITY = { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: 'RuntimeDefault' } };
const CONTAINER_SECURITY = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

function container(args: readonly string[]): Schema {
  return {
    name: 'haldane',
    image: IMAGE,
    args: [...args],
    env: [
      { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
    ],
    resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } },
    securityContext: CONTAINER_SECURITY,
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
  };
}

function probe(path: string, more: Schema): Schema {
  return { httpGet: { path, port: 'health' }, ...more };
}

const DEPLOYMENT = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'haldane', namespace: NAMESPACE, labels: CONTROLLER },
  spec: {
    replicas: 2,
    selector: { matchLabels: CONTROLLER },
    template: {
      metadata: {
        labels: CONTROLLER,
        annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': String(PORT) },
      },
      spec: {
        serviceAccountName: ACCOUNT,
        securityContext: POD_SECURITY,
        // A leader that ends gives its lease back first.
        terminationGracePeriodSeconds: 30,
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'kubernetes.io/hostname',
            whenUnsatisfiable: 'ScheduleAnyway',
            labelSelector: { matchLabels: CONTROLLER },
          },
        ],
        containers: [
          {
            ...container(['operator']),
            ports: [{ name: 'health', containerPort: PORT }],
            livenessProbe: probe('/healthz', { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 }),
            readinessProbe: probe('/readyz', { periodSeconds: 5, timeoutSeconds: 5 }),
          },
        ],
        volumes: [{ name: 'tmp', emptyDir: {} }],
      },
    },
  },
};

const BUDGET = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'haldane', namespace: NAMESPACE, labels: LABELS },
  spec: { maxUnavailable: 1, selector: { matchLabels: CONTROLLER } },
};

const METRICS = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'haldane-metrics', namespace: NAMESPACE, labels: LABELS },
  spec: { selector: CONTROLLER, ports: [{ name: 'metrics', port: PORT, targetPort: 'health' }] },
};

export function installation(): readonly Schema[] {
  return [
    NAMESPACE_OBJECT,
    ...customResources(),
    ACCOUNT_OBJECT,
    ...operatorsRights(),
    ...peoplesRoles(),
    DEPLOYMENT,
    BUDGET,
    METRICS,
  ];
}

const HAND_BACK = 'haldane-hand-back';
const BEFORE_REMOVAL = {
  'helm.sh/hook': 'pre-delete',
  'helm.sh/hook-delete-policy': 'before-hook-creation,hook-succeeded',
};

/** Runs while the operator still does: it deletes every policy and waits until each workload is given back. */
export function handingBack(): readonly Schema[] {
  const metadata = { name: HAND_BACK, labels: LABELS, annotations: BEFORE_REMOVAL };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { ...metadata, namespace: NAMESPACE } },
    ...handBackRights(metadata, HAND_BACK),
    handBackJob({ ...metadata, namespace: NAMESPACE }),
  ];
}

function handBackJob(metadata: Schema): Schema {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata,
    spec: {
      backoffLimit: 3,
      template: {
        metadata: { labels: { ...LABELS, 'app.kubernetes.io/component': 'hand-back' } },
        spec: {
          serviceAccountName: HAND_BACK,
          restartPolicy: 'Never',
          securityContext: POD_SECURITY,
          containers: [container(['operator', 'hand-back', '--all'])],
          volumes: [{ name: 'tmp', emptyDir: {} }],
        },
      },
    },
  };
}
