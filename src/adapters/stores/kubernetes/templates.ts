// Pod templates by version. A template is kept in the Release that brought it; until that is written it is in the record and
// remembered, and it still stands in the Deployment or a ReplicaSet. The canary's own is never taken: its labels differ.
import { LABEL } from '../../../cluster/names.ts';
import { isControlledBy, type ReplicaSet } from '../../../cluster/objects.ts';
import { type PodTemplate, plainTemplate, templateRevision } from '../../../cluster/revision.ts';
import type { CacheReader } from '../../../kubernetes/index.ts';
import { deploymentOf, type PolicyResource, type ReleaseResource, recordOf } from './documents.ts';
import type { Policies, StoreCaches } from './policies.ts';

const REMEMBERED = 8;

export class Templates {
  readonly #caches: StoreCaches;
  readonly #policies: Policies;
  /** Objects of a cache do not change, and hashing takes longer than all else at rest. */
  readonly #revisions = new WeakMap<PodTemplate, string>();

  constructor(caches: StoreCaches, policies: Policies) {
    this.#caches = caches;
    this.#policies = policies;
  }

  revisionOf(template: PodTemplate): string {
    let revision = this.#revisions.get(template);
    if (revision === undefined) {
      revision = templateRevision(template);
      this.#revisions.set(template, revision);
    }
    return revision;
  }

  remember(resource: PolicyResource, template: PodTemplate): void {
    const { templates } = this.#policies.memory(resource);
    const revision = this.revisionOf(template);
    const known = templates.get(revision);
    templates.delete(revision);
    templates.set(revision, known ?? plainTemplate(template));
    const [oldest] = templates.keys();
    if (templates.size > REMEMBERED && oldest !== undefined) templates.delete(oldest);
  }

  get(policy: string, revision: string): PodTemplate | null {
    const resource = this.#policies.get(policy);
    if (resource === null) return null;
    return (
      this.#policies.memory(resource).templates.get(revision) ??
      this.#owed(resource, revision) ??
      this.#released(resource, revision) ??
      this.#standing(resource, revision)
    );
  }

  #owed(resource: PolicyResource, revision: string): PodTemplate | null {
    const owed = recordOf(resource)?.pending.releases ?? [];
    return owed.find(({ template }) => template !== null && this.revisionOf(template) === revision)?.template ?? null;
  }

  #released(resource: PolicyResource, revision: string): PodTemplate | null {
    const found = releasesOf(this.#caches.releases, resource).find(
      ({ spec }) => spec.revision === revision && spec.template !== undefined,
    );
    return found?.spec.template ?? null;
  }

  #standing(resource: PolicyResource, revision: string): PodTemplate | null {
    const { namespace = '' } = resource.metadata;
    const name = deploymentOf(resource);
    const deployment = this.#caches.deployments.get(namespace, name);
    if (deployment === undefined) return null;
    const sets = this.#caches.replicaSets.list(namespace) as readonly ReplicaSet[];
    const found = sets.find(
      (set) => isControlledBy(set, deployment) && this.revisionOf(set.spec.template) === revision,
    );
    return found === undefined ? null : plainTemplate(found.spec.template);
  }
}

/** Of this very policy, oldest first; those of one of the same name before it are on their way out. */
export function releasesOf(releases: CacheReader, { metadata }: PolicyResource): readonly ReleaseResource[] {
  const own = releases.list(metadata.namespace).filter((release) => isOwn(release as ReleaseResource, metadata));
  return (own as readonly ReleaseResource[]).toSorted((a, b) => a.spec.number - b.spec.number);
}

export function isOwn(release: ReleaseResource, { name, uid }: PolicyResource['metadata']): boolean {
  const owners = release.metadata.ownerReferences ?? [];
  return release.metadata.labels?.[LABEL.policy] === name && owners.some((owner) => owner.uid === uid);
}
