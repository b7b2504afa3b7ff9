// What the controller costs when nothing happens: 300 policies at rest for two minutes, counted by the API server (requests
// of service accounts) and by the controller itself. Pods are as real as HALDANE_E2E_POD_ANNOTATIONS makes them.

import { RELEASE_POLICIES } from '../../src/kubernetes/index.ts';
import type { Cluster } from '../../test/e2e/cluster.ts';
import { until } from '../../test/e2e/cluster.ts';
import { Operator } from '../../test/e2e/operator.ts';
import { ROUTERS, type RouterUnderTest } from '../../test/e2e/routers.ts';
import { deployment, FAKES_PODS, good, policy, service } from '../../test/e2e/world.ts';

const NAMESPACE = 'e2e-rest';
const MEASURED_MS = 120_000;

export interface Rest {
  readonly policies: number;
  readonly pods: 'faked' | 'real';
  readonly minutes: number;
  readonly callsByServer: number;
  readonly callsByItself: number;
  readonly byKind: Readonly<Record<string, number>>;
  readonly residentMegabytes: number;
  readonly cpuSeconds: number;
  readonly commit: string;
}

export async function rest(
  cluster: Cluster,
  at: { readonly folder: string; readonly commit: string; readonly policies: number },
): Promise<Rest> {
  const { policies } = at;
  const router = ROUTERS.find(({ name }) => name === 'replica-share') as RouterUnderTest;
  await cluster.freshNamespace(NAMESPACE);
  for (let number = 1; number <= policies; number += 1) await makeOne(cluster, router, `shop-${number}`);
  const operator = await Operator.start({ cluster, namespace: NAMESPACE, folder: at.folder }, 'operator-rest');
  try {
    await until(`${policies} policies are at rest`, 900_000, async () => (await atRest(cluster)) === policies);
    await new Promise((resolve) => setTimeout(resolve, 30_000));
    const before = await figures(cluster, operator);
    await new Promise((resolve) => setTimeout(resolve, MEASURED_MS));
    const after = await figures(cluster, operator);
    const byKind: Record<string, number> = {};
    for (const [key, count] of Object.entries(after.own)) {
      const more = count - (before.own[key] ?? 0);
      if (more > 0) byKind[key] = more;
    }
    return {
      policies,
      pods: FAKES_PODS ? 'faked' : 'real',
      minutes: MEASURED_MS / 60_000,
      callsByServer: after.served - before.served,
      callsByItself: Object.values(byKind).reduce((sum, count) => sum + count, 0),
      byKind,
      residentMegabytes: Math.round(after.usage.residentBytes / 1e6),
      cpuSeconds: Number((after.usage.cpuSeconds - before.usage.cpuSeconds).toFixed(2)),
      commit: at.commit,
    };
  } finally {
    await operator.stop();
    await cluster.dropNamespace(NAMESPACE);
  }
}

async function makeOne(cluster: Cluster, router: RouterUnderTest, name: string): Promise<void> {
  await cluster.apply(service(NAMESPACE, name));
  await cluster.apply(deployment(NAMESPACE, good(1), { name, replicas: 1, fake: true }));
  const made = policy(NAMESPACE, router, {
    spec: { workload: { deployment: { name } }, router: { replicaShare: { service: name } } },
  });
  await cluster.apply({ ...made, metadata: { ...made.metadata, name } });
}

async function atRest(cluster: Cluster): Promise<number> {
  const { items } = await cluster.api.list(RELEASE_POLICIES, { namespace: NAMESPACE });
  const isAtRest = (status: unknown) =>
    (status as { phase?: string; stable?: string } | undefined)?.phase === 'at rest';
  return items.filter(({ status }) => isAtRest(status)).length;
}

async function figures(cluster: Cluster, operator: Operator) {
  const text = await metricsText(cluster);
  const served = sum(
    text,
    /^apiserver_flowcontrol_dispatched_requests_total\{.*flow_schema="service-accounts".*\} (\S+)$/gm,
  );
  const own: Record<string, number> = {};
  for (const [, labels = '', count] of (await operator.metrics()).matchAll(
    /^haldane_api_calls_total\{(.*)\} (\S+)$/gm,
  )) {
    own[labels] = Number(count);
  }
  return { served, own, usage: await operator.usage() };
}

/** The API server's own figures, which are text and not JSON. */
async function metricsText(cluster: Cluster): Promise<string> {
  const { Agent, request } = await import('undici');
  const { server, ca, credentials } = cluster.config;
  const identity = await credentials.get(false);
  const dispatcher = new Agent({ connect: { ca, rejectUnauthorized: ca !== undefined } });
  try {
    const headers = identity.token === undefined ? {} : { authorization: `Bearer ${identity.token}` };
    return await (await request(`${server}/metrics`, { dispatcher, headers })).body.text();
  } finally {
    await dispatcher.destroy();
  }
}

function sum(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].reduce((all, [, value]) => all + Number(value), 0);
}

export function restLines(found: Rest): string[] {
  const { policies, pods, minutes, callsByServer, callsByItself, byKind, residentMegabytes, cpuSeconds } = found;
  const perMinute = callsByItself / minutes;
  const ofLease = Object.entries(byKind).reduce(
    (all, [labels, count]) => all + (labels.includes('"leases"') ? count : 0),
    0,
  );
  return [
    `${policies} policies at rest (${pods} pods): ${perMinute.toFixed(1)} API calls a minute by its own count (${(callsByServer / minutes).toFixed(1)} of all service accounts by the API server's), ${(ofLease / minutes).toFixed(1)} of them for the lease; ${((callsByItself - ofLease) / minutes / policies).toFixed(3)} per object`,
    `${residentMegabytes} MB resident, ${cpuSeconds} s of processor time in ${minutes} minutes`,
    ...Object.entries(byKind).map(([labels, count]) => `  ${labels}: ${count}`),
  ];
}
