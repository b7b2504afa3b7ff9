// Free ports on loopback, none given twice. They are taken from below the range the kernel uses for outgoing
// connections, so that a busy proxy's own connections do not take one between our look and the replica's bind.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const LOWEST = 20_000;
const TRIES = 40;

export class PortAllocator {
  readonly #taken = new Set<number>();
  readonly #highest = highestPort();

  /** Marks a port found in the registry as ours. */
  keep(port: number): void {
    this.#taken.add(port);
  }

  release(port: number): void {
    this.#taken.delete(port);
  }

  /** A port nobody listens on now. Another program may still take it first: the replica then fails and gets a fresh one. */
  async take(host: string): Promise<number> {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const port = LOWEST + Math.floor(Math.random() * (this.#highest - LOWEST));
      if (this.#taken.has(port)) continue;
      this.#taken.add(port);
      if ((await tryListen(host, port)) !== null) return port;
      this.#taken.delete(port);
    }
    for (;;) {
      const port = await tryListen(host, 0);
      if (port === null) throw new Error(`no free port on ${host}`);
      if (this.#taken.has(port)) continue;
      this.#taken.add(port);
      return port;
    }
  }
}

function highestPort(): number {
  try {
    const lowestOutgoing = Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/)[0]);
    if (lowestOutgoing >= LOWEST + 1_000) return lowestOutgoing;
  } catch {
    // Not Linux, or not readable: the usual range below is used.
  }
  return 32_768;
}

/** Binds and lets go again; null if it is taken. */
function tryListen(host: string, port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : null));
    });
  });
}
