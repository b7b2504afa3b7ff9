// Judges one request head beyond what the parser does: RFC 9112 sections 3 and 6, RFC 9110 sections 7 and 10.
// It answers one question: may this request be passed on, and if so, what must the upstream be told anew?
// It refuses whatever could be read in two ways.
import { decimalLength, Field, type HeaderNames, trimmed } from './header-names.ts';
import { MAX_HEADERS, type MessageReader, spans } from './llhttp.ts';
import { METHODS, REFUSED_METHODS } from './methods.ts';
import { REFUSALS, type Refusal } from './refusals.ts';

const HOST = /^(?:[A-Za-z0-9._~%!$&'()*+,;=-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?$/;
const ABSOLUTE = /^https?:\/\/([^/?]*)([/?].*)?$/i;
/** Fields a client must not have dropped for it on the way: they decide where a message ends and for whom it is. */
const NEVER_HOP_BY_HOP = new Set(['content-length', 'transfer-encoding', 'host', 'expect', 'cookie', 'authorization']);

/** Options of Connection that are no field names, or fields dropped anyway. */
const KNOWN_OPTIONS = new Set(['', 'close', 'keep-alive', 'upgrade', 'te']);

/** One request, as far as the gateway needs to know it. A single one is used for all: it is only valid inside `onHead`. */
export class RequestHead {
  text = '';
  method = '';
  methodNumber = 0;
  /** Origin form, or "*". */
  target = '';
  host = '';
  isHttp10 = false;
  keepAlive = false;
  hasBody = false;
  /** A Content-Length was given, 0 included. */
  hasLength = false;
  chunked = false;
  contentLength = 0;
  websocket = false;
  acceptsTrailers = false;
  expectsContinue = false;
  cookie = '';
  forwardedFor = '';
  forwardedProto = '';
  forwardedHost = '';
  forwarded = '';
  traceparent = '';
  /** Values of the fields the configuration asks for, by slot; undefined when absent. */
  wanted: (string | undefined)[] = [];
  headerCount = 0;
  /** 1: the header with this number is not passed on as it came. */
  readonly drop = new Uint8Array(MAX_HEADERS);
  hasTrace = false;
  hasForwarding = false;
  /** The last one found valid; nearly always the same again. */
  #goodHost: string | null = null;
  #lengths = 0;
  #codings = 0;
  #hosts = 0;
  #coding = '';
  #connection = '';
  #upgrade = '';
  #expect = '';

  /** Null when the request may be passed on. */
  read(reader: MessageReader, names: HeaderNames): Refusal | null {
    this.#clear(reader);
    const text = this.text;
    for (let i = 0; i < this.headerCount; i++) {
      const at = 4 + 4 * i;
      const entry = names.find(text, spans[at] as number, spans[at + 1] as number);
      if (entry.field === Field.other && entry.slot < 0) {
        this.drop[i] = 0;
        continue;
      }
      const value = trimmed(text, spans[at + 2] as number, spans[at + 3] as number);
      if (entry.slot >= 0 && this.wanted[entry.slot] === undefined) this.wanted[entry.slot] = value;
      this.drop[i] = this.#take(entry.field, value);
    }
    return this.#checkLine(reader) ?? this.#checkBody() ?? this.#checkHost() ?? this.#checkHops();
  }

  #clear(reader: MessageReader): void {
    this.text = reader.text;
    this.headerCount = reader.headerCount;
    this.methodNumber = reader.methodNumber;
    this.method = METHODS[this.methodNumber] ?? '';
    this.keepAlive = reader.keepAlive;
    this.host = '';
    this.cookie = '';
    this.forwardedFor = '';
    this.forwardedProto = '';
    this.forwardedHost = '';
    this.forwarded = '';
    this.traceparent = '';
    this.hasTrace = false;
    this.hasForwarding = false;
    this.acceptsTrailers = false;
    for (let i = 0; i < this.wanted.length; i++) this.wanted[i] = undefined;
    this.#lengths = 0;
    this.#codings = 0;
    this.#hosts = 0;
    this.#coding = '';
    this.#connection = '';
    this.#upgrade = '';
    this.#expect = '';
    this.contentLength = 0;
  }

  /** Notes one field the gateway acts on; 1 when the line is not passed on as it is. */
  #take(field: number, value: string): 0 | 1 {
    switch (field) {
      case Field.host:
        this.#hosts += 1;
        this.host = value;
        return 1;
      case Field.connection:
        this.#connection = join(this.#connection, value);
        return 1;
      case Field.contentLength:
        this.#lengths += 1;
        this.contentLength = decimalLength(value);
        return 1;
      case Field.transferEncoding:
        this.#codings += 1;
        this.#coding = value;
        return 1;
      case Field.lookalike:
        this.#lengths += 2;
        return 1;
      case Field.expect:
        this.#expect = join(this.#expect, value);
        return 1;
      case Field.upgrade:
        this.#upgrade = join(this.#upgrade, value);
        return 1;
      case Field.te:
        this.acceptsTrailers ||= /(?:^|,)\s*trailers\s*(?:,|$)/i.test(value);
        return 1;
      case Field.cookie:
        this.cookie = this.cookie === '' ? value : `${this.cookie}; ${value}`;
        return 0;
      case Field.dropped:
      case Field.keepAlive:
        return 1;
      default:
        return this.#takeContext(field, value);
    }
  }

  #takeContext(field: number, value: string): 0 | 1 {
    switch (field) {
      case Field.forwardedFor:
        this.forwardedFor = join(this.forwardedFor, value);
        this.hasForwarding = true;
        return 1;
      case Field.forwardedProto:
        this.forwardedProto = value;
        this.hasForwarding = true;
        return 1;
      case Field.forwardedHost:
        this.forwardedHost = value;
        this.hasForwarding = true;
        return 1;
      case Field.forwarded:
        this.forwarded = join(this.forwarded, value);
        this.hasForwarding = true;
        return 1;
      case Field.traceparent:
        // Twice is as good as invalid (W3C Trace Context section 3.2): both are dropped.
        this.traceparent = this.hasTrace ? 'twice' : value;
        this.hasTrace = true;
        return 0;
      default:
        return 0;
    }
  }

  /** RFC 9112 section 3: method, target, version. */
  #checkLine(reader: MessageReader): Refusal | null {
    const version = reader.version;
    const targetStart = spans[0] as number;
    const targetEnd = spans[1] as number;
    if (version !== 11 && version !== 10) return REFUSALS.version;
    // llhttp takes "GET / RTSP/1.0" for a request too.
    if (!this.text.startsWith(' HTTP/1.', targetEnd)) return REFUSALS.version;
    this.isHttp10 = version === 10;
    if (this.method === '' || REFUSED_METHODS.has(this.method)) return REFUSALS.method;
    const target = this.text.slice(targetStart, targetEnd);
    this.target = target;
    if (target.includes('#')) return REFUSALS.target;
    if (target.charCodeAt(0) === 47) return null;
    if (target === '*') return this.method === 'OPTIONS' ? null : REFUSALS.target;
    return this.#checkAbsolute(target);
  }

  /** RFC 9112 section 3.2.2. A target that names another host than Host is refused rather than believed. */
  #checkAbsolute(target: string): Refusal | null {
    const parts = ABSOLUTE.exec(target);
    if (parts === null) return REFUSALS.target;
    const authority = parts[1] as string;
    const path = parts[2] ?? '/';
    if (this.#hosts > 0 && authority.toLowerCase() !== this.host.toLowerCase()) return REFUSALS.host;
    if (this.#hosts === 0 && this.isHttp10) {
      this.#hosts = 1;
      this.host = authority;
    }
    this.target = path.charCodeAt(0) === 63 ? `/${path}` : path;
    return null;
  }

  /** RFC 9112 section 6: the parser has refused what is plainly wrong; here goes what is only odd. */
  #checkBody(): Refusal | null {
    this.chunked = this.#codings > 0;
    if (this.#lengths > 1 || (this.chunked && this.#lengths > 0) || this.contentLength < 0) return REFUSALS.framing;
    if (this.chunked) {
      if (this.isHttp10 || this.#codings > 1) return REFUSALS.framing;
      if (this.#coding.toLowerCase() !== 'chunked') return REFUSALS.transferCoding;
    }
    this.hasBody = this.chunked || this.contentLength > 0;
    this.hasLength = this.#lengths === 1;
    this.expectsContinue = false;
    if (this.#expect !== '') {
      if (this.#expect.toLowerCase() !== '100-continue') return REFUSALS.expectation;
      this.expectsContinue = !this.isHttp10 && this.hasBody;
    }
    return null;
  }

  #checkHost(): Refusal | null {
    if (this.#hosts > 1) return REFUSALS.host;
    if (this.#hosts === 0) return this.isHttp10 ? null : REFUSALS.host;
    if (this.host === this.#goodHost) return null;
    if (!HOST.test(this.host)) return REFUSALS.host;
    this.#goodHost = this.host;
    return null;
  }

  /** RFC 9110 section 7.6.1: what Connection names goes no further. */
  #checkHops(): Refusal | null {
    this.websocket = false;
    const connection = this.#connection;
    if (connection === '') return null;
    const named = connection.toLowerCase();
    if (named === 'keep-alive' || named === 'close') return null;
    const names = named.split(',').map((part) => part.trim());
    if (names.some((name) => NEVER_HOP_BY_HOP.has(name))) return REFUSALS.hopByHop;
    for (const name of names) if (!KNOWN_OPTIONS.has(name)) this.#dropNamed(name);
    return names.includes('upgrade') ? this.#checkUpgrade() : null;
  }

  /** The one upgrade passed on (RFC 6455 section 4.1); any other is ignored, as RFC 9110 section 7.8 allows. */
  #checkUpgrade(): Refusal | null {
    if (this.#upgrade.toLowerCase() !== 'websocket' || this.isHttp10) return null;
    if (this.method !== 'GET' || this.hasBody || this.hasLength) return REFUSALS.framing;
    this.websocket = true;
    return null;
  }

  #dropNamed(name: string): void {
    for (let i = 0; i < this.headerCount; i++) {
      const at = 4 + 4 * i;
      const start = spans[at] as number;
      const end = spans[at + 1] as number;
      if (end - start === name.length && this.text.slice(start, end).toLowerCase() === name) this.drop[i] = 1;
    }
  }
}

function join(before: string, value: string): string {
  return before === '' ? value : `${before}, ${value}`;
}
