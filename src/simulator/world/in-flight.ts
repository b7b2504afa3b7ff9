// Requests in flight as counts: each batch drains evenly until its last request is answered. Never a single request
// as an object, so that a day of traffic costs what its events cost.

interface Batch {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly count: number;
}

export interface InFlight {
  /** `count` requests arrived evenly over the last `overMs`, each taking `serviceMs`. */
  add(nowMs: number, count: number, overMs: number, serviceMs: number): void;
  count(nowMs: number): number;
  /** When the last of them is answered. */
  readonly untilMs: number;
  /** All are cut off; returns how many there were. */
  cut(nowMs: number): number;
}

export function createInFlight(): InFlight {
  let batches: Batch[] = [];

  function count(nowMs: number): number {
    let sum = 0;
    let expired = false;
    for (const batch of batches) {
      if (batch.untilMs <= nowMs) expired = true;
      else sum += Math.ceil((batch.count * (batch.untilMs - nowMs)) / (batch.untilMs - batch.fromMs));
    }
    if (expired) batches = batches.filter((batch) => batch.untilMs > nowMs);
    return sum;
  }

  return {
    add(nowMs, arrived, overMs, serviceMs) {
      const open = Math.min(arrived, Math.ceil(arrived * Math.min(1, serviceMs / Math.max(overMs, 1))));
      if (open > 0 && serviceMs > 0) {
        if (batches.length > 64) count(nowMs);
        batches.push({ fromMs: nowMs, untilMs: nowMs + serviceMs, count: open });
      }
    },
    count,
    get untilMs() {
      return Math.max(0, ...batches.map((batch) => batch.untilMs));
    },
    cut(nowMs) {
      const open = count(nowMs);
      batches = [];
      return open;
    },
  };
}
