// One request on its way: from the version that was chosen for it to the count of how it ended. A client connection has
// one of these and uses it again for each request. It refuses to end twice, and to end uncounted.
import type { ClientConnection } from './client-connection.ts';
import { affinityCookieLine } from './cookies.ts';
import { Ended, type RouteCounts } from './counters.ts';
import type { EndpointState } from './endpoint-state.ts';
import type { MessageReader } from './llhttp.ts';
import { SAFE_METHODS } from './methods.ts';
import { NO_ANSWER } from './refusals.ts';
import type { RequestHead } from './request-head.ts';
import { type BodyFraming, BY_CHUNKS, BY_CLOSE, NO_BODY, ResponseHead } from './response-head.ts';
import { Why } from './routing.ts';
import type { Runtime } from './runtime.ts';
import { trailerText } from './trailers.ts';
import { UpstreamConnection } from './upstream-connection.ts';
import { isOneHead, upstreamHead } from './upstream-head.ts';
import type { VersionState } from './version-state.ts';

const responseHead = new ResponseHead();

export class Exchange {
  active = false;
  tunnel = false;
  requestDone = false;
  /** Status of the final head that was passed on; 0 before. */
  status = 0;
  version: VersionState | null = null;
  upstream: UpstreamConnection | null = null;
  /** Where it was sent; stays for the log. */
  endpoint: EndpointState | null = null;
  method = '';
  target = '';
  why = 0;
  startMs = 0;
  bodyBytes = 0;
  /** What is known of a failure, for the access log. */
  detail = '';
  readonly #runtime: Runtime;
  readonly #client: ClientConnection;
  #counts: RouteCounts | null = null;
  #methodNumber = 0;
  #isHttp10 = false;
  #keepAlive = false;
  #websocket = false;
  #chunkedRequest = false;
  #isRepeat = false;
  /** The head as sent, while it may be sent once more on a fresh connection. */
  #repeatable = '';
  #setCookie = '';
  #framing: BodyFraming = NO_BODY;
  #counted = false;

  constructor(runtime: Runtime, client: ClientConnection) {
    this.#runtime = runtime;
    this.#client = client;
  }

  /**
   * Inside the parser's `onHead`: chooses, takes a connection and prepares the head; nothing is written yet. False when
   * what it would write is not one head; then nothing has begun.
   */
  start(head: RequestHead): boolean {
    const { compiled, nowMs } = this.#runtime;
    const routing = compiled.routing;
    const target = routing.choose(head, this.#runtime.random);
    const version = target.version;
    const endpoint = version.nextEndpoint(nowMs);
    const text = endpoint === null ? '' : upstreamHead(head, this.#client.forwarding(head), endpoint.authority);
    if (endpoint !== null && !isOneHead(text)) return false;
    this.#reset(head);
    this.version = version;
    this.endpoint = endpoint;
    this.why = routing.why;
    this.#counts = target.counts[routing.routeIndex(head.target)] as RouteCounts;
    version.inFlight += 1;
    if (routing.userKey !== undefined) version.users.add(routing.userKey);
    this.#noteRepeat(head);
    if (routing.affinity !== null && routing.why > Why.affinity) {
      this.#setCookie = affinityCookieLine(routing.affinity.cookie, version.revision, routing.affinity.ttlSeconds);
    }
    if (endpoint === null) this.#client.afterFeed('no-endpoint');
    else this.#send(head, endpoint, text);
    return true;
  }

  #send(head: RequestHead, endpoint: EndpointState, text: string): void {
    const mayRepeat = !head.hasBody && SAFE_METHODS.has(head.method);
    this.#repeatable = mayRepeat ? text : '';
    this.#attach(endpoint.takeIdle(this.startMs, mayRepeat) ?? new UpstreamConnection(endpoint), text);
  }

  #reset(head: RequestHead): void {
    this.active = true;
    this.tunnel = false;
    this.requestDone = false;
    this.status = 0;
    this.method = head.method;
    this.target = head.target;
    this.startMs = performance.now();
    this.bodyBytes = 0;
    this.detail = '';
    this.#methodNumber = head.methodNumber;
    this.#isHttp10 = head.isHttp10;
    this.#keepAlive = head.keepAlive;
    this.#websocket = head.websocket;
    this.#chunkedRequest = head.chunked;
    this.#setCookie = '';
    this.#framing = NO_BODY;
    this.#counted = false;
    this.upstream = null;
  }

  #noteRepeat(head: RequestHead): void {
    const slot = this.#runtime.compiled.retrySlot;
    const value = slot < 0 ? undefined : head.wanted[slot];
    this.#isRepeat = value !== undefined && value !== '' && this.#runtime.repeats.isRepeat(value, performance.now());
    if (this.#isRepeat) (this.version as VersionState).repeats += 1;
  }

  #attach(upstream: UpstreamConnection, text: string): void {
    this.upstream = upstream;
    upstream.begin(this);
    upstream.outlet.addText(text);
    this.#client.waitMs(upstream.connected ? this.#timeouts.responseMs : this.#timeouts.connectMs);
  }

  get #timeouts() {
    return this.#runtime.compiled.config.timeouts;
  }

  requestBody(chunk: Buffer, start: number, end: number): void {
    const upstream = this.upstream;
    if (upstream === null) return;
    if (this.#chunkedRequest) upstream.outlet.addText(`${(end - start).toString(16)}\r\n`);
    upstream.outlet.addBytes(chunk, start, end, true);
    if (this.#chunkedRequest) upstream.outlet.addText('\r\n');
    if (upstream.connected) this.#client.waitMs(this.#timeouts.idleMs);
  }

  requestComplete(trailers: readonly string[]): void {
    this.requestDone = true;
    const upstream = this.upstream;
    if (upstream === null) return;
    if (this.#chunkedRequest) upstream.outlet.addText(`0\r\n${trailerText(trailers)}\r\n`);
    if (upstream.connected && this.status === 0) this.#client.waitMs(this.#timeouts.responseMs);
  }

  /** Writes what was prepared; stops reading from the client while the upstream takes no more. */
  flushToUpstream(): void {
    if (this.upstream !== null && !this.upstream.outlet.flush() && !this.requestDone) this.#client.pause();
  }

  onUpstreamConnected(): void {
    (this.upstream as UpstreamConnection).endpoint.noteAccepted(this.#runtime.nowMs);
    this.#client.waitMs(this.requestDone ? this.#timeouts.responseMs : this.#timeouts.idleMs);
  }

  onUpstreamDrain(): void {
    this.#client.resume();
  }

  /** Inside the parser: 1 when no body follows, -1 when the answer must not be passed on. */
  onResponseHead(reader: MessageReader): number {
    const head = responseHead;
    if (head.read(reader) !== null) return -1;
    const status = head.status;
    if (status === 101) return this.#onSwitch(head);
    if (status < 200) {
      if (this.#isHttp10) return 0;
      const text = `${head.statusLine()}${head.lines()}\r\n`;
      if (!isOneHead(text)) return -1;
      // Neither noted as the answer nor a reason to wait longer for it.
      this.#client.outlet.addText(text);
      return 0;
    }
    reader.bodyLeft = head.contentLength;
    const isHead = this.method === 'HEAD';
    const framing = head.framing(isHead, this.#isHttp10);
    this.#framing = framing;
    if (framing === BY_CLOSE || this.#runtime.draining) this.#keepAlive = false;
    if (head.keepAlive !== '') (this.endpoint as EndpointState).noteKeepAlive(head.keepAlive);
    const text =
      `${head.statusLine()}${head.lines()}${framing === BY_CHUNKS ? 'transfer-encoding: chunked\r\n' : ''}` +
      `${this.#setCookie}via: 1.1 haldane\r\n${this.#connectionLine()}\r\n`;
    if (!this.#passHead(text)) return -1;
    return isHead ? 1 : 0;
  }

  /** False when what would be written is not one head. A status is only noted with the head that carries it. */
  #passHead(text: string): boolean {
    if (!isOneHead(text)) return false;
    this.status = responseHead.status;
    this.#client.outlet.addText(text);
    this.#client.waitMs(this.#timeouts.idleMs);
    return true;
  }

  #connectionLine(): string {
    if (!this.#keepAlive) return 'connection: close\r\n';
    return this.#isHttp10 ? 'connection: keep-alive\r\n' : '';
  }

  #onSwitch(head: ResponseHead): number {
    if (!this.#websocket || head.upgrade.toLowerCase() !== 'websocket') return -1;
    this.tunnel = this.#passHead(
      `${head.statusLine()}${head.lines()}${this.#setCookie}via: 1.1 haldane\r\n` +
        'connection: upgrade\r\nupgrade: websocket\r\n\r\n',
    );
    return this.tunnel ? 0 : -1;
  }

  onResponseBody(chunk: Buffer, start: number, end: number): void {
    const outlet = this.#client.outlet;
    if (this.#framing === BY_CHUNKS) outlet.addText(`${(end - start).toString(16)}\r\n`);
    outlet.addBytes(chunk, start, end, false);
    if (this.#framing === BY_CHUNKS) outlet.addText('\r\n');
  }

  /** What the upstream sent goes on to the client; it is paused while the client takes no more. */
  flushToClient(): void {
    if (!this.#client.outlet.flush()) this.upstream?.socket.pause();
    if (this.status !== 0) this.#client.waitMs(this.#timeouts.idleMs);
  }

  onClientDrain(): void {
    this.upstream?.socket.resume();
  }

  /** `rest`: bytes after the message; only a tunnel may have them. */
  onResponseComplete(rest: Buffer | null): void {
    const upstream = this.upstream as UpstreamConnection;
    const runtime = this.#runtime;
    upstream.endpoint.noteAnswered(runtime.nowMs);
    if (this.tunnel) {
      this.#openTunnel(upstream, rest);
      return;
    }
    if (this.#framing === BY_CHUNKS) this.#client.outlet.addText(`0\r\n${trailerText(upstream.reader.trailers)}\r\n`);
    this.#client.outlet.flush();
    this.upstream = null;
    const isClean = rest === null && this.requestDone && upstream.socket.writableLength === 0;
    if (isClean && upstream.reader.keepAlive) {
      if (upstream.socket.isPaused()) upstream.socket.resume();
      upstream.release(runtime.nowMs);
    } else upstream.close();
    this.#count(this.status);
    this.#client.afterExchange(!this.#keepAlive || !this.requestDone);
  }

  /** The upstream went away, or sent what is not HTTP. */
  onUpstreamFailed(why: string): void {
    const upstream = this.upstream;
    if (upstream === null) return;
    if (this.tunnel) {
      this.endTunnel();
      return;
    }
    if (this.#sendAgain(upstream)) return;
    upstream.endpoint.noteFailed(this.#runtime.nowMs, !upstream.connected);
    this.fail(upstream.connected ? 'reset' : 'connect-failed', why);
  }

  /**
   * A server may close an idle connection in the very moment a request is written to it (RFC 9112 section 9.3.1). Only
   * then, only for a safe request without a body, only if not one byte of an answer came, and only once, on a fresh
   * connection to the same place.
   */
  #sendAgain(upstream: UpstreamConnection): boolean {
    const text = this.#repeatable;
    if (upstream.uses < 2 || upstream.answered || text === '') return false;
    this.#repeatable = '';
    upstream.close();
    (this.version as VersionState).resent += 1;
    this.#attach(new UpstreamConnection(upstream.endpoint), text);
    this.flushToUpstream();
    return true;
  }

  /** Ends without an answer of the version: told to the client if it has not heard anything yet, counted as what it is. */
  fail(kind: keyof typeof NO_ANSWER, why: string): void {
    this.detail = why;
    this.#dropUpstream();
    this.#count(ENDED_AS[kind]);
    if (this.status !== 0) this.#client.destroy();
    else this.#client.reply(NO_ANSWER[kind], !this.#keepAlive || !this.requestDone);
  }

  /** The client went away or broke the rules: not the version's doing, unless it had said 5xx already. */
  abandon(): void {
    if (!this.active) return;
    this.#dropUpstream();
    if (this.tunnel) this.#release();
    else this.#count(this.status >= 500 ? this.status : Ended.clientClosed);
  }

  #dropUpstream(): void {
    const upstream = this.upstream;
    this.upstream = null;
    upstream?.close();
  }

  #count(ended: number): void {
    const endMs = performance.now();
    if (!this.#isRepeat && !this.#counted) {
      const counts = this.#counts as RouteCounts;
      counts.count(this.#methodNumber, ended);
      if (this.why !== Why.rule) this.endpoint?.noteEnded(endMs, ended);
      if (ended < 1000 || ended === Ended.timeout) counts.time((endMs - this.startMs) / 1000);
    }
    this.#counted = true;
    this.#runtime.accessLog?.exchange(this, this.#client, ended, endMs);
    if (!this.tunnel) this.#release();
  }

  #release(): void {
    if (!this.active) return;
    this.active = false;
    this.#repeatable = '';
    (this.version as VersionState).inFlight -= 1;
  }

  #openTunnel(upstream: UpstreamConnection, rest: Buffer | null): void {
    upstream.tunnel = true;
    this.#count(101);
    if (rest !== null) this.#client.outlet.addBytes(rest, 0, rest.length, true);
    this.#client.outlet.flush();
    this.#client.enterTunnel();
  }

  tunnelToUpstream(chunk: Buffer): void {
    if (this.upstream !== null && !this.upstream.socket.write(chunk)) this.#client.pause();
  }

  tunnelToClient(from: Buffer, bytes: number): void {
    this.#client.outlet.addBytes(from, 0, bytes, false);
    if (!this.#client.outlet.flush()) this.upstream?.socket.pause();
  }

  /** One side has said all it has to say; the other may go on. */
  onTunnelEnd(): void {
    this.#client.endTunnel();
  }

  endTunnel(): void {
    this.#dropUpstream();
    this.#release();
    this.#client.leaveTunnel();
  }

  /** Called when the client's deadline has passed: names who kept whom waiting. */
  expire(): void {
    const upstream = this.upstream;
    if (upstream === null) {
      this.abandon();
      this.#client.destroy();
    } else if (!upstream.connected) this.#blame(upstream, 'connect-failed');
    else if (this.status !== 0 && upstream.socket.isPaused()) this.#blameClient();
    else if (this.status === 0 && !this.requestDone && !this.#client.paused) this.#client.stalled();
    else this.#blame(upstream, 'timeout');
  }

  #blame(upstream: UpstreamConnection, kind: 'connect-failed' | 'timeout'): void {
    upstream.endpoint.noteFailed(this.#runtime.nowMs, kind === 'connect-failed');
    this.fail(kind, 'deadline');
  }

  #blameClient(): void {
    this.abandon();
    this.#client.destroy();
  }
}

const ENDED_AS: Readonly<Record<keyof typeof NO_ANSWER, number>> = {
  'connect-failed': Ended.connectFailed,
  timeout: Ended.timeout,
  reset: Ended.reset,
  'no-endpoint': Ended.noEndpoint,
};
