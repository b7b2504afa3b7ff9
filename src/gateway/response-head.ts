// Judges and writes the head of a response: what ended at the hop behind us is taken off, the framing is said anew for
// the client's version of HTTP. It refuses answers whose length could be read in two ways (RFC 9112 section 6.3).
import { decimalLength, Field, HeaderNames, trimmed } from './header-names.ts';
import { MAX_HEADERS, type MessageReader, spans } from './llhttp.ts';
import { keptLines } from './upstream-head.ts';

/** How the body reaches the client. */
export const NO_BODY = 0;
export const BY_LENGTH = 1;
export const BY_CHUNKS = 2;
export const BY_CLOSE = 3;
export type BodyFraming = typeof NO_BODY | typeof BY_LENGTH | typeof BY_CHUNKS | typeof BY_CLOSE;

const NAMES = new HeaderNames([]);
const PRINTABLE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** One response, as far as the gateway needs to know it. A single one is used for all. */
export class ResponseHead {
  status = 0;
  text = '';
  headerCount = 0;
  chunked = false;
  /** -1 when there is none. */
  contentLength = -1;
  upgrade = '';
  /** The text of Keep-Alive, '' when absent. */
  keepAlive = '';
  readonly drop = new Uint8Array(MAX_HEADERS);
  #connection = '';
  #codings = 0;
  #coding = '';
  #lengths = 0;

  /** Null when it may be passed on, else what is wrong with it. */
  read(reader: MessageReader): string | null {
    this.#clear(reader);
    const text = this.text;
    for (let i = 0; i < this.headerCount; i++) {
      const at = 4 + 4 * i;
      const field = NAMES.find(text, spans[at] as number, spans[at + 1] as number).field;
      this.drop[i] = field === Field.other ? 0 : this.#take(field, at);
    }
    if (this.#connection !== '') this.#dropNamed();
    return this.#check();
  }

  #clear(reader: MessageReader): void {
    this.status = reader.status;
    this.text = reader.text;
    this.headerCount = reader.headerCount;
    this.chunked = false;
    this.contentLength = -1;
    this.upgrade = '';
    this.keepAlive = '';
    this.#connection = '';
    this.#codings = 0;
    this.#coding = '';
    this.#lengths = 0;
  }

  #take(field: number, at: number): 0 | 1 {
    switch (field) {
      case Field.connection: {
        const value = this.#value(at).toLowerCase();
        if (value !== 'keep-alive' && value !== 'close') this.#connection += `,${value}`;
        return 1;
      }
      case Field.contentLength: {
        this.#lengths += 1;
        this.contentLength = decimalLength(this.#value(at));
        if (this.contentLength < 0) this.#lengths = 2;
        return this.status === 204 || this.status < 200 ? 1 : 0;
      }
      case Field.transferEncoding:
        this.#codings += 1;
        this.#coding = this.#value(at).toLowerCase();
        return 1;
      case Field.upgrade:
        this.upgrade = this.#value(at);
        return 1;
      case Field.keepAlive:
        this.keepAlive = this.#value(at);
        return 1;
      case Field.te:
      case Field.dropped:
        return 1;
      default:
        return 0;
    }
  }

  #value(at: number): string {
    return trimmed(this.text, spans[at + 2] as number, spans[at + 3] as number);
  }

  #dropNamed(): void {
    const named = new Set(this.#connection.split(',').map((part) => part.trim()));
    // Whoever answers must not be able to take off what frames the answer.
    named.delete('content-length');
    for (let i = 0; i < this.headerCount; i++) {
      const at = 4 + 4 * i;
      if (named.has(this.text.slice(spans[at], spans[at + 1]).toLowerCase())) this.drop[i] = 1;
    }
  }

  #check(): string | null {
    if (this.status < 100 || this.status > 599) return 'status out of range';
    if (this.#lengths > 1) return 'Content-Length unclear';
    if (this.#codings > 1 || (this.#codings === 1 && this.#coding !== 'chunked'))
      return 'Transfer-Encoding not understood';
    if (this.#codings === 1 && this.#lengths === 1) return 'Content-Length beside Transfer-Encoding';
    this.chunked = this.#codings === 1;
    return null;
  }

  framing(isHead: boolean, clientIsHttp10: boolean): BodyFraming {
    if (isHead || this.status === 204 || this.status === 304) return NO_BODY;
    if (this.contentLength >= 0) return this.contentLength === 0 ? NO_BODY : BY_LENGTH;
    return clientIsHttp10 ? BY_CLOSE : BY_CHUNKS;
  }

  /** The status line as received, but for a reason phrase no one may pass on. */
  statusLine(): string {
    const reason = this.text.slice(spans[0], spans[1]);
    if (this.status === 200 && reason === 'OK') return 'HTTP/1.1 200 OK\r\n';
    return `HTTP/1.1 ${this.status} ${PRINTABLE.test(reason) ? reason : ''}\r\n`;
  }

  lines(): string {
    return keptLines(this.text, this.headerCount, this.drop);
  }
}
