// The machine's clock and randomness. Monotonic time is the machine's since boot, so that instants of one boot can be
// subtracted although another process took them; wall time is for people only (row 81).
import type { Instant } from '../../core/model/time.ts';
import { bootId, procAvailable } from '../../lib/proc.ts';
import { randomId } from '../../lib/random-id.ts';
import type { Clock, Randomness } from '../../ports/clock.ts';

/** Longer timers would fire at once (Node counts them in 32 bits). */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Without /proc the epoch is this process: durations then do not survive a restart of the agent, and count as 0. */
const epoch = procAvailable() ? bootId() : `process-${randomId()}`;

export const systemClock: Clock = {
  now: (): Instant => ({
    monotonicMs: Number(process.hrtime.bigint() / 1_000n) / 1_000,
    epoch,
    wallTime: new Date().toISOString(),
  }),
  sleep,
};

export const systemRandomness: Randomness = { id: randomId, fraction: Math.random };

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(Math.max(0, ms), LONGEST_TIMER_MS));
    signal?.addEventListener('abort', done, { once: true });
  });
}
