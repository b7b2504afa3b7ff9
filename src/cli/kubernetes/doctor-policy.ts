// What could go wrong in a release of this policy, asked before there is one: is it read, do new templates wait, does every
// query tell both versions, is each check able to fail, what else hangs while a version waits. It writes nothing.

import { ANNOTATION } from '../../cluster/names.ts';
import type { Deployment } from '../../cluster/objects.ts';
import { describeDuration } from '../../core/model/duration.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import { lintPolicy } from '../../core/policy/index.ts';
import { isTried } from '../../core/rehearsal/index.ts';
import type { Detection, Diagnosis, Finding, ReleaseView } from '../../core/views/index.ts';
import { CliError } from '../errors.ts';
import type { KubernetesClient } from './client.ts';
import type { Cluster, PolicyObject } from './cluster.ts';
import { ok, problem, warning } from './doctor.ts';
import { configFindings } from './doctor-config.ts';
import { queryFindings } from './doctor-queries.ts';
import { olderRouteFindings } from './doctor-routes.ts';
import { isForbidden } from './errors.ts';
import { type FoundObjects, findObjects, refusedParents } from './objects.ts';

export async function diagnosePolicy(client: KubernetesClient, name: string): Promise<Diagnosis> {
  const { cluster } = client;
  const object = await client.policyObject(name);
  const view = await client.policy(name);
  if (object === null || view === null) {
    throw new CliError(`there is no policy "${name}"`, { code: 'policy-unknown', path: name, fix: 'haldane status' });
  }
  const found = await findObjects(cluster, object);
  const { policy, deployment } = found;
  const findings = [
    ...lookedAt(object, view),
    ...workloadFindings(found),
    ...(deployment == null ? [] : await holdFindings(cluster, object, deployment)),
    ...(policy === null ? [] : await routerFindings(cluster, policy, found)),
    ...(policy === null ? [] : await olderRouteFindings(cluster, policy)),
    ...queryFindings(view, policy),
  ];
  if (policy === null) return { policy: name, findings, detections: [] };
  const detections = detectionsOf(cluster, policy, view);
  return {
    policy: name,
    findings: [
      ...findings,
      ...checkFindings(policy, detections),
      ...(deployment == null ? [] : hangingFindings(name, deployment)),
      ...(deployment == null ? [] : await configFindings(cluster, deployment)),
    ],
    detections,
  };
}

function lookedAt({ metadata, status }: PolicyObject, view: ReleaseView): readonly Finding[] {
  const { generation = 0 } = metadata;
  const stalled = status?.conditions?.find(({ type }) => type === 'Stalled');
  const findings: Finding[] = [];
  if ((status?.observedGeneration ?? 0) < generation) {
    findings.push(
      problem('policy', 'the operator has not looked at the policy as it stands', 'is it running? see operator above'),
    );
  } else findings.push(ok('policy', 'the operator has looked at the policy as it stands'));
  if (stalled?.status === 'True' && stalled.reason !== 'VersionWaits') {
    findings.push(problem('policy', stalled.message ?? 'it is stalled', 'mend what it names; it goes on by itself'));
  }
  // That there is no Deployment is said under workload, with what to do.
  const missing = status?.conditions?.find(({ reason }) => reason === 'DeploymentMissing');
  const others = view.troubles.filter((trouble) => trouble !== stalled?.message && trouble !== missing?.message);
  return [...findings, ...others.map(troubleFinding)];
}

/** A trouble may bring its own fix. */
function troubleFinding(trouble: string): Finding {
  const [what = trouble, fix = 'mend what it names; it is tried again by itself'] = trouble.split(/\s*\n\s*fix: /);
  return problem('policy', what, fix);
}

function workloadFindings({ deployment, deploymentName }: FoundObjects): readonly Finding[] {
  if (deployment === null) {
    return [
      warning('workload', `Deployment ${deploymentName} may not be read with your rights`, 'see the rights above'),
    ];
  }
  if (deployment === undefined) {
    return [problem('workload', `there is no Deployment ${deploymentName}`, 'create it, or name another one')];
  }
  const { spec, status = {} } = deployment;
  const wanted = spec.replicas ?? 1;
  const ready = status.readyReplicas ?? 0;
  const containers = spec.template.spec.containers;
  const without = containers.filter((container) => container.readinessProbe === undefined).map(({ name }) => name);
  return [
    ready >= wanted
      ? ok('workload', `Deployment ${deploymentName}: ${ready} of ${wanted} ready`)
      : problem(
          'workload',
          `Deployment ${deploymentName}: ${ready} of ${wanted} ready`,
          'haldane status names the pod',
        ),
    without.length === 0
      ? ok('probes', 'every container is asked whether it is ready')
      : warning(
          'probes',
          `no readiness probe: ${without.join(', ')}; a process that has started counts as ready`,
          'add a readinessProbe to the template',
        ),
  ];
}

const TRIED = 'haldane.dev/doctor';

/** A new template in a dry run: does it wait? */
async function holdFindings(
  { api, kinds }: Cluster,
  { status }: PolicyObject,
  deployment: Deployment,
): Promise<readonly Finding[]> {
  const { metadata, spec } = deployment;
  if (status?.suspended === true) {
    const fix = 'haldane unsuspend ends that';
    return [warning('hold', 'suspended: new versions go to everybody unanalysed', fix)];
  }
  const path = '/spec/template/metadata/annotations';
  const has = spec.template.metadata?.annotations !== undefined;
  const operation = has
    ? ({ op: 'add', path: `${path}/${TRIED.replace('/', '~1')}`, value: 'true' } as const)
    : ({ op: 'add', path, value: { [TRIED]: 'true' } } as const);
  try {
    const tried = await api.patch<Deployment>(
      kinds.deployments,
      metadata,
      { type: 'json', operations: [operation] },
      { dryRun: true, fieldManager: 'kubectl-haldane' },
    );
    const isHeld = tried.spec.paused === true && tried.metadata.annotations?.[ANNOTATION.held] === 'true';
    return isHeld
      ? [ok('hold', 'a new template waits: tried in a dry run')]
      : [
          problem(
            'hold',
            'a new template would roll at once, until the operator pauses it',
            'is admission.yaml applied, and is the policy read? see install and policy above',
          ),
        ];
  } catch (error) {
    if (!isForbidden(error)) throw error;
    const isLocked = metadata.annotations?.[ANNOTATION.lock] !== undefined;
    if (isLocked) return [ok('hold', 'it is being rolled by Haldane: the API server refuses new templates meanwhile')];
    return [warning('hold', 'whether a new template waits may not be tried with your rights', 'see the rights above')];
  }
}

async function routerFindings(
  cluster: Cluster,
  policy: ReleasePolicy,
  { services, route, deployment }: FoundObjects,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [name, service] of services) {
    if (service !== undefined || name.endsWith('-canary')) continue;
    findings.push(problem('router', `there is no Service ${name}`, 'create it, or name another one'));
  }
  if (route !== null) {
    const [name, found] = route;
    const isOwned = policy.router.kind === 'gatewayApi' && policy.router.route.kind === 'owned';
    if (found === undefined) {
      findings.push(
        isOwned
          ? warning('router', `HTTPRoute ${name} is not written yet`, 'it is with the first look of the operator')
          : problem('router', `there is no HTTPRoute ${name}`, 'name the route that sends to the Service'),
      );
    } else if (found !== null) {
      const refused = refusedParents(found);
      findings.push(
        ...refused.map((text) =>
          problem('router', `HTTPRoute ${name}: ${text}`, 'kubectl describe httproute names it'),
        ),
        ...(refused.length === 0 ? [ok('router', `HTTPRoute ${name} is accepted`)] : []),
      );
    }
  }
  const why = await cluster.whyNotRouted(policy).catch(() => null);
  if (why !== null) findings.push(problem('router', why, 'change the policy'));
  const replicas = deployment?.spec.replicas ?? 1;
  const finer = lintPolicy(policy, { version: null, replicas }).filter(({ code }) => code === 'stage-finer-than-a-pod');
  findings.push(...finer.map(({ path, problem: what, fix }) => warning('router', `${path}: ${what}`, fix)));
  if (policy.router.kind === 'replicaShare' && finer.length === 0) {
    findings.push(ok('router', `every stage can be shown by whole pods beside ${replicas}`));
  }
  return findings;
}

function detectionsOf(cluster: Cluster, policy: ReleasePolicy, view: ReleaseView): readonly Detection[] {
  const perSecond = perSecondOf(view);
  if (perSecond === null) return [];
  return policy.checks
    .filter((check) => isTried(check) || check.rule !== null || check.metric.kind === 'gauge')
    .map((check) => {
      const stable = view.evidence.find((line) => line.check === check.name)?.stable;
      const badRate = stable === undefined || stable.total === 0 ? null : stable.bad / stable.total;
      return cluster.detect(policy, check, { perSecond, badRate });
    });
}

/** As the data plane was seen lately, else over the last release. */
function perSecondOf({ traffic, release }: ReleaseView): number | null {
  if (traffic.requests > 0 && traffic.spanMs > 0) return (traffic.requests * 1_000) / traffic.spanMs;
  if (release === null || release.spentMs <= 0) return null;
  const { canaryRequests, stableRequests } = release.exposure;
  const total = canaryRequests + stableRequests;
  return total === 0 ? null : (total * 1_000) / release.spentMs;
}

function checkFindings(policy: ReleasePolicy, detections: readonly Detection[]): readonly Finding[] {
  if (policy.analysis === 'none') return [warning('checks', 'analysis is none: nothing is judged', 'add checks')];
  if (detections.length === 0) {
    const fix = 'kubectl haldane plan -f policy.yaml --rps 100 --error-rate 0.1% says what each check would see';
    return [warning('checks', 'whether each check is able to fail is not known: no traffic was counted yet', fix)];
  }
  return detections.map((each) => {
    const at = `at ${each.weightPercent} % of ${each.perSecond.toFixed(1)} requests/s`;
    if (each.detectsInMs !== null) {
      const when = describeDuration(each.detectsInMs);
      return ok('checks', `${each.check} is able to fail: ${each.harm} is seen in about ${when} ${at}`);
    }
    const why = each.note ?? `not seen within ${describeDuration(each.withinMs)} ${at}`;
    const finding = each.role === 'required' ? problem : warning;
    const fix = 'more traffic, a larger first weight, or a wider tolerance';
    return finding('checks', `${each.check} would not fail: ${each.harm}: ${why}`, fix);
  });
}

/** Who waits for a Deployment that is paused. */
function hangingFindings(name: string, { metadata }: Deployment): readonly Finding[] {
  const { labels = {}, annotations = {} } = metadata;
  const has = (key: string) => key in labels || key in annotations;
  const instead = `haldane status ${name} --wait --image IMAGE`;
  const findings = [warning('hold', 'kubectl rollout status hangs while a version waits', `use ${instead}`)];
  if (has('kustomize.toolkit.fluxcd.io/name') || has('helm.toolkit.fluxcd.io/name')) {
    const fix = `leave wait and healthChecks off for it, or let them wait for ReleasePolicy ${name}`;
    findings.push(
      warning('hold', 'Flux manages it: wait, healthChecks and dependsOn stall while a version waits', fix),
    );
  }
  if (has('meta.helm.sh/release-name') || labels['app.kubernetes.io/managed-by'] === 'Helm') {
    findings.push(
      warning('hold', 'Helm manages it: --wait of Helm 3 takes a paused Deployment for ready, Helm 4 stalls', instead),
    );
  }
  if (has('argocd.argoproj.io/tracking-id') || has('argocd.argoproj.io/instance')) {
    findings.push(
      warning(
        'hold',
        'Argo CD manages it: it shows Suspended while a version waits, and sync waves behind it stall',
        instead,
      ),
    );
  }
  return findings;
}
