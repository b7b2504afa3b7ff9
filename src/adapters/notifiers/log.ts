// Tells the agent's own log. The same key is told once.
import type { NotifyMessage } from '../../core/model/effect.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import type { Log } from '../../lib/log.ts';
import type { Notifier } from '../../ports/notifier.ts';

const REMEMBERED = 10_000;

export class LogNotifier implements Notifier {
  readonly #log: Log;
  readonly #told = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  async notify(policy: ReleasePolicy, message: NotifyMessage): Promise<void> {
    if (!policy.notify.some(({ kind }) => kind === 'log') || this.#told.has(message.key)) return;
    this.#told.add(message.key);
    const [oldest] = this.#told;
    if (this.#told.size > REMEMBERED && oldest !== undefined) this.#told.delete(oldest);
    const fields = { policy: policy.name, release: message.release, kind: message.kind, sentence: message.sentence };
    if (message.kind === 'warning' || message.kind === 'aborted') this.#log.warn('news', fields);
    else this.#log.info('news', fields);
  }
}
