// What of the cluster is news for a policy: its spec, its removal, a command, another template in its Deployment or a lock
// there. Status writes are no news: each decision would call for the next one.
import { ANNOTATION, keyOf } from '../../../cluster/names.ts';
import type { Deployment } from '../../../cluster/objects.ts';
import type { KubeObject } from '../../../kubernetes/index.ts';
import type { CommandResource, PolicyResource } from './documents.ts';
import { nameOf, type StoreCaches } from './policies.ts';

export function watchCaches({ policies, commands, deployments }: StoreCaches, changed: (policy: string) => void) {
  const isNews = newsFilter();
  const stops = [
    policies.onChange((policy, change) => {
      const { uid, generation, deletionTimestamp } = policy.metadata;
      const news = change === 'deleted' ? null : `${uid} ${generation} ${deletionTimestamp}`;
      if (isNews(`policy ${nameOf(policy)}`, news)) changed(nameOf(policy));
    }),
    commands.onChange((object, change) => {
      const { metadata, spec, status } = object as CommandResource;
      if (change === 'deleted' || status?.accepted !== undefined) return;
      changed(keyOf({ namespace: metadata.namespace ?? '', name: spec.policy }));
    }),
    deployments.onChange((object, change) => {
      if (!isNews(`deployment ${nameOf(object)}`, change === 'deleted' ? null : deploymentNews(object))) return;
      for (const policy of policiesOf(policies.list(object.metadata.namespace), object)) changed(policy);
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** Whether this was not heard before; null is the end of it. */
function newsFilter(): (key: string, news: string | null) => boolean {
  const heard = new Map<string, string>();
  return (key, news) => {
    if (news === null) return heard.delete(key) || true;
    if (heard.get(key) === news) return false;
    heard.set(key, news);
    return true;
  };
}

function deploymentNews(object: KubeObject): string {
  const { uid, generation, deletionTimestamp, annotations = {} } = (object as Deployment).metadata;
  return JSON.stringify([
    uid,
    generation,
    deletionTimestamp ?? null,
    annotations[ANNOTATION.held] ?? null,
    annotations[ANNOTATION.lock] ?? null,
  ]);
}

function policiesOf(policies: readonly KubeObject[], { metadata }: KubeObject): readonly string[] {
  const own = (policies as readonly PolicyResource[]).filter(
    ({ spec }) => spec.workload?.deployment?.name === metadata.name,
  );
  return own.map(nameOf);
}
