// A kubelet takes a pod's readiness gates into its Ready condition whenever one changes. The node agent of a test cluster may
// do so only when a container changes: there this does the kubelet's part. Never run beside a real kubelet.
//   node test/kubernetes/gates.ts NAMESPACE...
import { TRAFFIC_GATE } from '../../src/cluster/names.ts';
import type { Condition, Pod } from '../../src/cluster/objects.ts';
import { HttpKubeApi, isConflict, isNotFound, type KubeApi, kubeconfigOf, PODS } from '../../src/kubernetes/index.ts';

const LOOK_EVERY_MS = 250;

/** Until the signal: Ready is what the containers and the gate say. */
export async function followGates(api: KubeApi, namespaces: readonly string[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const namespace of namespaces) await look(api, namespace).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

async function look(api: KubeApi, namespace: string): Promise<void> {
  const { items } = await api.list<Pod>(PODS, { namespace, labelSelector: 'haldane.dev/role=canary' });
  for (const pod of items) {
    if (!pod.spec.readinessGates?.some(({ conditionType }) => conditionType === TRAFFIC_GATE)) continue;
    const is = (type: string) =>
      pod.status?.conditions?.find((condition) => condition.type === type)?.status === 'True';
    const shall = is('ContainersReady') && is(TRAFFIC_GATE);
    if (is('Ready') !== shall) await setReady(api, pod, shall);
  }
}

async function setReady(api: KubeApi, pod: Pod, isReady: boolean): Promise<void> {
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'Ready');
  const ready: Condition = { type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime: now() };
  const { namespace, name, resourceVersion } = pod.metadata;
  const body = { metadata: { resourceVersion }, status: { conditions: [...others, ready] } };
  try {
    await api.patch(PODS, { namespace, name }, { type: 'merge', body }, { subresource: 'status' });
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error)) throw error;
  }
}

function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}

if (import.meta.main) {
  const config = kubeconfigOf({ kubeconfig: null, context: null, env: process.env });
  await followGates(
    new HttpKubeApi({ config, userAgent: 'gates' }),
    process.argv.slice(2),
    new AbortController().signal,
  );
}
