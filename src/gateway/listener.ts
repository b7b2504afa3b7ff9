// The listening socket: opened by address, or taken over from the gateway before, whose accept queue it then shares.
import { createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from '../core/model/gateway.ts';

const BACKLOG = 4_096;

export class Listener {
  readonly wanted: Endpoint;
  readonly server: Server;

  private constructor(wanted: Endpoint, server: Server) {
    this.wanted = wanted;
    this.server = server;
  }

  /** `inherited`: the server received from the process before; its connections come here instead. */
  static async open(
    wanted: Endpoint,
    onSocket: (socket: Socket) => void,
    { inherited, port }: { readonly inherited?: Server | undefined; readonly port?: number },
  ): Promise<Listener> {
    const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, onSocket);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.once('listening', resolve);
      if (inherited !== undefined) server.listen(inherited);
      else server.listen({ host: wanted.host, port: wanted.port === 0 ? (port ?? 0) : wanted.port, backlog: BACKLOG });
    });
    server.on('error', () => undefined);
    return new Listener(wanted, server);
  }

  get address(): Endpoint {
    const address = this.server.address();
    if (address === null || typeof address === 'string') return this.wanted;
    return { host: address.address, port: address.port };
  }

  /** Takes no more connections; those it has live on. */
  close(): void {
    this.server.close();
  }
}
