// One connection to one place of a version; at most one request is on it at a time, because pipelining to upstreams
// stalls and cannot be undone when one answer breaks. It refuses to judge: it tells the exchange what came.
import { connect, type Socket } from 'node:net';
import type { EndpointState } from './endpoint-state.ts';
import type { Exchange } from './exchange.ts';
import { COMPLETE, FAILED, type MessageEvents, type MessageReader, responseReader } from './llhttp.ts';
import { Outlet } from './outlet.ts';

const READ_BYTES = 65_536;
/** Of all heads of one answer, interim ones included. */
const HEAD_BYTES = 262_144;
/** All upstream sockets read into this one buffer: what must outlive the turn is copied. */
const shared = Buffer.allocUnsafeSlow(READ_BYTES);

export class UpstreamConnection implements MessageEvents {
  readonly endpoint: EndpointState;
  readonly socket: Socket;
  readonly outlet: Outlet;
  readonly reader: MessageReader;
  /** Null while idle. */
  exchange: Exchange | null = null;
  connected = false;
  closed = false;
  /** Requests this connection has carried, the one on it now included. */
  uses = 0;
  idleSinceMs = 0;
  /** Bytes of the answer to the request on it have come. */
  answered = false;
  tunnel = false;

  constructor(endpoint: EndpointState) {
    this.endpoint = endpoint;
    this.reader = responseReader(this);
    this.socket = connect({
      host: endpoint.host,
      port: endpoint.port,
      noDelay: true,
      keepAlive: true,
      allowHalfOpen: true,
      onread: { buffer: shared, callback: (bytes: number, from: Uint8Array) => this.#onRead(bytes, from as Buffer) },
    });
    this.outlet = new Outlet(this.socket);
    this.socket.on('connect', () => this.#onConnect());
    this.socket.on('drain', () => this.exchange?.onUpstreamDrain());
    this.socket.on('end', () => this.#onEnd());
    this.socket.on('error', (error: NodeJS.ErrnoException) => this.#onGone(error.code ?? 'error'));
    this.socket.on('close', () => this.#onGone('closed'));
  }

  #onConnect(): void {
    this.connected = true;
    this.exchange?.onUpstreamConnected();
  }

  #onRead(bytes: number, from: Buffer): boolean {
    const exchange = this.exchange;
    if (exchange === null) {
      // An idle connection must be silent (a 408 before the close is the usual case).
      this.close();
      return true;
    }
    this.answered = true;
    if (this.tunnel) {
      exchange.tunnelToClient(from, bytes);
      return true;
    }
    const fed = this.reader.feed(from, 0, bytes);
    if (fed === COMPLETE) {
      const rest = this.reader.restStart;
      exchange.onResponseComplete(rest < bytes ? Buffer.from(from.subarray(rest, bytes)) : null);
    } else if (fed === FAILED || (this.reader.inHead && this.reader.headBytes > HEAD_BYTES)) {
      exchange.onUpstreamFailed('malformed response');
    } else exchange.flushToClient();
    return true;
  }

  onHead(reader: MessageReader): number {
    return (this.exchange as Exchange).onResponseHead(reader);
  }

  onBody(reader: MessageReader, start: number, end: number): number {
    (this.exchange as Exchange).onResponseBody(reader.chunk, start, end);
    return 0;
  }

  onComplete(): void {}

  #onEnd(): void {
    const exchange = this.exchange;
    if (exchange === null) this.close();
    else if (this.tunnel) exchange.onTunnelEnd();
    else if (this.answered && this.reader.finish()) {
      this.reader.keepAlive = false;
      exchange.onResponseComplete(null);
    } else this.#onGone('closed');
  }

  #onGone(why: string): void {
    if (this.closed) return;
    const exchange = this.exchange;
    this.close();
    exchange?.onUpstreamFailed(why);
  }

  /** Takes the request of an exchange. */
  begin(exchange: Exchange): void {
    this.exchange = exchange;
    this.answered = false;
    if (this.uses > 0) this.reader.reset();
    this.uses += 1;
  }

  /** The answer is complete: the connection is ready for another request. */
  release(nowMs: number): void {
    this.exchange = null;
    this.idleSinceMs = nowMs;
    if (!this.endpoint.addIdle(this)) this.close();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.exchange = null;
    this.endpoint.removeIdle(this);
    this.reader.free();
    this.socket.destroy();
  }
}
