// One connection of a client: reads its requests one after the other, hands each to the exchange, and decides when the
// connection may live on. Pipelined requests wait their turn, so answers keep their order. It refuses to guess: after
// anything that is not plain HTTP it answers once and closes.
import type { Socket } from 'node:net';
import { Exchange } from './exchange.ts';
import { continuedForwarding, freshForwarding, isTrusted, plainAddress } from './forwarded.ts';
import { COMPLETE, FAILED, type MessageEvents, type MessageReader, requestReader } from './llhttp.ts';
import { Outlet } from './outlet.ts';
import { type NO_ANSWER, REFUSALS, type Refusal, replyText } from './refusals.ts';
import { RequestHead } from './request-head.ts';
import { type Compiled, noteRefused, type Runtime } from './runtime.ts';

const requestHead = new RequestHead();
/** How long the rest of what a client sends is thrown away after the last answer, so that the answer is not lost to a reset. */
const LINGER_MS = 2_000;
/** Bytes of further requests kept while one is being answered; beyond this the client is not read. */
const STASH_BYTES = 65_536;

const OPEN = 0;
const TUNNEL = 1;
const CLOSING = 2;
const GONE = 3;

export class ClientConnection implements MessageEvents {
  readonly socket: Socket;
  readonly outlet: Outlet;
  readonly address: string;
  readonly exchange: Exchange;
  deadlineMs = 0;
  paused = false;
  readonly #runtime: Runtime;
  readonly #reader: MessageReader;
  #state = OPEN;
  #stash: Buffer | null = null;
  #pumping = false;
  #refusal: Refusal | null = null;
  #afterFeed: keyof typeof NO_ANSWER | null = null;
  #trustedBy: Compiled | null = null;
  #isTrusted = false;
  #forwardingHost: string | null = null;
  #forwardingText = '';
  #taken = 0;

  constructor(runtime: Runtime, socket: Socket) {
    this.#runtime = runtime;
    this.socket = socket;
    this.outlet = new Outlet(socket);
    this.address = plainAddress(socket.remoteAddress);
    this.exchange = new Exchange(runtime, this);
    this.#reader = requestReader(this);
    this.waitMs(runtime.compiled.config.timeouts.headMs);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('drain', () => this.exchange.onClientDrain());
    socket.on('end', () => this.#onEnd());
    socket.on('error', () => this.destroy());
    socket.on('close', () => this.destroy());
    runtime.clients.add(this);
  }

  waitMs(ms: number): void {
    this.deadlineMs = this.#runtime.patienceMs + ms;
  }

  /** Between two requests, with nothing begun. */
  get isIdle(): boolean {
    return this.#state === OPEN && !this.exchange.active && this.#reader.headBytes === 0;
  }

  #onData(chunk: Buffer): void {
    if (this.#state === TUNNEL) {
      this.exchange.tunnelToUpstream(chunk);
      return;
    }
    if (this.#state !== OPEN) return;
    if (this.#stash !== null || (this.exchange.active && this.exchange.requestDone)) {
      this.#stash = this.#stash === null ? chunk : Buffer.concat([this.#stash, chunk]);
      if (this.#stash.length > STASH_BYTES) this.pause();
      return;
    }
    this.#feed(chunk);
    if (this.#stash !== null) this.#pump();
  }

  #feed(chunk: Buffer): void {
    const reader = this.#reader;
    const limit = this.#runtime.compiled.config.limits.headBytes;
    if (reader.headBytes === 0 && reader.inHead) this.waitMs(this.#runtime.compiled.config.timeouts.headMs);
    const fed = reader.feed(chunk, 0, chunk.length);
    if (this.#refusal !== null || fed === FAILED) {
      this.refuse(this.#refusal ?? this.#parserRefusal());
      return;
    }
    if (fed === COMPLETE && reader.restStart < chunk.length) this.#stash = chunk.subarray(reader.restStart);
    if (this.#afterFeed !== null) {
      const kind = this.#afterFeed;
      this.#afterFeed = null;
      this.exchange.fail(kind, kind);
    } else if (reader.inHead && reader.headBytes > limit) this.refuse(REFUSALS.headTooLarge);
    else this.exchange.flushToUpstream();
  }

  #parserRefusal(): Refusal {
    if (this.#reader.tooManyFields) return REFUSALS.headTooLarge;
    return this.#reader.reason.includes('method') ? REFUSALS.method : REFUSALS.malformed;
  }

  /** Requests that came while another was being answered. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#stash !== null && this.#state === OPEN && !this.exchange.active) {
      const chunk: Buffer = this.#stash;
      this.#stash = null;
      this.#feed(chunk);
    }
    this.#pumping = false;
    if (this.paused && this.#stash === null && !this.exchange.active) this.resume();
  }

  onHead(reader: MessageReader): number {
    const compiled = this.#runtime.compiled;
    const head = requestHead;
    this.#refusal =
      reader.text.length > compiled.config.limits.headBytes ? REFUSALS.headTooLarge : head.read(reader, compiled.names);
    if (this.#refusal === null && head.contentLength > compiled.config.limits.bodyBytes) {
      this.#refusal = REFUSALS.bodyTooLarge;
    }
    if (head.hasLength) reader.bodyLeft = head.contentLength;
    if (this.#refusal === null && !this.exchange.start(head)) this.#refusal = REFUSALS.malformed;
    return this.#refusal === null ? 0 : -1;
  }

  onBody(reader: MessageReader, start: number, end: number): number {
    const exchange = this.exchange;
    exchange.bodyBytes += end - start;
    if (exchange.bodyBytes > this.#runtime.compiled.config.limits.bodyBytes) {
      this.#refusal = REFUSALS.bodyTooLarge;
      return -1;
    }
    exchange.requestBody(reader.chunk, start, end);
    return 0;
  }

  onComplete(reader: MessageReader): void {
    this.exchange.requestComplete(reader.trailers);
  }

  /** Inside the parser an answer of our own has to wait until the bytes at hand are read. */
  afterFeed(kind: keyof typeof NO_ANSWER): void {
    this.#afterFeed = kind;
  }

  /** The forwarding fields of a request; nearly always the same as for the last one of this connection. */
  forwarding(head: RequestHead): string {
    const compiled = this.#runtime.compiled;
    if (this.#trustedBy !== compiled) {
      this.#trustedBy = compiled;
      this.#isTrusted = isTrusted(compiled.trusted, this.address);
    }
    if (head.hasForwarding && this.#isTrusted) return continuedForwarding(head, this.address);
    if (this.#forwardingHost !== head.host) {
      this.#forwardingHost = head.host;
      this.#forwardingText = freshForwarding(this.address, head.host);
    }
    return this.#forwardingText;
  }

  /** The answer is out. */
  afterExchange(close: boolean): void {
    if (close || this.#state !== OPEN) {
      this.#closeGently();
      return;
    }
    this.#reader.reset();
    this.waitMs(this.#runtime.compiled.config.timeouts.idleMs);
    if (this.#stash !== null) this.#pump();
    else if (this.paused) this.resume();
  }

  /** An answer of the gateway itself. */
  reply(refusal: Refusal, close: boolean): void {
    const closing = close || this.#runtime.draining;
    this.outlet.drop();
    this.outlet.addText(replyText(refusal, closing, this.exchange.method !== 'HEAD'));
    this.outlet.flush();
    this.afterExchange(closing);
  }

  refuse(refusal: Refusal): void {
    this.#refusal = null;
    noteRefused(this.#runtime, refusal.reason);
    const answerBegun = this.exchange.active && this.exchange.status !== 0;
    if (!this.exchange.active) this.exchange.method = '';
    this.exchange.abandon();
    this.#runtime.accessLog?.refused(this, refusal);
    if (answerBegun) this.destroy();
    else this.reply(refusal, true);
  }

  /** Says goodbye, then throws away what still comes, for a while (RFC 9112 section 9.6). */
  #closeGently(): void {
    if (this.#state >= CLOSING) return;
    this.#state = CLOSING;
    this.#stash = null;
    this.waitMs(LINGER_MS);
    this.socket.end();
    this.resume();
  }

  #onEnd(): void {
    if (this.#state === TUNNEL) {
      this.exchange.upstream?.socket.end();
      return;
    }
    // As nginx and Envoy do: a client that has hung up is not waiting for its answer.
    if (this.#state === OPEN && this.exchange.active) this.destroy();
    else this.#closeGently();
  }

  enterTunnel(): void {
    this.#state = TUNNEL;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    if (this.#stash !== null) this.exchange.tunnelToUpstream(this.#stash);
    this.#stash = null;
    this.resume();
  }

  /** The upstream's side of the tunnel has ended; what it sent is still delivered. */
  endTunnel(): void {
    this.socket.end();
  }

  /** The tunnel is gone altogether. */
  leaveTunnel(): void {
    this.#closeGently();
  }

  pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.socket.resume();
  }

  /** The client stopped in the middle of its request body. */
  stalled(): void {
    this.refuse(REFUSALS.bodyTimeout);
  }

  expire(): void {
    if (this.exchange.active) this.exchange.expire();
    else if (this.#state === CLOSING && this.#isStillTaking()) this.waitMs(LINGER_MS);
    else if (this.#state >= CLOSING || this.isIdle) this.destroy();
    else this.refuse(REFUSALS.headTimeout);
  }

  /** The last answer is still on its way to a slow client. */
  #isStillTaking(): boolean {
    const taken = this.socket.bytesWritten - this.socket.writableLength;
    const moved = this.socket.writableLength > 0 && taken > this.#taken;
    this.#taken = taken;
    return moved;
  }

  /** Ends now, whatever is under way. */
  destroy(): void {
    if (this.#state === GONE) return;
    this.#state = GONE;
    this.#runtime.clients.delete(this);
    this.exchange.abandon();
    this.#stash = null;
    this.socket.destroy();
    this.#reader.free();
  }

  /** Tells a client whose connection is one too many. */
  turnAway(): void {
    this.refuse(REFUSALS.connections);
  }
}
