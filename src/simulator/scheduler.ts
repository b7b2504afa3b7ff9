// Virtual time: a heap of events and a clock that jumps from one to the next. The same events in the same order, always.
// Refuses real time: nothing here waits for a wall clock, and an event cannot be put into the past.

export interface Ticket {
  cancelled: boolean;
}

interface Event {
  readonly atMs: number;
  /** Ties are settled by who came first. */
  readonly order: number;
  readonly run: () => void;
  readonly ticket: Ticket;
}

export interface Scheduler {
  readonly nowMs: number;
  /** Events run so far. */
  readonly steps: number;
  at(atMs: number, run: () => void): Ticket;
  after(delayMs: number, run: () => void): Ticket;
  /** Says that promises may have been settled, so that continuations are run before the next event. */
  stir(): void;
  /** Runs all events up to and including `endMs`; `step` after each, and a true from it stops the run. */
  run(endMs: number, step: () => boolean): Promise<void>;
}

/** Lets every continuation that can run, run: all of them come before Node's next turn. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

export function createScheduler(): Scheduler {
  const heap: Event[] = [];
  let nowMs = 0;
  let order = 0;
  let steps = 0;
  let stirred = true;

  function at(atMs: number, run: () => void): Ticket {
    const ticket = { cancelled: false };
    order += 1;
    push(heap, { atMs: Math.max(atMs, nowMs), order, run, ticket });
    return ticket;
  }

  /** Continuations run until none settles anything more. */
  async function calm(): Promise<void> {
    while (stirred) {
      stirred = false;
      await settle();
    }
  }

  /** The next event at or before `endMs` that still holds. */
  function take(endMs: number): Event | null {
    for (let next = heap[0]; next !== undefined && next.atMs <= endMs; next = heap[0]) {
      pop(heap);
      if (!next.ticket.cancelled) return next;
    }
    return null;
  }

  async function run(endMs: number, step: () => boolean): Promise<void> {
    if (stirred) await calm();
    for (let next = take(endMs); next !== null; next = take(endMs)) {
      nowMs = next.atMs;
      steps += 1;
      next.run();
      if (stirred) await calm();
      if (step()) return;
    }
    nowMs = Math.max(nowMs, endMs);
  }

  return {
    get nowMs() {
      return nowMs;
    },
    get steps() {
      return steps;
    },
    at,
    after: (delayMs, runLater) => at(nowMs + delayMs, runLater),
    stir: () => {
      stirred = true;
    },
    run,
  };
}

function before(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function push(heap: Event[], event: Event): void {
  let index = heap.length;
  heap.push(event);
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent] as Event;
    if (!before(event, above)) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = event;
}

function pop(heap: Event[]): void {
  const last = heap.pop() as Event;
  if (heap.length === 0) return;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child += 1;
    if (!before(heap[child] as Event, last)) break;
    heap[index] = heap[child] as Event;
    index = child;
  }
  heap[index] = last;
}
