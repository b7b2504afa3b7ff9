// Tells the few header fields a gateway must act on from the many it only passes on, without building strings.
// It refuses to know what any field means.

/** Fields the gateway acts on. 0 is every other field. */
export const Field = {
  other: 0,
  host: 1,
  connection: 2,
  contentLength: 3,
  transferEncoding: 4,
  expect: 5,
  upgrade: 6,
  /** Hop-by-hop whatever Connection says (RFC 9110 section 7.6.1), or dangerous to pass on (Proxy: "httpoxy"). */
  dropped: 7,
  te: 8,
  cookie: 9,
  forwardedFor: 10,
  forwardedProto: 11,
  forwardedHost: 12,
  forwarded: 13,
  traceparent: 14,
  tracestate: 15,
  keepAlive: 16,
  /** Looks like a framing field to upstreams that read "_" as "-": refused. */
  lookalike: 17,
} as const;

const STATIC: Readonly<Record<string, number>> = {
  host: Field.host,
  connection: Field.connection,
  'content-length': Field.contentLength,
  'transfer-encoding': Field.transferEncoding,
  expect: Field.expect,
  upgrade: Field.upgrade,
  'proxy-connection': Field.dropped,
  'proxy-authenticate': Field.dropped,
  'proxy-authorization': Field.dropped,
  'proxy-authentication-info': Field.dropped,
  proxy: Field.dropped,
  'http2-settings': Field.dropped,
  te: Field.te,
  cookie: Field.cookie,
  'x-forwarded-for': Field.forwardedFor,
  'x-forwarded-proto': Field.forwardedProto,
  'x-forwarded-host': Field.forwardedHost,
  forwarded: Field.forwarded,
  traceparent: Field.traceparent,
  tracestate: Field.tracestate,
  'keep-alive': Field.keepAlive,
  content_length: Field.lookalike,
  transfer_encoding: Field.lookalike,
};

interface Entry {
  readonly name: string;
  readonly first: number;
  readonly field: number;
  /** Where the value is kept for rules and keys; -1 when nobody asks for it. */
  readonly slot: number;
}

/** What `find` answers for a field nobody acts on. */
export const NOT_FOUND: Entry = { name: '', first: 0, field: Field.other, slot: -1 };

export class HeaderNames {
  readonly wanted: readonly string[];
  #byLength: (readonly Entry[] | undefined)[] = [];

  /** `wanted`: names (any case) whose values the configuration asks for, in the order of their slots. */
  constructor(wanted: readonly string[]) {
    this.wanted = wanted.map((name) => name.toLowerCase());
    for (const name of new Set([...Object.keys(STATIC), ...this.wanted])) {
      const entry: Entry = {
        name,
        first: name.charCodeAt(0),
        field: STATIC[name] ?? Field.other,
        slot: this.wanted.indexOf(name),
      };
      this.#byLength[name.length] = [...(this.#byLength[name.length] ?? []), entry];
    }
  }

  find(text: string, start: number, end: number): Entry {
    const entries = this.#byLength[end - start];
    if (entries === undefined) return NOT_FOUND;
    const first = lower(text.charCodeAt(start));
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as Entry;
      if (entry.first === first && matches(text, start, entry.name)) return entry;
    }
    return NOT_FOUND;
  }
}

function lower(code: number): number {
  return code >= 65 && code <= 90 ? code | 32 : code;
}

function matches(text: string, start: number, name: string): boolean {
  for (let i = 1; i < name.length; i++) {
    if (lower(text.charCodeAt(start + i)) !== name.charCodeAt(i)) return false;
  }
  return true;
}

/** The value without the white space around it, which is not part of it (RFC 9110 section 5.5). */
export function trimmed(text: string, start: number, end: number): string {
  let last = end;
  while (last > start && isBlank(text.charCodeAt(last - 1))) last -= 1;
  let first = start;
  while (first < last && isBlank(text.charCodeAt(first))) first += 1;
  return text.slice(first, last);
}

/** A length in decimal digits, at most 15 of them; -1 for anything else. */
export function decimalLength(value: string): number {
  if (value.length === 0 || value.length > 15) return -1;
  let length = 0;
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
