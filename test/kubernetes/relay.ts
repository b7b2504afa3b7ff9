/** A relay of bytes before an API server, which cuts what runs through it, or lets it stand. It refuses nothing by itself. */
import { connect, createServer, type Socket } from 'node:net';

export class Relay {
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((near) => this.#join(near));
  readonly #to: URL;
  #isFrozen = false;
  opened = 0;

  constructor(to: string) {
    this.#to = new URL(to);
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `https://127.0.0.1:${(this.#server.address() as { readonly port: number }).port}`;
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#sockets.clear();
  }

  /** What is open stays open and says nothing any more; what is opened afterwards works. */
  freeze(): void {
    for (const socket of this.#sockets) socket.pause().unpipe();
    this.#isFrozen = true;
  }

  #join(near: Socket): void {
    this.opened += 1;
    const far = connect(Number(this.#to.port || 443), this.#to.hostname);
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        if (!this.#isFrozen) (socket === near ? far : near).destroy();
      });
    }
    near.pipe(far);
    far.pipe(near);
  }
}
