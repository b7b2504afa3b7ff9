// Views of a policy that survive the agent: when it ends or is replaced, they go on with the next one. It refuses to
// pretend: while no agent answers, it says so once.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReleaseView } from '../core/views/index.ts';
import type { Client } from './client.ts';
import { CliError } from './errors.ts';

export interface SteadyOptions {
  readonly policy: string;
  readonly connect: () => Client | Promise<Client>;
  readonly signal?: AbortSignal | undefined;
  /** Given up after this long without an agent. */
  readonly patienceMs: number;
  readonly onAway: () => void;
  readonly onBack: () => void;
}

const AGAIN_MS = 500;

export interface SeenView {
  readonly view: ReleaseView;
  readonly client: Client;
}

export async function* steadyViews(options: SteadyOptions): AsyncGenerator<SeenView> {
  let isAway = false;
  let awaySinceMs = performance.now();
  const hasLeft = () => options.signal?.aborted === true;
  while (!hasLeft()) {
    try {
      const client = await options.connect();
      for await (const view of client.views(options.policy, options.signal)) {
        if (isAway) options.onBack();
        isAway = false;
        yield { view, client };
        awaySinceMs = performance.now();
      }
    } catch (error) {
      if (!isAbsence(error) || performance.now() - awaySinceMs > options.patienceMs) throw error;
    }
    if (hasLeft()) return; // the reader has left, not the agent
    if (!isAway) options.onAway();
    isAway = true;
    await sleep(AGAIN_MS, undefined, options.signal === undefined ? {} : { signal: options.signal }).catch(() => {});
  }
}

function isAbsence(error: unknown): boolean {
  return (
    error instanceof CliError &&
    ['no-agent', 'agent-unreachable', 'no-token', 'cluster-unreachable'].includes(error.code)
  );
}
