// A kind that the operator watches and that never could be read: the cluster has none, or the right to it was not granted.
import { type KubeApi, MUTATING_ADMISSION_POLICIES, ResourceCache } from '../../kubernetes/index.ts';
import { silentLog } from '../../lib/log.ts';

export function neverRead(api: KubeApi): ResourceCache {
  const clock = { now: () => 0, sleep: async () => {} };
  return new ResourceCache({ api, resource: MUTATING_ADMISSION_POLICIES, clock, random: () => 0, log: silentLog });
}
