// The writes on stable's Deployment, each one guarded: it holds only for the very object that was looked at, and for the
// template that was meant. What is not Haldane's is left byte for byte (I5).
import { annotated, givenBack, type Operations, removed, unpause } from '../../../cluster/marks.ts';
import { ANNOTATION, FIELD_MANAGER, type Lock } from '../../../cluster/names.ts';
import type { Deployment } from '../../../cluster/objects.ts';
import { type PodTemplate, templateRevision } from '../../../cluster/revision.ts';
import { writeMarks } from '../../../cluster/write-marks.ts';
import {
  DEPLOYMENTS,
  isConflict,
  isJsonPatchTestFailure,
  type KubeApi,
  type ManagedFields,
} from '../../../kubernetes/index.ts';
import { changedMeanwhile, missing } from './errors.ts';

export class DeploymentWrites {
  readonly #api: KubeApi;
  readonly #noteWritten: (deployment: Deployment) => void;

  constructor(api: KubeApi, noteWritten: (deployment: Deployment) => void) {
    this.#api = api;
    this.#noteWritten = noteWritten;
  }

  /**
   * Writes on the object as it is now, if it is still the one that was looked at: the status of a Deployment that rolls
   * changes all the time, and keeps nobody from the way back.
   */
  async onCurrent(seen: Deployment, write: DeploymentWrite): Promise<Deployment> {
    for (let tries = 1; ; tries += 1) {
      const live = await this.#api.get<Deployment>(DEPLOYMENTS, seen.metadata);
      if (live === null) throw missing(seen.metadata.name);
      if (!isSame(live, seen)) {
        this.#noteWritten(live);
        throw changedMeanwhile();
      }
      try {
        return await write(live);
      } catch (error) {
        if (!isConflict(error) && !isJsonPatchTestFailure(error)) throw error;
        if (tries >= TRIES) throw changedMeanwhile();
      }
    }
  }

  /** The mark goes, and the pause; nothing rolls, since nothing waits. */
  lift(seen: Deployment): Promise<Deployment> {
    return this.#write(seen, [...unpause(seen), ...removed(seen, ANNOTATION.held)]);
  }

  hold(seen: Deployment): Promise<Deployment> {
    return this.#write(seen, [
      { op: 'add', path: '/spec/paused', value: true },
      ...annotated(seen, { [ANNOTATION.held]: 'true' }),
    ]);
  }

  /** The waiting template, which must be the one meant, is let go under the lock. */
  async promote(seen: Deployment, lock: Lock): Promise<Deployment> {
    if (templateRevision(seen.spec.template) !== lock.to) throw changedMeanwhile();
    return this.#write(seen, [
      ...unpause(seen),
      ...annotated(seen, { [ANNOTATION.lock]: JSON.stringify(lock) }, [ANNOTATION.held]),
    ]);
  }

  restore(seen: Deployment, lock: Lock, template: PodTemplate): Promise<Deployment> {
    return this.#write(seen, [
      { op: 'replace', path: '/spec/template', value: template },
      ...unpause(seen),
      ...annotated(seen, { [ANNOTATION.lock]: JSON.stringify(lock) }, [ANNOTATION.held]),
    ]);
  }

  /** From now on its templates wait, even where the API server does not know of the policy; or no longer. */
  mark(seen: Deployment, isHolding: boolean): Promise<Deployment> {
    const marked = isHolding ? annotated(seen, { [ANNOTATION.hold]: 'true' }) : removed(seen, ANNOTATION.hold);
    return this.#write(seen, marked);
  }

  /** It stops where it is, and the lock says why: nothing but the way back goes on from there. */
  pause(seen: Deployment, lock: Lock): Promise<Deployment> {
    return this.#write(seen, [
      { op: 'add', path: '/spec/paused', value: true },
      ...annotated(seen, { [ANNOTATION.lock]: JSON.stringify(lock) }),
    ]);
  }

  /** Nothing of Haldane's is left on it, and it is its owner's: with this template, or the one that stands there. */
  giveBack(seen: Deployment, template: PodTemplate | null): Promise<Deployment> {
    return this.#write(seen, givenBack(seen, template));
  }

  unlock(seen: Deployment): Promise<Deployment> {
    return this.#write(seen, removed(seen, ANNOTATION.lock));
  }

  /** What its owner wrote comes back, and waits. */
  putBack(seen: Deployment, template: PodTemplate): Promise<Deployment> {
    return this.#write(seen, [
      { op: 'replace', path: '/spec/template', value: template },
      { op: 'add', path: '/spec/paused', value: true },
      ...annotated(seen, { [ANNOTATION.held]: 'true' }, [ANNOTATION.lock]),
    ]);
  }

  /** Drops the own entries of managedFields, if a field of the spec is in them. */
  async disown(seen: Deployment): Promise<Deployment> {
    if (!isOwned(seen)) return seen;
    const kept = (seen.metadata.managedFields ?? []).filter((entry) => !isOwnEntry(entry));
    return this.#write(seen, [{ op: 'replace', path: '/metadata/managedFields', value: kept }]);
  }

  async #write(seen: Deployment, operations: Operations): Promise<Deployment> {
    return writeMarks({ api: this.#api, noteWritten: this.#noteWritten }, seen, operations);
  }
}

const TRIES = 4;

export type DeploymentWrite = (live: Deployment) => Promise<Deployment>;

/** The same object with the same spec, and the same said on it by Haldane. */
function isSame(live: Deployment, seen: Deployment): boolean {
  const ours = ({ metadata }: Deployment) => Object.values(ANNOTATION).map((name) => metadata.annotations?.[name]);
  const { uid, generation } = live.metadata;
  if (uid !== seen.metadata.uid || generation !== seen.metadata.generation) return false;
  return ours(live).join('\n') === ours(seen).join('\n');
}

const isOwnEntry = ({ manager, subresource }: ManagedFields) => manager === FIELD_MANAGER && subresource === undefined;

/** Whether Haldane counts as the owner of a field of its spec: a plain apply of its owner's would then meet a conflict. */
export function isOwned({ metadata }: Deployment): boolean {
  const entries = metadata.managedFields ?? [];
  if (entries.every(isOwnEntry)) return false;
  return entries.some((entry) => isOwnEntry(entry) && 'f:spec' in ((entry.fieldsV1 as object | undefined) ?? {}));
}
