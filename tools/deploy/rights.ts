/**
 * What the operator may do, and the roles people get. One ClusterRole without any Secret: a policy that names one needs the
 * Role of secrets-role.yaml in its own namespace.
 */
import { VERBS } from '../../src/core/engine/index.ts';
import type { Verb } from '../../src/core/model/command.ts';
import type { Schema } from './lower.ts';

export const NAMESPACE = 'haldane-system';
export const ACCOUNT = 'haldane';
export const LABELS = { 'app.kubernetes.io/name': 'haldane' };

const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'update', 'patch', 'delete'];

function rule(group: string, resources: readonly string[], verbs: readonly string[]): Schema {
  return { apiGroups: [group], resources: [...resources], verbs: [...verbs] };
}

const OPERATOR_RULES: readonly Schema[] = [
  rule('haldane.dev', ['releasepolicies'], [...READ, 'update', 'patch']),
  rule('haldane.dev', ['releases'], [...READ, ...WRITE]),
  rule('haldane.dev', ['releasecommands'], [...READ, 'update', 'patch', 'delete']),
  rule(
    'haldane.dev',
    ['releasepolicies/status', 'releases/status', 'releasecommands/status'],
    ['get', 'update', 'patch'],
  ),
  // A Release is owned by its policy.
  rule('haldane.dev', ['releasepolicies/finalizers', 'releases/finalizers'], ['update']),
  rule('apps', ['deployments'], [...READ, ...WRITE]),
  rule('apps', ['replicasets'], [...READ, 'delete']),
  rule('', ['pods'], READ),
  // The readiness gate of replica share.
  rule('', ['pods/status'], ['patch']),
  rule('', ['services'], [...READ, ...WRITE]),
  rule('discovery.k8s.io', ['endpointslices'], READ),
  rule('gateway.networking.k8s.io', ['httproutes'], [...READ, ...WRITE]),
  rule('gateway.networking.k8s.io', ['gateways', 'gatewayclasses'], READ),
  rule('', ['events'], ['create', 'patch']),
  rule('events.k8s.io', ['events'], ['create', 'patch']),
  // Read before a release starts: who selects pods, and would miss the canary's.
  rule('networking.k8s.io', ['networkpolicies'], READ),
  rule('policy', ['poddisruptionbudgets'], READ),
  // Whether the hold is installed, and what stamps and checks commands.
  rule(
    'admissionregistration.k8s.io',
    [
      'mutatingadmissionpolicies',
      'mutatingadmissionpolicybindings',
      'validatingadmissionpolicies',
      'validatingadmissionpolicybindings',
    ],
    READ,
  ),
];

/** The risky direction is asked of another person: what goes past evidence, or opens a gate. */
const APPROVER_VERBS: readonly Verb[] = ['approve', 'promote', 'suspend'];
const OPERATOR_VERBS: readonly Verb[] = VERBS.filter((verb) => !APPROVER_VERBS.includes(verb));

function role(name: string, aggregatedTo: string, rules: readonly Schema[]): Schema {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name, labels: { ...LABELS, [`rbac.authorization.k8s.io/aggregate-to-${aggregatedTo}`]: 'true' } },
    rules,
  };
}

const CREATE_COMMANDS = rule('haldane.dev', ['releasecommands'], ['create']);

/** Given by a RoleBinding per namespace; whoever has view, edit or admin there has them already. */
export function peoplesRoles(): readonly Schema[] {
  return [
    role('haldane-viewer', 'view', [rule('haldane.dev', ['releasepolicies', 'releases', 'releasecommands'], READ)]),
    role('haldane-editor', 'edit', [rule('haldane.dev', ['releasepolicies'], [...READ, ...WRITE])]),
    role('haldane-operator', 'edit', [
      rule('haldane.dev', ['releasepolicies', 'releases', 'releasecommands'], READ),
      CREATE_COMMANDS,
      rule('haldane.dev', ['releases'], [...OPERATOR_VERBS].sort()),
    ]),
    role('haldane-approver', 'admin', [
      rule('haldane.dev', ['releasepolicies', 'releases', 'releasecommands'], READ),
      CREATE_COMMANDS,
      rule('haldane.dev', ['releases'], [...APPROVER_VERBS, 'skip-analysis'].sort()),
    ]),
  ];
}

function bound(metadata: Schema, account: string, rules: readonly Schema[]): readonly Schema[] {
  return [
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata, rules },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: metadata.name ?? '' },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace: NAMESPACE }],
    },
  ];
}

/** Of the job that removes every policy; the operator itself cannot delete one. */
export function handBackRights(metadata: Schema, account: string): readonly Schema[] {
  return bound(metadata, account, [rule('haldane.dev', ['releasepolicies'], [...READ, 'delete'])]);
}

export function operatorsRights(): readonly Schema[] {
  const metadata = { name: 'haldane-leader', namespace: NAMESPACE, labels: LABELS };
  return [
    ...bound({ name: ACCOUNT, labels: LABELS }, ACCOUNT, OPERATOR_RULES),
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata,
      rules: [rule('coordination.k8s.io', ['leases'], ['get', 'create', 'update', 'patch'])],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name },
      subjects: [{ kind: 'ServiceAccount', name: ACCOUNT, namespace: NAMESPACE }],
    },
  ];
}
