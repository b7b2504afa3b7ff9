// What happened, as a running hash and, if asked for, as lines. Two runs with the same hash did the same things.

export interface Trace {
  /** `what` must be cheap to make; details are only asked for when lines are kept. */
  note(atMs: number, what: string, details?: () => string): void;
  readonly hash: string;
  readonly lines: readonly string[];
}

/** FNV-1a, 32 bits, twice with different offsets: 64 bits in all. */
export function createTrace(keepLines: boolean): Trace {
  let a = 0x811c9dc5;
  let b = 0x01000193;
  const lines: string[] = [];
  const mixIn = (unit: number): void => {
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x01000197) + 1;
  };
  return {
    note(atMs, what, details) {
      mixIn(atMs | 0);
      for (let i = 0; i < what.length; i++) mixIn(what.charCodeAt(i));
      if (keepLines) lines.push(`${formatTime(atMs)}  ${what}${details === undefined ? '' : `  ${details()}`}`);
    },
    get hash() {
      return (a >>> 0).toString(16).padStart(8, '0') + (b >>> 0).toString(16).padStart(8, '0');
    },
    lines,
  };
}

/** h:mm:ss.mmm of virtual time. */
export function formatTime(atMs: number): string {
  const pad = (value: number, width: number): string => String(Math.floor(value)).padStart(width, '0');
  return `${Math.floor(atMs / 3_600_000)}:${pad((atMs / 60_000) % 60, 2)}:${pad((atMs / 1000) % 60, 2)}.${pad(atMs % 1000, 3)}`;
}
