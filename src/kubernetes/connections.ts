// The connections to one API server. Watches have a pool of their own: each holds a connection for as long as it lives, and
// must not keep a call waiting. A write asks the fence when its bytes are about to go out, after it has waited for a
// connection and its handshake; it refuses to send one that lost the right in the meantime (row 65).
import { Agent, type Dispatcher } from 'undici';
import type { ClusterConfig } from './config.ts';
import type { Identity } from './credentials.ts';

export type ConnectionPlace = Pick<ClusterConfig, 'ca' | 'insecure' | 'tlsServerName'>;

interface Pools {
  readonly certificate: string | undefined;
  readonly agents: readonly Agent[];
  readonly calls: Dispatcher;
  readonly watches: Dispatcher;
}

const CALLS_AT_ONCE = 32;
const CONNECT_MS = 5_000;
/** Shorter than any server's or load balancer's: a connection is given up before the other side does. */
const KEEP_ALIVE_MS = 15_000;

export class Connections {
  readonly #place: ConnectionPlace;
  readonly #fence: (() => void) | undefined;
  #pools: Pools | null = null;

  constructor(place: ConnectionPlace, fence: (() => void) | undefined) {
    this.#place = place;
    this.#fence = fence;
  }

  /** Another client certificate means other connections; what is under way on the old ones ends there. */
  of(identity: Identity, use: 'calls' | 'watches'): Dispatcher {
    if (this.#pools === null || this.#pools.certificate !== identity.certificate) {
      for (const agent of this.#pools?.agents ?? []) agent.close().catch(() => {});
      this.#pools = this.#opened(identity);
    }
    return this.#pools[use];
  }

  async close(): Promise<void> {
    const agents = this.#pools?.agents ?? [];
    this.#pools = null;
    await Promise.all(agents.map((agent) => agent.destroy()));
  }

  #opened(identity: Identity): Pools {
    const calls = new Agent({
      connections: CALLS_AT_ONCE,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connect: this.#tls(identity),
    });
    const watches = new Agent({ keepAliveTimeout: KEEP_ALIVE_MS, connect: this.#tls(identity) });
    const fenced = this.#fence === undefined ? calls : calls.compose(behind(this.#fence));
    return { certificate: identity.certificate, agents: [calls, watches], calls: fenced, watches };
  }

  #tls({ certificate, key }: Identity) {
    const { ca, insecure, tlsServerName } = this.#place;
    return {
      timeout: CONNECT_MS,
      rejectUnauthorized: !insecure,
      ...(ca === undefined ? {} : { ca }),
      ...(certificate === undefined ? {} : { cert: certificate }),
      ...(key === undefined ? {} : { key }),
      ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
    };
  }
}

/** undici tells a handler that a request starts right before it is written to its socket; to throw there is to not send it. */
function behind(fence: () => void): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    if (options.method === 'GET') return dispatch(options, handler);
    return dispatch(options, {
      onRequestStart: (controller, context) => {
        fence();
        handler.onRequestStart?.(controller, context);
      },
      onRequestUpgrade: (...upgrade) => handler.onRequestUpgrade?.(...upgrade),
      onResponseStart: (...start) => handler.onResponseStart?.(...start),
      onResponseData: (...data) => handler.onResponseData?.(...data),
      onResponseEnd: (...end) => handler.onResponseEnd?.(...end),
      onResponseError: (...error) => handler.onResponseError?.(...error),
    });
  };
}
