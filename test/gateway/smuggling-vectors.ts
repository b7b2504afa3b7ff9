// Requests that try to be read in two ways, or are plainly malformed: what RFC 9112 and RFC 9110 forbid, and the shapes
// known from public work on request smuggling (CL.TE, TE.CL, TE.TE, CL.0, 0.CL, h2c, Expect, bare CR and LF, chunk
// extensions). Each is refused, or reaches the upstream as exactly one request that means the same.
//
// "/@" stands for a target of the vector's own; "/smuggled" is a request that must never be seen by anyone.

export interface Vector {
  readonly name: string;
  /** Where the rule is written. */
  readonly rule: string;
  readonly bytes: string;
  /** `refused`: answered with 4xx or 5xx, or not at all, and closed. Otherwise what the upstream sees, once. */
  readonly expect: 'refused' | { readonly method: string; readonly body: string };
}

const INNER = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
const GET = { method: 'GET', body: '' };

function get(lines: string): string {
  return `GET /@ HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;
}

function post(lines: string, body: string): string {
  return `POST /@ HTTP/1.1\r\nHost: a\r\n${lines}\r\n${body}`;
}

function chunked(body: string): string {
  return post('Transfer-Encoding: chunked\r\n', body);
}

function line(start: string, lines = 'Host: a\r\n'): string {
  return `${start}\r\n${lines}\r\n`;
}

function refused(rule: string, vectors: Readonly<Record<string, string>>): Vector[] {
  return Object.entries(vectors).map(([name, bytes]) => ({ name, rule, bytes, expect: 'refused' }));
}

function one(rule: string, method: string, body: string, vectors: Readonly<Record<string, string>>): Vector[] {
  return Object.entries(vectors).map(([name, bytes]) => ({ name, rule, bytes, expect: { method, body } }));
}

const both: readonly Vector[] = refused('RFC 9112 section 6.1: Content-Length beside Transfer-Encoding', {
  'CL.TE': post('Content-Length: 6\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${INNER}`),
  'TE.CL': post('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', `5c\r\n${INNER}0\r\n\r\n`),
  'CL.TE with the length of all of it': post(
    `Content-Length: ${5 + INNER.length}\r\nTransfer-Encoding: chunked\r\n`,
    `0\r\n\r\n${INNER}`,
  ),
  'CL 0 beside TE': post('Content-Length: 0\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  'CL in the trailer of a chunked body': chunked('0\r\nContent-Length: 40\r\n\r\n'),
  'lookalike Content_Length beside TE': post('Transfer-Encoding: chunked\r\nContent_Length: 4\r\n', '0\r\n\r\n'),
  'lookalike Transfer_Encoding beside CL': post('Content-Length: 5\r\nTransfer_Encoding: chunked\r\n', '0\r\n\r\n'),
});

const codings: readonly Vector[] = refused('RFC 9112 sections 6.1 and 7: Transfer-Encoding other than one chunked', {
  'TE xchunked': post('Transfer-Encoding: xchunked\r\n', `0\r\n\r\n${INNER}`),
  'TE identity': post('Transfer-Encoding: identity\r\n', `0\r\n\r\n${INNER}`),
  'TE gzip, chunked': post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'),
  'TE chunked, gzip': post('Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n'),
  'TE chunked, identity': post('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'),
  'TE chunked twice in one field': post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'),
  'TE chunked in two fields': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  'TE.TE chunked then x': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n', `0\r\n\r\n${INNER}`),
  'TE.TE x then chunked': post('Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${INNER}`),
  'TE empty then chunked': post('Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  'TE empty': post('Transfer-Encoding:\r\n', INNER),
  'TE with a leading comma': post('Transfer-Encoding: , chunked\r\n', '0\r\n\r\n'),
  'TE with a trailing comma': post('Transfer-Encoding: chunked,\r\n', '0\r\n\r\n'),
  'TE quoted': post('Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n'),
  'TE with a parameter': post('Transfer-Encoding: chunked;q=1\r\n', '0\r\n\r\n'),
  'TE with a vertical tab': post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n'),
  'TE with a NUL': post('Transfer-Encoding: chunked\0\r\n', '0\r\n\r\n'),
  'TE with a letter outside ASCII': post('Transfer-Encoding: chun\xebked\r\n', '0\r\n\r\n'),
  'TE under HTTP/1.0': 'POST /@ HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'TE under HTTP/1.0, kept alive': `POST /@ HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${INNER}`,
});

const lengths: readonly Vector[] = refused('RFC 9112 section 6.3, RFC 9110 section 8.6: Content-Length', {
  'CL twice, the same': post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'),
  'CL twice, different': post('Content-Length: 0\r\nContent-Length: 35\r\n', INNER),
  'CL as a list': post('Content-Length: 5, 5\r\n', 'hello'),
  'CL with a plus': post('Content-Length: +5\r\n', 'hello'),
  'CL negative': post('Content-Length: -5\r\n', 'hello'),
  'CL hexadecimal': post('Content-Length: 0x5\r\n', 'hello'),
  'CL with an exponent': post('Content-Length: 1e1\r\n', 'hellohello'),
  'CL with a fraction': post('Content-Length: 5.0\r\n', 'hello'),
  'CL with a space inside': post('Content-Length: 5 5\r\n', 'hello'),
  'CL beyond 64 bits': post('Content-Length: 18446744073709551621\r\n', 'hello'),
  'CL beyond 2^53': post('Content-Length: 99999999999999999\r\n', 'hello'),
  'CL empty': post('Content-Length:\r\n', 'hello'),
  'CL with a vertical tab': post('Content-Length: 5\x0b\r\n', 'hello'),
  'CL with an underscore in the number': post('Content-Length: 1_0\r\n', 'hellohello'),
});

const chunks: readonly Vector[] = refused('RFC 9112 section 7.1: chunk', {
  'chunk size with 0x': chunked('0x3\r\nabc\r\n0\r\n\r\n'),
  'chunk size with a plus': chunked('+3\r\nabc\r\n0\r\n\r\n'),
  'chunk size negative': chunked('-1\r\nabc\r\n0\r\n\r\n'),
  'chunk size beyond 64 bits': chunked('10000000000000003\r\nabc\r\n0\r\n\r\n'),
  'chunk size empty': chunked('\r\nabc\r\n0\r\n\r\n'),
  'chunk size followed by a space': chunked('3 \r\nabc\r\n0\r\n\r\n'),
  'chunk size ended by LF': chunked('3\nabc\r\n0\r\n\r\n'),
  'chunk size ended by CR': chunked('3\rabc\r\n0\r\n\r\n'),
  'chunk data longer than its size': chunked('3\r\nabcX\r\n0\r\n\r\n'),
  'chunk data ended by LF': chunked('3\r\nabc\n0\r\n\r\n'),
  'chunk data without an end': chunked('3\r\nabc0\r\n\r\n'),
  'chunk extension ended by LF (TERM.EXT)': chunked(`3;x\nabc\r\n0\r\n\r\n${INNER}`),
  'chunk extension with LF inside (EXT.TERM)': chunked('3;a\nb\r\nabc\r\n0\r\n\r\n'),
  'chunk extension with a NUL': chunked('3;a\0\r\nabc\r\n0\r\n\r\n'),
  'chunk extension with CRLF in quotes': chunked('3;a="x\r\ny"\r\nabc\r\n0\r\n\r\n'),
  'last chunk ended by LF': chunked('3\r\nabc\r\n0\n\n'),
  'last chunk written 0x0': chunked('3\r\nabc\r\n0x0\r\n\r\n'),
  'trailer folded over lines': chunked('0\r\nA: b\r\n c\r\n\r\n'),
  'trailer without a colon': chunked('0\r\nGET /smuggled HTTP/1.1\r\n\r\n'),
});

const fields: readonly Vector[] = refused('RFC 9112 sections 2.2 and 5: field lines', {
  'space before the colon': get('X : 1\r\n'),
  'space before the colon of Content-Length': post('Content-Length : 5\r\n', 'hello'),
  'space before the colon of Transfer-Encoding': post('Transfer-Encoding : chunked\r\n', `0\r\n\r\n${INNER}`),
  'tab before the colon of Transfer-Encoding': post('Transfer-Encoding\t: chunked\r\n', '0\r\n\r\n'),
  'value folded over lines': get('X: 1\r\n 2\r\n'),
  'Transfer-Encoding folded over lines': post('Transfer-Encoding:\r\n chunked\r\n', `0\r\n\r\n${INNER}`),
  'Content-Length folded over lines': post('Content-Length:\r\n 5\r\n', 'hello'),
  'white space before the first field': 'GET /@ HTTP/1.1\r\n Host: a\r\n\r\n',
  'bare CR in a value': get('X: 1\rY: 2\r\n'),
  'bare CR before Transfer-Encoding': post('X: 1\rTransfer-Encoding: chunked\r\n', ''),
  'bare LF at the end of a field': get('X: 1\nY: 2\r\n'),
  'bare LF before Transfer-Encoding': post('X: 1\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n', ''),
  'bare LF everywhere': 'GET /@ HTTP/1.1\nHost: a\n\n',
  'NUL in a value': get('X: a\0b\r\n'),
  'NUL in a name': get('X\0: b\r\n'),
  'DEL in a value': get('X: a\x7fb\r\n'),
  'no name': get(': b\r\n'),
  'no colon': get('X\r\n'),
  'a name in quotes': get('"X": b\r\n'),
  'a name with a letter outside ASCII': get('X\xe9: b\r\n'),
  'CR CR LF at the end of the head': 'GET /@ HTTP/1.1\r\nHost: a\r\r\n\r\n',
});

const lines: readonly Vector[] = refused('RFC 9112 section 3: request line', {
  'HTTP/0.9': 'GET /@\r\n\r\n',
  'HTTP/0.9 by name': line('GET /@ HTTP/0.9'),
  'HTTP/1.2': line('GET /@ HTTP/1.2'),
  'HTTP/2.0': line('GET /@ HTTP/2.0'),
  'HTTP/1.1 with a space behind': line('GET /@ HTTP/1.1 '),
  'http/1.1 in small letters': line('GET /@ http/1.1'),
  'RTSP/1.0': line('GET /@ RTSP/1.0'),
  'no version number': line('GET /@ HTTP/'),
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'a space in the target': line('GET /@ /smuggled HTTP/1.1'),
  'a tab in the target': line('GET /@\t/smuggled HTTP/1.1'),
  'a NUL in the target': line('GET /@\0 HTTP/1.1'),
  'a byte outside ASCII in the target': line('GET /@\xff HTTP/1.1'),
  'a fragment in the target': line('GET /@#x HTTP/1.1'),
  'a target without a slash': line('GET v HTTP/1.1'),
  'an empty target': line('GET  HTTP/1.1'),
  'asterisk with GET': line('GET * HTTP/1.1'),
  CONNECT: line('CONNECT a:443 HTTP/1.1'),
  'CONNECT with a request behind it': `CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n${INNER}`,
  TRACE: line('TRACE /@ HTTP/1.1'),
  'a method in small letters': line('get /@ HTTP/1.1'),
  'an unknown method': line('GETS /@ HTTP/1.1'),
  'a method with a NUL': line('GE\0T /@ HTTP/1.1'),
  'white space before the method': line(' GET /@ HTTP/1.1'),
});

const hosts: readonly Vector[] = refused('RFC 9112 section 3.2: Host and the target', {
  'no Host': line('GET /@ HTTP/1.1', ''),
  'two Hosts': line('GET /@ HTTP/1.1', 'Host: a\r\nHost: b\r\n'),
  'two equal Hosts': line('GET /@ HTTP/1.1', 'Host: a\r\nHost: a\r\n'),
  'Host with a path': line('GET /@ HTTP/1.1', 'Host: a/b\r\n'),
  'Host with an @': line('GET /@ HTTP/1.1', 'Host: a@b\r\n'),
  'Host with a space': line('GET /@ HTTP/1.1', 'Host: a b\r\n'),
  'Host with a comma and a second name in brackets': line('GET /@ HTTP/1.1', 'Host: [a\r\n'),
  'absolute target of another host': line('GET http://b/@ HTTP/1.1', 'Host: a\r\n'),
  'absolute target with a user': line('GET http://a@b/@ HTTP/1.1', 'Host: a\r\n'),
  'absolute target without Host': line('GET http://a/@ HTTP/1.1', ''),
  'absolute target of another scheme': line('GET ftp://a/@ HTTP/1.1', 'Host: a\r\n'),
});

const hops: readonly Vector[] = refused('RFC 9110 sections 7.6.1, 7.8 and 10.1.1: Connection, Upgrade, Expect', {
  'Connection: Content-Length': post('Connection: Content-Length\r\nContent-Length: 35\r\n', INNER),
  'Connection: close, Transfer-Encoding': post(
    'Connection: close, Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n',
    '0\r\n\r\n',
  ),
  'Connection: Host': get('Connection: Host\r\n'),
  'Connection: Cookie': get('Connection: cookie\r\nCookie: a=b\r\n'),
  'Connection: Authorization': get('Connection: keep-alive, authorization\r\n'),
  'WebSocket with a body': get('Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 35\r\n') + INNER,
  'WebSocket with a chunked body': `${get('Connection: upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n')}0\r\n\r\n`,
  'WebSocket by POST': post('Connection: upgrade\r\nUpgrade: websocket\r\n', ''),
  'an unknown expectation': post('Expect: 200-ok\r\nContent-Length: 5\r\n', 'hello'),
  'an expectation behind another': post('Expect: y 100-continue\r\nContent-Length: 5\r\n', 'hello'),
  'two expectations': post('Expect: 100-continue\r\nExpect: x\r\nContent-Length: 5\r\n', 'hello'),
});

const oneGet: readonly Vector[] = [
  ...one('RFC 9112 section 6.3: a request without a length has no body', 'GET', '', {
    'an ordinary request': get(''),
    'GET with CL 0': get('Content-Length: 0\r\n'),
  }),
  ...one('RFC 9112 section 2.2: an empty line before the request line is ignored', 'GET', '', {
    'CRLF before the request line': `\r\n\r\n${get('')}`,
    'LF before the request line': `\n${get('')}`,
  }),
  ...one('RFC 9112 section 3: more than one space before the target is read as one', 'GET', '', {
    'two spaces after the method': line('GET  /@ HTTP/1.1'),
  }),
  ...one('RFC 9112 section 3.2.2: absolute form of the same host', 'GET', '', {
    'absolute target': line('GET http://a/@ HTTP/1.1'),
    'absolute target in capitals': line('GET HTTP://A/@ HTTP/1.1'),
  }),
  ...one('RFC 9110 section 7.8: an upgrade that is not passed on is ignored', 'GET', '', {
    'h2c upgrade': get(
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n',
    ),
    'Upgrade without Connection': get('Upgrade: websocket\r\n'),
    'Upgrade to two protocols': get('Connection: upgrade\r\nUpgrade: websocket, h2c\r\n'),
    'TLS upgrade': get('Connection: upgrade\r\nUpgrade: TLS/1.2\r\n'),
  }),
  ...one('RFC 9110 section 5.5: white space around a value is not part of it', 'GET', '', {
    'white space around values': get('X:  \t 1 \t\r\nY:2\r\n'),
    'an empty value': get('X:\r\n'),
    'bytes above 127 in a value': get('X: \xe9\xff\r\n'),
  }),
  ...one('RFC 9110 section 7.6.1: fields named by Connection are dropped', 'GET', '', {
    'Connection names a private field': get('Connection: x-private\r\nX-Private: 1\r\n'),
    'Connection with empty items': get('Connection: , ,keep-alive,\r\n'),
  }),
];

const onePost: readonly Vector[] = [
  ...one('RFC 9112 section 6.3: body by length', 'POST', 'hello', {
    'body by length': post('Content-Length: 5\r\n', 'hello'),
    'CL with leading zeros': post('Content-Length: 005\r\n', 'hello'),
    'CL with white space around it': post('Content-Length: \t5 \r\n', 'hello'),
    'CL in odd letters': post('cOnTeNt-LeNgTh: 5\r\n', 'hello'),
    'Expect with its body sent at once': post('Expect: 100-continue\r\nContent-Length: 5\r\n', 'hello'),
    'Expect in capitals': post('Expect: 100-CONTINUE\r\nContent-Length: 5\r\n', 'hello'),
    'h2c upgrade with a body': post('Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n', 'hello'),
  }),
  ...one('RFC 9112 section 6.3: a body may look like a request', 'POST', INNER, {
    'a request inside a body by length': post(`Content-Length: ${INNER.length}\r\n`, INNER),
    'a request inside a chunk': chunked(`${INNER.length.toString(16)}\r\n${INNER}\r\n0\r\n\r\n`),
    'a request in a body, one chunk per byte': chunked(
      `${[...INNER].map((char) => `1\r\n${char}\r\n`).join('')}0\r\n\r\n`,
    ),
  }),
  ...one('RFC 9112 section 7.1: chunked body', 'POST', 'abc', {
    'chunked in capitals': post('TRANSFER-ENCODING: CHUNKED\r\n', '3\r\nabc\r\n0\r\n\r\n'),
    'chunk size with leading zeros': chunked('0000003\r\nabc\r\n000\r\n\r\n'),
    'chunk extension is dropped': chunked('3;name=value\r\nabc\r\n0;last\r\n\r\n'),
    'quoted chunk extension is dropped': chunked('3;name="va;lue"\r\nabc\r\n0\r\n\r\n'),
    trailers: chunked('3\r\nabc\r\n0\r\nX-Sum: 1\r\nHost: b\r\n\r\n'),
    'TE field is not Transfer-Encoding': post('TE: chunked\r\nTransfer-Encoding: chunked\r\n', '3\r\nabc\r\n0\r\n\r\n'),
  }),
  ...one('RFC 9112 section 6.3: HTTP/1.0 body by length', 'POST', 'hello', {
    'HTTP/1.0 with a length': 'POST /@ HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
    'HTTP/1.0 without Host': 'POST /@ HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello',
  }),
];

export const VECTORS: readonly Vector[] = [
  ...both,
  ...codings,
  ...lengths,
  ...chunks,
  ...fields,
  ...lines,
  ...hosts,
  ...hops,
  ...oneGet.map((vector) => ({ ...vector, expect: GET })),
  ...onePost,
];
