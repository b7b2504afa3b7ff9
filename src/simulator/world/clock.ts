// The controller's view of time: monotonic within one boot, and a wall clock that people and NTP may set to anything.
import type { Instant } from '../../core/model/time.ts';
import type { Scheduler } from '../scheduler.ts';

const WALL_START_MS = Date.UTC(2026, 0, 5, 8, 0, 0);

export interface ClockWorld {
  instant(): Instant;
  wallTime(): string;
  /** The wall clock is set forward or back. */
  stepWall(byMs: number): void;
  /** The machine boots: the monotonic clock starts again under a new name. */
  reboot(): void;
}

export function createClockWorld(scheduler: Scheduler): ClockWorld {
  let wallOffsetMs = 0;
  let bootedAtMs = -3_600_000;
  let boot = 1;
  let saidMs = Number.NaN;
  let said = '';
  // Asked several times in one moment, and making the text is the dearest part of a look at the clock.
  const wallTime = (): string => {
    const wallMs = Math.floor(WALL_START_MS + scheduler.nowMs + wallOffsetMs);
    if (wallMs !== saidMs) {
      saidMs = wallMs;
      said = new Date(wallMs).toISOString();
    }
    return said;
  };
  return {
    wallTime,
    instant: () => ({ monotonicMs: scheduler.nowMs - bootedAtMs, epoch: `boot-${boot}`, wallTime: wallTime() }),
    stepWall(byMs) {
      wallOffsetMs += byMs;
    },
    reboot() {
      boot += 1;
      bootedAtMs = scheduler.nowMs;
    },
  };
}
