// A Notifier that keeps what it was told, each key once.
import type { NotifyMessage } from '../../core/model/effect.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import type { Notifier } from '../notifier.ts';
import { Mishaps } from './mishaps.ts';

export class FakeNotifier implements Notifier {
  readonly mishaps = new Mishaps();
  readonly delivered: NotifyMessage[] = [];

  async notify(_policy: ReleasePolicy, message: NotifyMessage): Promise<void> {
    await this.mishaps.meet('notify');
    if (!this.delivered.some(({ key }) => key === message.key)) this.delivered.push(message);
  }
}
