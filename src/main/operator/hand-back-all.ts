// Before Haldane is uninstalled: every policy is deleted, and its workload given back by the operator that still runs. It
// waits for each, and says which one is not done when the time is over; nothing that serves is stopped.

import { systemClock } from '../../adapters/clock/system.ts';
import type { HandBackOptions } from '../../cli/index.ts';
import { keyOf } from '../../cluster/names.ts';
import { clusterConfigOf, HttpKubeApi, type KubeObject, RELEASE_POLICIES } from '../../kubernetes/index.ts';
import { packageVersion } from '../package-version.ts';

const LOOK_EVERY_MS = 1_000;

export async function handBackAll(options: HandBackOptions): Promise<number> {
  const { kubeconfig, context, namespace, timeoutMs, print } = options;
  const config = clusterConfigOf({ kubeconfig, context, env: process.env });
  const api = new HttpKubeApi({ config, userAgent: `haldane/${packageVersion()} (hand-back)` });
  const scope = namespace === null ? {} : { namespace };
  const nameOf = ({ metadata }: KubeObject) => keyOf({ namespace: metadata.namespace ?? '', name: metadata.name });
  try {
    for (const policy of (await api.list(RELEASE_POLICIES, scope)).items) {
      if (policy.metadata.deletionTimestamp === undefined) await api.delete(RELEASE_POLICIES, policy.metadata);
    }
    const endMs = systemClock.now().monotonicMs + timeoutMs;
    for (;;) {
      const left = (await api.list(RELEASE_POLICIES, scope)).items.map(nameOf);
      if (left.length === 0) break;
      if (systemClock.now().monotonicMs > endMs) {
        print(`not given back in time: ${left.join(', ')}; is the operator running?`);
        return 4;
      }
      await systemClock.sleep(LOOK_EVERY_MS);
    }
    print('every workload is given back');
    return 0;
  } finally {
    await api.close();
  }
}
