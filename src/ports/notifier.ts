// Tells people and other systems. A slow or dead listener never delays a decision (row 77).
import type { NotifyMessage } from '../core/model/effect.ts';
import type { ReleasePolicy } from '../core/model/policy.ts';

export interface Notifier {
  /** Takes the message over and returns; delivery is retried in the background, each key once. */
  notify(policy: ReleasePolicy, message: NotifyMessage): Promise<void>;
}
