// Tells the cluster: one Event on the ReleasePolicy per message, with its sentence and numbers. The name comes from the
// message's key, so that telling twice is once. An Event that cannot be written is logged and delays nothing (row 77).
import { FIELD_MANAGER, policyKey } from '../../cluster/names.ts';
import type { NotifyMessage } from '../../core/model/effect.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import {
  apiVersionOf,
  type CacheReader,
  EVENTS,
  isAlreadyExists,
  type KubeApi,
  RELEASE_POLICIES,
} from '../../kubernetes/index.ts';
import type { Log } from '../../lib/log.ts';
import { sha256Hex } from '../../lib/sha256.ts';
import type { Notifier } from '../../ports/index.ts';

export interface EventNotifierDeps {
  readonly api: KubeApi;
  readonly policies: CacheReader;
  readonly wallTime: () => string;
  /** The instance that tells. */
  readonly identity: string;
  readonly log: Log;
}

/** Bytes. */
const LONGEST = 1_024;
/** Behind an API server that does not answer; what comes then is dropped, the Release keeps the sentence. */
const MOST_WAITING = 500;
const WARNINGS: readonly NotifyMessage['kind'][] = ['held', 'aborted', 'warning'];

export class EventNotifier implements Notifier {
  readonly #deps: EventNotifierDeps;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(deps: EventNotifierDeps) {
    this.#deps = deps;
  }

  async notify(policy: ReleasePolicy, message: NotifyMessage): Promise<void> {
    if (this.#waiting >= MOST_WAITING) {
      this.#deps.log.warn('event dropped: too many wait', { policy: policy.name, key: message.key });
      return;
    }
    this.#waiting += 1;
    this.#last = this.#last
      .then(() => this.#write(policy, message))
      .finally(() => {
        this.#waiting -= 1;
      });
  }

  /** Resolves when all that was told is written, or given up. */
  settled(): Promise<void> {
    return this.#last;
  }

  async #write({ name: key }: ReleasePolicy, message: NotifyMessage): Promise<void> {
    const { api, policies, wallTime, identity, log } = this.#deps;
    const { namespace, name } = policyKey(key);
    const policy = policies.get(namespace, name);
    const at = wallTime();
    try {
      await api.create(
        EVENTS,
        {
          apiVersion: 'v1',
          kind: 'Event',
          metadata: {
            namespace,
            name: `${name.slice(0, 200)}.${sha256Hex(`${policy?.metadata.uid} ${message.key}`).slice(0, 16)}`,
          },
          involvedObject: {
            apiVersion: apiVersionOf(RELEASE_POLICIES),
            kind: RELEASE_POLICIES.kind,
            namespace,
            name,
            ...(policy?.metadata.uid === undefined ? {} : { uid: policy.metadata.uid }),
          },
          type: WARNINGS.includes(message.kind) ? 'Warning' : 'Normal',
          reason: `${message.kind.charAt(0).toUpperCase()}${message.kind.slice(1)}`,
          message: withinBytes(message.sentence, LONGEST),
          source: { component: 'haldane' },
          reportingComponent: 'haldane.dev/operator',
          reportingInstance: identity.slice(0, 128),
          action: 'Release',
          firstTimestamp: at,
          lastTimestamp: at,
          count: 1,
        },
        { fieldManager: FIELD_MANAGER },
      );
    } catch (error) {
      if (!isAlreadyExists(error)) log.warn('event not written', { policy: key, key: message.key, error });
    }
  }
}

/** Cut between characters, never within one. */
function withinBytes(text: string, most: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= most) return text;
  return new TextDecoder().decode(bytes.subarray(0, most), { stream: true });
}
