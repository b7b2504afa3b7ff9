// llhttp, the HTTP parser of Node itself, compiled to WebAssembly: the one place where bytes become messages, for both
// sides of the gateway. The binary is the one undici ships (MIT); it is loaded by path and pinned to an exact version.
// Strict: no lenient flag is ever set. It refuses to interpret headers: it hands out positions in the text of the head.
import { createRequire } from 'node:module';

const REQUEST = 1;
const RESPONSE = 2;
const PAUSED = 21;
const CALLBACK_FAILED = -1;
const BUFFER_BYTES = 65_536;
/** A chunk larger than this that begins with a head is mostly body: the head is read from its first slice. */
const LARGE_BYTES = 16_384;
const FIRST_SLICE_BYTES = 4_096;
/** More header fields than this are refused; the position table has a fixed size. */
export const MAX_HEADERS = 128;

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  _initialize?(): void;
  malloc(bytes: number): number;
  llhttp_alloc(type: number): number;
  llhttp_free(parser: number): void;
  llhttp_reset(parser: number): void;
  llhttp_execute(parser: number, data: number, length: number): number;
  llhttp_finish(parser: number): number;
  llhttp_get_error_pos(parser: number): number;
  llhttp_get_error_reason(parser: number): number;
  llhttp_get_method(parser: number): number;
  llhttp_get_http_major(parser: number): number;
  llhttp_get_http_minor(parser: number): number;
}

/** What a reader tells its owner. A result other than 0 stops the reader: see `onHead`. */
export interface MessageEvents {
  /** 0: go on, 1: no body follows whatever the head says (HEAD), -1: refused. */
  onHead(reader: MessageReader): number;
  /** Body bytes are `reader.chunk[start, end)`. 0: go on, -1: refused. */
  onBody(reader: MessageReader, start: number, end: number): number;
  onComplete(reader: MessageReader): void;
}

/**
 * Positions in `reader.text` of the head being read, shared by all readers: only valid inside `onHead`.
 * [0, 1] is the target or reason phrase; header i is at 4 + 4 i: name start and end, value start and end.
 */
export const spans = new Int32Array(4 + MAX_HEADERS * 4);
const SPAN_LIMIT = 4 + MAX_HEADERS * 4;

const AT_START = 0;
const IN_HEAD = 1;
const IN_BODY = 2;

/** What became of the bytes fed to a reader. */
export const MORE = 0;
export const COMPLETE = 1;
export const FAILED = 2;
export type Fed = typeof MORE | typeof COMPLETE | typeof FAILED;

/** Views of the beginning of the chunk read last: upstreams read into one buffer, and answers of one size are common. */
const MAX_VIEW = 4_096;
const views: (Buffer | undefined)[] = new Array(MAX_VIEW + 1);
let viewed: Buffer | null = null;

function part(chunk: Buffer, from: number, to: number): Buffer {
  if (from !== 0 || to > MAX_VIEW) return chunk.subarray(from, to);
  if (viewed !== chunk) {
    views.fill(undefined);
    viewed = chunk;
  }
  let view = views[to];
  if (view === undefined) {
    view = chunk.subarray(0, to);
    views[to] = view;
  }
  return view;
}

const NOTHING = Buffer.alloc(0);
let current: MessageReader;

/** Reads the messages of one connection, one at a time: it stops after each one, until `reset`. */
export class MessageReader {
  chunk: Buffer = NOTHING;
  /** The head as text, from the target (or reason phrase) on; one char per byte. Valid inside `onHead`. */
  text = '';
  headerCount = 0;
  /** Status of a response, 0 for a request. */
  status = 0;
  wantsUpgrade = false;
  keepAlive = false;
  /** After COMPLETE: where in the chunk the next message starts. */
  restStart = 0;
  /** Bytes since the message began, counted per chunk, while the head is still incomplete. */
  headBytes = 0;
  /** Names and values of the trailer section in turn, in the order received. */
  trailers: string[] = [];
  complete = false;
  /** Refused for more than MAX_HEADERS fields. */
  tooManyFields = false;
  phase = AT_START;
  /** Set in `onHead` by whoever knows that the body has this length; -1 when it is framed otherwise. */
  bodyLeft = -1;
  #parser: number;
  #events: MessageEvents;
  #carry = '';
  #owned: Int32Array | null = null;
  /** Text index = position in slice - #delta. */
  #delta = 0;
  #based = false;
  #sliceStart = 0;
  #last = 0;
  #lastIsValue = false;
  #trailerBytes = 0;

  constructor(parser: number, events: MessageEvents) {
    this.#parser = parser;
    this.#events = events;
  }

  get methodNumber(): number {
    return wasm.llhttp_get_method(this.#parser);
  }

  /** 10 * major + minor: 11 is HTTP/1.1. */
  get version(): number {
    return wasm.llhttp_get_http_major(this.#parser) * 10 + wasm.llhttp_get_http_minor(this.#parser);
  }

  get inHead(): boolean {
    return this.phase <= IN_HEAD;
  }

  /** Ready for the next message on the same connection. */
  reset(): void {
    wasm.llhttp_reset(this.#parser);
    this.complete = false;
    this.phase = AT_START;
    this.headBytes = 0;
    this.#owned = null;
    this.#carry = '';
    this.#based = false;
  }

  free(): void {
    if (this.#parser === 0) return;
    release(this.#parser);
    this.#parser = 0;
    this.chunk = NOTHING;
    this.text = '';
  }

  feed(chunk: Buffer, start: number, end: number): Fed {
    this.chunk = chunk;
    let from = start;
    while (from < end) {
      const most = this.phase <= IN_HEAD && end - from > LARGE_BYTES ? FIRST_SLICE_BYTES : BUFFER_BYTES;
      const to = Math.min(end, from + most);
      const fed = this.#feedSlice(from, to);
      if (fed !== MORE) return fed;
      from = to;
    }
    return MORE;
  }

  #feedSlice(from: number, to: number): Fed {
    const length = to - from;
    // When the memory grows, views of it become empty.
    if (memory.length === 0) memory = new Uint8Array(wasm.memory.buffer);
    // Of a body by length the parser only counts the bytes: where all of a slice is such, there is nothing to copy.
    if (this.phase !== IN_BODY || this.bodyLeft < length) {
      memory.set(from === 0 && to === this.chunk.length ? this.chunk : part(this.chunk, from, to), buffer);
    }
    this.#sliceStart = from;
    if (this.#owned !== null) {
      spans.set(this.#owned);
      this.#owned = null;
    }
    if (this.phase <= IN_HEAD) this.headBytes += length;
    if (!this.#based) this.#delta = 0;
    else if (this.phase === IN_HEAD) this.#delta = -this.#carry.length;
    const outer = current;
    current = this;
    const code = wasm.llhttp_execute(this.#parser, buffer, length);
    current = outer;
    if (code === 0) {
      if (this.phase === IN_HEAD && this.#based) this.#keepPartialHead(from, to);
      return MORE;
    }
    this.restStart = from + wasm.llhttp_get_error_pos(this.#parser) - buffer;
    return this.complete && code === PAUSED ? COMPLETE : FAILED;
  }

  /** A head that spans reads: its text so far is kept, so that positions stay true without parsing anything twice. */
  #keepPartialHead(from: number, to: number): void {
    this.#carry += this.chunk.toString('latin1', from + Math.max(0, this.#delta), to);
    this.#owned = spans.slice(0, Math.min(SPAN_LIMIT, this.#last + 4));
  }

  /** The connection ended: true if that is the proper end of a message (a body that lasts until the close). */
  finish(): boolean {
    if (this.complete) return true;
    const outer = current;
    current = this;
    wasm.llhttp_finish(this.#parser);
    current = outer;
    return this.complete;
  }

  /** Why the parser refused, in its words. */
  get reason(): string {
    const at = wasm.llhttp_get_error_reason(this.#parser);
    if (at === 0) return 'malformed';
    const bytes = new Uint8Array(wasm.memory.buffer);
    return Buffer.from(bytes.subarray(at, bytes.indexOf(0, at))).toString('latin1');
  }

  begin(): void {
    this.phase = IN_HEAD;
    this.headerCount = 0;
    this.tooManyFields = false;
    this.#based = false;
    this.#carry = '';
    this.#last = 0;
    this.#lastIsValue = true;
    this.#trailerBytes = 0;
    if (this.trailers.length > 0) this.trailers = [];
    spans[0] = 0;
    spans[1] = 0;
  }

  #position(at: number): number {
    if (!this.#based) {
      this.#based = true;
      this.#delta = at - buffer;
    }
    return at - buffer - this.#delta;
  }

  firstLine(at: number, length: number): void {
    const start = this.#position(at);
    if (spans[1] === 0) spans[0] = start;
    spans[1] = start + length;
  }

  headerField(at: number, length: number): number {
    if (this.phase !== IN_HEAD) return this.#trailer(at, length, false);
    const start = this.#position(at);
    let last = this.#last;
    if (!this.#lastIsValue && spans[last + 1] === start) {
      spans[last + 1] = start + length;
      return 0;
    }
    last += 4;
    if (last >= SPAN_LIMIT) {
      this.tooManyFields = true;
      return CALLBACK_FAILED;
    }
    this.#last = last;
    this.#lastIsValue = false;
    this.headerCount += 1;
    spans[last] = start;
    spans[last + 1] = start + length;
    spans[last + 2] = start + length;
    spans[last + 3] = start + length;
    return 0;
  }

  headerValue(at: number, length: number): number {
    if (this.phase !== IN_HEAD) return this.#trailer(at, length, true);
    const start = this.#position(at);
    const last = this.#last;
    if (!this.#lastIsValue) {
      spans[last + 2] = start;
      this.#lastIsValue = true;
    }
    spans[last + 3] = start + length;
    return 0;
  }

  #trailer(at: number, length: number, isValue: boolean): number {
    const start = this.#sliceStart + at - buffer;
    const part = this.chunk.toString('latin1', start, start + length);
    this.#trailerBytes += length + 4;
    if (this.#trailerBytes > 16_384) return CALLBACK_FAILED;
    const trailers = this.trailers;
    const parity = trailers.length % 2;
    if (isValue === (parity === 1)) trailers.push(part);
    else trailers[trailers.length - 1] += part;
    return 0;
  }

  headersComplete(status: number, upgrade: number, keepAlive: number): number {
    const lastEnd = this.headerCount > 0 ? (spans[this.#last + 3] as number) : (spans[1] as number);
    const from = this.#sliceStart + Math.max(0, this.#delta);
    // Up to 11 bytes more, so that the protocol that follows a target (" HTTP/1.1") is in the text too.
    const to = Math.min(this.chunk.length, this.#sliceStart + this.#delta + lastEnd + 11);
    const head = to > from ? this.chunk.toString('latin1', from, to) : '';
    this.text = this.#carry === '' ? head : this.#carry + head;
    this.#carry = '';
    this.status = status;
    this.wantsUpgrade = upgrade === 1;
    this.keepAlive = keepAlive === 1;
    this.phase = IN_BODY;
    this.bodyLeft = -1;
    return this.#events.onHead(this);
  }

  body(at: number, length: number): number {
    const start = this.#sliceStart + at - buffer;
    this.bodyLeft -= length;
    return this.#events.onBody(this, start, start + length);
  }

  messageComplete(): number {
    // An interim response (1xx other than 101) is followed by another head on the same connection.
    if (this.status >= 100 && this.status < 200 && this.status !== 101) return 0;
    this.complete = true;
    this.#events.onComplete(this);
    return PAUSED;
  }
}

/** The standard lib of TypeScript knows it only together with the DOM. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

const require = createRequire(import.meta.url);
const wasmModule = new WebAssembly.Module(require('undici/lib/llhttp/llhttp_simd-wasm.js'));
const wasm = new WebAssembly.Instance(wasmModule, {
  env: {
    wasm_on_message_begin: () => {
      current.begin();
      return 0;
    },
    wasm_on_url: (_parser: number, at: number, length: number) => {
      current.firstLine(at, length);
      return 0;
    },
    wasm_on_status: (_parser: number, at: number, length: number) => {
      current.firstLine(at, length);
      return 0;
    },
    wasm_on_header_field: (_parser: number, at: number, length: number) => current.headerField(at, length),
    wasm_on_header_value: (_parser: number, at: number, length: number) => current.headerValue(at, length),
    wasm_on_headers_complete: (_parser: number, status: number, upgrade: number, keepAlive: number) =>
      current.headersComplete(status, upgrade, keepAlive),
    wasm_on_body: (_parser: number, at: number, length: number) => current.body(at, length),
    wasm_on_message_complete: () => current.messageComplete(),
  },
}).exports as Exports;
wasm._initialize?.();
const buffer = wasm.malloc(BUFFER_BYTES);
let memory = new Uint8Array(wasm.memory.buffer);

// llhttp_alloc fixes the type, so spent parsers are kept per type.
const spare: Record<number, number[]> = { [REQUEST]: [], [RESPONSE]: [] };
const typeOf = new Map<number, number>();

function take(type: number): number {
  const kept = (spare[type] as number[]).pop();
  if (kept !== undefined) {
    wasm.llhttp_reset(kept);
    return kept;
  }
  const parser = wasm.llhttp_alloc(type);
  typeOf.set(parser, type);
  return parser;
}

function release(parser: number): void {
  (spare[typeOf.get(parser) as number] as number[]).push(parser);
}

export function requestReader(events: MessageEvents): MessageReader {
  return new MessageReader(take(REQUEST), events);
}

export function responseReader(events: MessageEvents): MessageReader {
  return new MessageReader(take(RESPONSE), events);
}
