// A person's command, from its submission to its answer: stored first, so that a restart does not forget it, then
// answered by the engine. It refuses to guess an answer: if none comes in time, it says that none came.
import type { Command, CommandAnswer, Verb } from '../core/model/command.ts';
import { describeError } from '../lib/errors.ts';
import type { Clock, Store } from '../ports/index.ts';
import { decodeAnswer, encodeCommand } from './codec.ts';
import type { Controller } from './controller.ts';

export interface CommandDesk {
  readonly store: Store;
  readonly clock: Clock;
  readonly controller: Controller;
}

/** Verbs that only take away: carried out even when they cannot be stored, so that a full disk blocks no way out (I3). */
const SAFE_UNSTORED: readonly Verb[] = ['abort', 'pause'];

/** Stores the command and waits for its answer; null if none came within `waitMs` (it stays pending). */
export async function submitCommand(
  desk: CommandDesk,
  command: Command,
  waitMs: number,
): Promise<CommandAnswer | null> {
  try {
    await desk.store.addCommand({ id: command.id, policy: command.policy, document: encodeCommand(command) });
  } catch (error) {
    if (!SAFE_UNSTORED.includes(command.verb) || !desk.controller.takeUnstored(command)) throw error;
    const message = `taken, but not recorded: ${describeError(error)}`;
    return { id: command.id, accepted: true, message };
  }
  return waitForAnswer(desk, command, waitMs);
}

async function waitForAnswer(desk: CommandDesk, command: Command, waitMs: number): Promise<CommandAnswer | null> {
  const { store, clock, controller } = desk;
  const timer = new AbortController();
  let looked: () => void = () => {};
  let late = false;
  const stop = controller.subscribe((view) => {
    if (view.name === command.policy) looked();
  });
  void clock.sleep(waitMs, timer.signal).then(() => {
    late = true;
    looked();
  });
  try {
    for (;;) {
      const look = new Promise<void>((resolve) => {
        looked = resolve;
      });
      const stored = await store.command(command.id);
      if (stored?.answer != null) return decodeAnswer(command.id, stored.answer);
      if (late) return null;
      await look;
    }
  } finally {
    stop();
    timer.abort();
  }
}
