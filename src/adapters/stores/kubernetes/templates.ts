// Pod templates by version. A template is kept in the Release that brought it; until that is written it is remembered, and
// it still stands in the Deployment.
import { LABEL, type PolicyKey, policyKey } from '../../../cluster/names.ts';
import { type PodTemplate, plainTemplate, templateRevision } from '../../../cluster/revision.ts';
import type { CacheReader } from '../../../kubernetes/index.ts';
import type { ReleaseResource } from './documents.ts';

export class Templates {
  readonly #releases: CacheReader;
  readonly #remembered = new Map<string, PodTemplate>();

  constructor(releases: CacheReader) {
    this.#releases = releases;
  }

  remember(policy: string, template: PodTemplate): void {
    this.#remembered.set(`${policy}/${templateRevision(template)}`, plainTemplate(template));
  }

  get(policy: string, revision: string): PodTemplate | null {
    const remembered = this.#remembered.get(`${policy}/${revision}`);
    if (remembered !== undefined) return remembered;
    const found = releasesOf(this.#releases, policyKey(policy)).find(
      ({ spec }) => spec.revision === revision && spec.template !== undefined,
    );
    return found?.spec.template ?? null;
  }
}

/** Of one policy, oldest first. */
export function releasesOf(releases: CacheReader, { namespace, name }: PolicyKey): readonly ReleaseResource[] {
  const own = releases.list(namespace).filter(({ metadata }) => metadata.labels?.[LABEL.policy] === name);
  return (own as readonly ReleaseResource[]).toSorted((a, b) => a.spec.number - b.spec.number);
}
