// A stream of views of one policy: one at once, one after each look of the controller, and one a second while time and
// traffic move. At most five a second. JSON lines, or server-sent events when asked for.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Controller } from '../controller/index.ts';
import type { ViewSource } from './view-source.ts';

const LEAST_GAP_MS = 200;
const TICK_MS = 1_000;

export interface StreamOptions {
  readonly policy: string;
  readonly sse: boolean;
  readonly controller: Controller;
  readonly views: ViewSource;
  readonly closing: AbortSignal;
}

export function viewStream(options: StreamOptions): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, options.closing]);
  return new ReadableStream<Uint8Array>({
    async start(controller) {
      let wake = () => {};
      let isDue = false;
      const unsubscribe = options.controller.subscribe((view) => {
        if (view.name !== options.policy) return;
        isDue = true;
        wake();
      });
      try {
        while (!signal.aborted) {
          isDue = false;
          const view = await options.views.view(options.policy);
          if (view === null || signal.aborted) break;
          const text = JSON.stringify(view);
          controller.enqueue(encoder.encode(options.sse ? `event: view\ndata: ${text}\n\n` : `${text}\n`));
          await sleep(LEAST_GAP_MS, undefined, { signal }).catch(() => {});
          if (!isDue && !signal.aborted) {
            await Promise.race([
              new Promise<void>((resolve) => {
                wake = resolve;
              }),
              sleep(TICK_MS - LEAST_GAP_MS, undefined, { signal }).catch(() => {}),
            ]);
          }
        }
      } catch {
        // The reader is gone; nothing is owed to it.
      } finally {
        unsubscribe();
        stop.abort();
        try {
          controller.close();
        } catch {
          // Closed by its reader.
        }
      }
    },
    cancel() {
      stop.abort();
    },
  });
}
