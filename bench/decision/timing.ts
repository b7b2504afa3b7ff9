// Times: of every decision of a rehearsed release, and of single steps in batches. Rounds are short and take turns, so that
// what else a machine does meets everything that is compared.
import type { Release } from '../../src/core/engine/index.ts';
import { rehearse } from '../../src/core/rehearsal/index.ts';
import { rehearsal } from './subject.ts';

const BATCH_MS = 40;

export interface Ticks {
  /** Milliseconds from the counts of a window to its decision, rising. */
  readonly ms: readonly number[];
  /** Of the processor per window, all threads of this process and the rehearsal's own work included. */
  readonly cpuMs: number;
  /** As it stood at the end. */
  readonly release: Release;
}

/** One release of so many windows. The time includes that the counts are put into the form of a measurement. */
export function timeTicks(windows: number): Ticks {
  const ms: number[] = [];
  let drawnAt: number | null = null;
  let release: Release | null = null;
  const before = process.cpuUsage();
  rehearse({
    ...rehearsal(windows, () => {
      drawnAt = performance.now();
    }),
    decided({ state }) {
      if (drawnAt !== null) ms.push(performance.now() - drawnAt);
      drawnAt = null;
      if (state.release !== null) release = state.release;
    },
  });
  if (release === null) throw new Error('nothing was released');
  const { user, system } = process.cpuUsage(before);
  return { ms: ms.sort((a, b) => a - b), cpuMs: (user + system) / 1000 / windows, release };
}

/** Nanoseconds per call, over as many calls as take a while. */
export function nsPerCall(call: () => unknown): number {
  let calls = 1;
  for (;;) {
    const from = performance.now();
    for (let i = 0; i < calls; i++) call();
    const ms = performance.now() - from;
    if (ms >= BATCH_MS) return (ms * 1e6) / calls;
    calls = Math.ceil(calls * Math.max(2, (1.2 * BATCH_MS) / Math.max(ms, 0.01)));
  }
}

export function quantile(rising: readonly number[], part: number): number {
  return rising[Math.min(rising.length - 1, Math.floor(part * rising.length))] ?? Number.NaN;
}

export function median(numbers: readonly number[]): number {
  return quantile(
    [...numbers].sort((a, b) => a - b),
    0.5,
  );
}
