// What every connection of one gateway process shares: the configuration in force, the clock, the counters of what was
// refused. One object, replaced never, changed only between requests. It refuses to do anything itself.
import type { BlockList } from 'node:net';
import type { GatewayConfig } from '../core/model/gateway.ts';
import type { AccessLog } from './access-log.ts';
import type { ClientConnection } from './client-connection.ts';
import type { HeaderNames } from './header-names.ts';
import type { Repeats } from './repeats.ts';
import type { Routing } from './routing.ts';

/** A configuration made ready; connections read it anew for each request. */
export interface Compiled {
  readonly config: GatewayConfig;
  readonly names: HeaderNames;
  readonly routing: Routing;
  readonly trusted: BlockList;
  /** Slot of the retry header, -1 when there is none. */
  readonly retrySlot: number;
}

export interface Runtime {
  compiled: Compiled;
  /** Monotonic, as of the last sweep; good for ages, not for latencies. */
  nowMs: number;
  /**
   * The clock of time-outs: it stands still while the process does, so that nobody is found late for time in which this
   * process itself did not run.
   */
  patienceMs: number;
  draining: boolean;
  readonly clients: Set<ClientConnection>;
  readonly repeats: Repeats;
  accessLog: AccessLog | null;
  /** Requests and connections the gateway answered or ended itself, by reason. */
  readonly refused: Map<string, number>;
  /** In [0, 1). */
  readonly random: () => number;
}

export function noteRefused(runtime: Runtime, reason: string): void {
  runtime.refused.set(reason, (runtime.refused.get(reason) ?? 0) + 1);
}
