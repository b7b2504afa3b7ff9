// Looks at the cluster several times a second and says what it saw. While the API server does not answer nothing can change
// there, and what the data plane has not accepted yet it does not go by: such moments are no look at all. It refuses to look
// at what Haldane writes of itself.
import { PODS } from '../../../src/kubernetes/index.ts';
import { type Cluster, imageTag, type PodObject } from '../cluster.ts';
import { isCanaryPod, type RouterUnderTest } from '../routers.ts';
import type { Look } from './plateaus.ts';

const EVERY_MS = 300;

export interface Where {
  readonly cluster: Cluster;
  readonly router: RouterUnderTest;
  readonly namespace: string;
}

/** Until what it gives back is called. */
export function watchLooks(where: Where, take: (look: Look) => void): () => Promise<void> {
  let isOver = false;
  const loop = (async () => {
    while (!isOver) {
      const look = await lookAt(where).catch(() => null);
      if (look?.isObeyed === true) take(look.seen);
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  })();
  return async () => {
    isOver = true;
    await loop;
  };
}

export interface Looked {
  readonly seen: Look;
  readonly isTakenBack: boolean;
  /** The data plane goes by it. */
  readonly isObeyed: boolean;
}

export async function lookAt({ cluster, router, namespace }: Where): Promise<Looked> {
  const now = () => performance.timeOrigin + performance.now();
  const beganMs = now();
  const pods = (await cluster.api.list<PodObject>(PODS, { namespace })).items;
  const { percent, isTakenBack, isObeyed } = await router.asked({ cluster, namespace, pods });
  const tags = (some: readonly PodObject[]) =>
    [...new Set(some.map(({ spec }) => imageTag(spec.containers[0]?.image ?? '')))].sort();
  const serving = pods.filter((pod) => !isCanaryPod(pod) && pod.status?.podIP !== undefined);
  const canary = tags(pods.filter(isCanaryPod)).join('+') || null;
  return { seen: { beganMs, endedMs: now(), stable: tags(serving), canary, percent }, isTakenBack, isObeyed };
}
