// The canary's Service in the cluster: made while there is a canary, kept in step with stable's, and taken away when nothing
// names it any more (row 26). A Service of that name that somebody else made is never touched.
import { FIELD_MANAGER } from '../../../cluster/names.ts';
import type { Service } from '../../../cluster/objects.ts';
import type { CanarySlot } from '../../../cluster/places.ts';
import { apiVersionOf, type CacheReader, type KubeApi, type KubeObject, SERVICES } from '../../../kubernetes/index.ts';
import { canaryService, saysService } from './canary-service.ts';
import { isOwn, type Whole } from './view.ts';

export interface ServiceWriterOptions {
  readonly api: KubeApi;
  readonly services: CacheReader;
}

export class ServiceWriter {
  readonly #options: ServiceWriterOptions;

  constructor(options: ServiceWriterOptions) {
    this.#options = options;
  }

  /** null once it is there and right; else why it cannot be. */
  async ensure({ key, pair, stableService, canaryService: there }: Whole, canary: CanarySlot): Promise<string | null> {
    if (stableService === undefined) return `there is no Service ${pair.stable}`;
    const wanted = canaryService(stableService, canary, key.name);
    if ('refused' in wanted) return wanted.refused;
    if (there !== undefined && !isOwn(there, key.name)) {
      return `Service ${pair.canary} is there already and is not Haldane's; rename it, since the canary needs that name`;
    }
    if (there !== undefined && saysService(there, wanted)) return null;
    const at = { namespace: pair.namespace, name: pair.canary };
    const body: KubeObject = {
      apiVersion: apiVersionOf(SERVICES),
      kind: SERVICES.kind,
      metadata: { ...at, labels: wanted.labels, ...(there === undefined ? {} : { uid: there.metadata.uid ?? '' }) },
      spec: wanted.spec,
    };
    const { api, services } = this.#options;
    const options = { fieldManager: FIELD_MANAGER };
    const after =
      there === undefined
        ? await api.create(SERVICES, body, options)
        : await api.patch(SERVICES, at, { type: 'apply', body, force: true }, options);
    services.noteWritten(after);
    return null;
  }

  async remove(there: Service | undefined, policy: string): Promise<void> {
    if (there === undefined || !isOwn(there, policy)) return;
    const { namespace, name, uid } = there.metadata;
    await this.#options.api.delete(SERVICES, { namespace, name }, uid === undefined ? {} : { uid });
  }
}
