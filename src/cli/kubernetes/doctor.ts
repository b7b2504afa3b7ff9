// What is asked of a cluster before a release, whatever the policy: may you do what you want, is Haldane installed, does
// the API server do its part, is an operator alive. It writes nothing: what it tries is a dry run.

import { exemptAccount } from '../../cluster/admission.ts';
import type { Verb } from '../../core/model/command.ts';
import type { Finding } from '../../core/views/index.ts';
import type { KubeObject, Resource } from '../../kubernetes/index.ts';
import type { Health } from '../client.ts';
import type { KubernetesClient } from './client.ts';
import type { Cluster } from './cluster.ts';
import { grantText, INSTALL, isForbidden, isNotThere, placeText, roleFor, VIEWER } from './errors.ts';

type Area = Finding['area'];

export const ok = (area: Area, message: string): Finding => ({ area, status: 'ok', message, fix: null });
export const warning = (area: Area, message: string, fix: string): Finding => ({
  area,
  status: 'warning',
  message,
  fix,
});
export const problem = (area: Area, message: string, fix: string): Finding => ({
  area,
  status: 'problem',
  message,
  fix,
});

const VERBS: readonly Verb[] = [
  'abort',
  'pause',
  'resume',
  'advance',
  'retry',
  'rollback',
  'unsuspend',
  'approve',
  'promote',
  'suspend',
];

export async function clusterHealth(client: KubernetesClient): Promise<Health> {
  const { server, namespace, version } = client.cluster;
  const user = await client.user();
  const installed = await installFindings(client.cluster);
  const allowed = await allowedVerbs(client);
  const findings = [
    ...installed,
    ...(await rightsFindings(client, user, allowed)),
    ...(await admissionFindings(client.cluster)),
    ...(await stampFindings(client.cluster, user, allowed)),
    ...(await operatorFindings(client)),
  ];
  return {
    line: `${server}, ${client.place === null ? 'all namespaces' : `namespace ${namespace}`}${user === null ? '' : `, as ${user}`}`,
    notes: [],
    findings,
    hasPolicies: installed.every(({ status }) => status !== 'problem'),
    details: { server, namespace, user, version, findings },
  };
}

const PLURALS = ['releasepolicies', 'releases', 'releasecommands'];

async function installFindings({ api }: Cluster): Promise<readonly Finding[]> {
  try {
    const found = await api.raw<{ resources?: readonly { name: string }[] }>('GET', '/apis/haldane.dev/v1alpha1');
    const names = (found.resources ?? []).map(({ name }) => name);
    const missing = PLURALS.filter((plural) => !names.includes(plural));
    return missing.length === 0
      ? [ok('install', 'the definitions of haldane.dev/v1alpha1 are served')]
      : [problem('install', `the API server does not serve ${missing.join(', ')}`, INSTALL)];
  } catch (error) {
    if (isForbidden(error)) {
      const fix = 'see the rights below';
      return [warning('install', 'whether Haldane is installed may not be looked at with your rights', fix)];
    }
    if (!isNotThere(error)) throw error;
    return [problem('install', 'Haldane is not installed: haldane.dev/v1alpha1 is not served', INSTALL)];
  }
}

/** By the API server's own word, for this user in this namespace; who may not even ask that may nothing. */
async function mayI(
  { cluster, place }: KubernetesClient,
  verb: string,
  [group, resource]: readonly [string, string],
): Promise<boolean> {
  const where = place === null ? {} : { namespace: place };
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { ...where, verb, group, resource } },
  };
  try {
    const answer = await cluster.api.raw<{ status?: { allowed?: boolean } }>('POST', REVIEWS, review);
    return answer.status?.allowed === true;
  } catch (error) {
    if (isForbidden(error)) return false;
    throw error;
  }
}

const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const RELEASES = ['haldane.dev', 'releases'] as const;

async function allowedVerbs(client: KubernetesClient): Promise<readonly Verb[]> {
  if (!(await mayI(client, 'create', ['haldane.dev', 'releasecommands']))) return [];
  const allowed = await Promise.all(VERBS.map((verb) => mayI(client, verb, RELEASES)));
  return VERBS.filter((_verb, index) => allowed[index]);
}

async function rightsFindings(
  client: KubernetesClient,
  user: string | null,
  allowed: readonly Verb[],
): Promise<readonly Finding[]> {
  const { place } = client;
  const where = placeText(place);
  const findings: Finding[] = [];
  const looks = await Promise.all(
    [['haldane.dev', 'releasepolicies'] as const, RELEASES].flatMap((kind) =>
      ['list', 'watch'].map((verb) => mayI(client, verb, kind)),
    ),
  );
  findings.push(
    looks.every(Boolean)
      ? ok('rights', `you may look on in ${where}`)
      : problem('rights', `you may not look on in ${where}`, grantText(VIEWER, place, user)),
  );
  const denied = VERBS.filter((verb) => !allowed.includes(verb));
  const roles = [...new Set(denied.map((verb) => roleFor(verb)))].join(' and ');
  const may = allowed.length === 0 ? 'you may give no command' : `you may ${allowed.join(', ')}`;
  const not = denied.length === 0 || allowed.length === 0 ? '' : `; not ${denied.join(', ')}`;
  findings.push(ok('rights', `${may}${not}${denied.length === 0 ? '' : ` (that takes ${roles})`}`));
  const unseen = await Promise.all(
    (
      [
        ['apps', 'deployments'],
        ['apps', 'replicasets'],
        ['', 'pods'],
      ] as const
    ).map(async (kind) => ((await mayI(client, 'list', kind)) ? null : kind[1])),
  );
  const missing = unseen.filter((each) => each !== null);
  if (missing.length > 0) {
    const fix = grantText('view', place, user);
    findings.push(warning('rights', `you may not list ${missing.join(', ')}: the tree of objects has gaps`, fix));
  }
  return findings;
}

interface Binding extends KubeObject {
  readonly spec?: {
    readonly policyName?: string;
    readonly validationActions?: readonly string[];
    readonly matchResources?: {
      readonly namespaceSelector?: object;
      readonly objectSelector?: object;
      readonly excludeResourceRules?: readonly unknown[];
    };
  };
}

const MUTATING = ['haldane-hold', 'haldane-hold-marked', 'haldane-keep', 'haldane-floor', 'haldane-actor'];
const VALIDATING = ['haldane-lock', 'haldane-verbs'];
const ADMISSION = 'kubectl apply -f admission.yaml (as an administrator; Kubernetes 1.36 or later)';

async function admissionFindings({ api, kinds }: Cluster): Promise<readonly Finding[]> {
  const exempt = new Set<string>();
  const seen = async (kind: Resource, bindings: Resource, name: string): Promise<string | null> => {
    const policy = await api.get(kind, { name });
    if (policy === null) return `${name} is not there`;
    const account = exemptAccount(policy);
    if (account !== null) exempt.add(account);
    const binding = await api.get<Binding>(bindings, { name });
    return binding === null ? `${name} is not bound` : narrowed(name, binding, kind === kinds.validatingPolicies);
  };
  try {
    const wrong = [
      ...(await Promise.all(MUTATING.map((name) => seen(kinds.mutatingPolicies, kinds.mutatingBindings, name)))),
      ...(await Promise.all(VALIDATING.map((name) => seen(kinds.validatingPolicies, kinds.validatingBindings, name)))),
    ].filter((each) => each !== null);
    if (exempt.size > 1) wrong.push(`they exempt more than one account: ${[...exempt].sort().join(', ')}`);
    const who = [...exempt].map((account) => `; they take ${account} for the operator`).join('');
    if (wrong.length === 0) return [ok('install', `the admission policies are there and bound everywhere${who}`)];
    return [problem('install', `the API server does not do its part: ${wrong.join('; ')}`, ADMISSION)];
  } catch (error) {
    if (!isForbidden(error)) throw error;
    const fix = 'nothing to do: each policy below says what a dry run showed';
    return [warning('install', 'the admission policies may not be looked at with your rights; they are tried', fix)];
  }
}

/** Bound to less than everything, or without the power to refuse. */
function narrowed(name: string, { spec = {} }: Binding, isValidating: boolean): string | null {
  if (spec.policyName !== name) return `the binding ${name} binds ${spec.policyName ?? 'nothing'}`;
  if (isValidating && !(spec.validationActions ?? []).includes('Deny')) return `${name} does not deny`;
  const { namespaceSelector = {}, objectSelector = {}, excludeResourceRules = [] } = spec.matchResources ?? {};
  const isNarrow = [namespaceSelector, objectSelector].some((selector) => Object.keys(selector).length > 0);
  return isNarrow || excludeResourceRules.length > 0 ? `${name} is bound to a part of the cluster only` : null;
}

/** Does a command carry the name of who gave it? */
async function stampFindings(
  { api, kinds, namespace }: Cluster,
  user: string | null,
  allowed: readonly Verb[],
): Promise<readonly Finding[]> {
  const verb = allowed.find((each) => each !== 'suspend');
  if (verb === undefined || user === null) return [];
  const object = {
    apiVersion: 'haldane.dev/v1alpha1',
    kind: 'ReleaseCommand',
    metadata: { namespace, name: 'haldane-doctor' },
    spec: { policy: 'haldane-doctor', verb },
  };
  try {
    const made = await api.create(kinds.commands, object, { dryRun: true });
    const { actor } = made.spec as { readonly actor?: string };
    if (actor === user) return [ok('install', 'commands are stamped with who gives them')];
    return [problem('install', 'commands are not stamped: anybody could pass for anybody', ADMISSION)];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [warning('install', `a command could not be tried: ${why}`, 'see the rights above')];
  }
}

interface Lease extends KubeObject {
  readonly spec?: { readonly holderIdentity?: string | null; readonly renewTime?: string };
}

const LEASE_NAMESPACE = 'haldane-system';
const FRESH_MS = 30_000;
const RENEWED_WITHIN_MS = 6_000;
const START = `kubectl -n ${LEASE_NAMESPACE} get pods; kubectl -n ${LEASE_NAMESPACE} rollout restart deployment/haldane`;

async function operatorFindings(client: KubernetesClient): Promise<readonly Finding[]> {
  try {
    const lease = await readLease(client.cluster);
    if (lease === null) return [problem('operator', 'no operator has ever led here', START)];
    const holder = lease.spec?.holderIdentity ?? '';
    if (holder === '') return [problem('operator', 'no operator leads: the last one gave its lease up', START)];
    const ageMs = client.wallMs - Date.parse(lease.spec?.renewTime ?? '');
    if (Math.abs(ageMs) < FRESH_MS || (await isRenewed(client, lease))) return [ok('operator', `${holder} leads`)];
    const since = `${Math.round(ageMs / 1_000)} s`;
    return [problem('operator', `${holder} has not renewed its lease for ${since}: nobody decides`, START)];
  } catch (error) {
    if (!isForbidden(error)) throw error;
    const fix = `ask somebody who may read leases in ${LEASE_NAMESPACE}; each policy says below how far it was looked at`;
    return [warning('operator', 'whether an operator leads may not be looked at with your rights', fix)];
  }
}

/** The clocks of the two machines need not agree: a lease that changes is alive. */
async function isRenewed(client: KubernetesClient, lease: Lease): Promise<boolean> {
  await client.sleep(RENEWED_WITHIN_MS);
  return (await readLease(client.cluster))?.spec?.renewTime !== lease.spec?.renewTime;
}

async function readLease({ api, kinds, namespace }: Cluster): Promise<Lease | null> {
  const get = (name: string) => api.get<Lease>(kinds.leases, { namespace: LEASE_NAMESPACE, name });
  return (await get('haldane')) ?? (await get(`haldane-${namespace}`));
}
