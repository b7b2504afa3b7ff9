import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  COMPLETE,
  FAILED,
  type MessageEvents,
  type MessageReader,
  requestReader,
  responseReader,
  spans,
} from './llhttp.ts';

interface Message {
  readonly first: string;
  readonly headers: string[];
  body: string;
  trailers: readonly string[];
}

class Collector implements MessageEvents {
  readonly messages: Message[] = [];
  skipBody = false;

  onHead(reader: MessageReader): number {
    const headers: string[] = [];
    for (let i = 1; i <= reader.headerCount; i++) {
      const [a, b, c, d] = spans.subarray(4 * i, 4 * i + 4) as unknown as [number, number, number, number];
      headers.push(`${reader.text.slice(a, b)}=${reader.text.slice(c, d)}`);
    }
    this.messages.push({ first: reader.text.slice(spans[0], spans[1]), headers, body: '', trailers: [] });
    return this.skipBody ? 1 : 0;
  }

  onBody(reader: MessageReader, start: number, end: number): number {
    (this.messages.at(-1) as Message).body += reader.chunk.toString('latin1', start, end);
    return 0;
  }

  onComplete(reader: MessageReader): void {
    (this.messages.at(-1) as Message).trailers = reader.trailers;
  }
}

/** Feeds parts, going on after each complete message, and says whether it failed. */
function read(parts: readonly string[]): { messages: Message[]; failed: boolean } {
  const collector = new Collector();
  const reader = requestReader(collector);
  try {
    for (const part of parts) {
      let chunk = Buffer.from(part, 'latin1');
      while (chunk.length > 0) {
        const fed = reader.feed(chunk, 0, chunk.length);
        if (fed === FAILED) return { messages: collector.messages, failed: true };
        if (fed !== COMPLETE) break;
        chunk = chunk.subarray(reader.restStart);
        reader.reset();
      }
    }
    return { messages: collector.messages, failed: false };
  } finally {
    reader.free();
  }
}

const TEXT =
  'POST /a?b HTTP/1.1\r\nHost: shop\r\nEmpty:\r\nX-A:  one two \r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n4\r\ndefg\r\n0\r\nSum: 1\r\nNone:\r\n\r\n' +
  'GET /second HTTP/1.1\r\nHost: shop\r\nLast:\r\n\r\n';

test('positions, bodies and trailers are those of the text', () => {
  const { messages, failed } = read([TEXT]);
  assert.equal(failed, false);
  assert.deepEqual(messages, [
    {
      first: '/a?b',
      headers: ['Host=shop', 'Empty=', 'X-A=one two ', 'Transfer-Encoding=chunked'],
      body: 'abcdefg',
      trailers: ['Sum', '1', 'None', ''],
    },
    { first: '/second', headers: ['Host=shop', 'Last='], body: '', trailers: [] },
  ]);
});

test('the same text in any parts means the same', () => {
  const whole = read([TEXT]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: TEXT.length - 1 }), { maxLength: 12 }), (cuts) => {
      const sorted = [0, ...new Set(cuts), TEXT.length].sort((a, b) => a - b);
      const parts = sorted.slice(1).map((end, i) => TEXT.slice(sorted[i], end));
      assert.deepEqual(read(parts), whole);
    }),
    { numRuns: 300 },
  );
});

test('strict: what llhttp only takes with lenient flags is refused', () => {
  const refused = [
    'GET / HTTP/1.1\nHost: a\n\n',
    'GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n',
    'GET / HTTP/1.1\r\nA : b\r\n\r\n',
    'GET / HTTP/1.1\r\nA: b\rc\r\n\r\n',
    'POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n',
    'GET / HTTP/1.7\r\n\r\n',
  ];
  for (const text of refused) assert.equal(read([text]).failed, true, JSON.stringify(text));
});

test('more fields than fit are refused', () => {
  const head = (count: number): string => `GET / HTTP/1.1\r\n${'a:b\r\n'.repeat(count)}\r\n`;
  assert.equal(read([head(128)]).failed, false);
  assert.equal(read([head(129)]).failed, true);
});

test('a response: interim heads are no end, HEAD has no body, the close ends what has no length', () => {
  const collector = new Collector();
  const reader = responseReader(collector);
  const text = 'HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokrest';
  const chunk = Buffer.from(text);
  assert.equal(reader.feed(chunk, 0, chunk.length), COMPLETE);
  assert.equal(chunk.toString('latin1', reader.restStart), 'rest');
  assert.deepEqual(
    collector.messages.map(({ first, body }) => [first, body]),
    [
      ['Early', ''],
      ['OK', 'ok'],
    ],
  );
  reader.reset();
  collector.skipBody = true;
  const head = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
  assert.equal(reader.feed(head, 0, head.length), COMPLETE);
  reader.reset();
  collector.skipBody = false;
  const open = Buffer.from('HTTP/1.1 200 OK\r\n\r\nuntil');
  reader.feed(open, 0, open.length);
  assert.equal(reader.complete, false);
  assert.equal(reader.finish(), true);
  reader.free();
});

test('a parser is used again after it was freed, with nothing left of the one before', () => {
  for (let i = 0; i < 1_000; i++) {
    assert.equal(read(['GET /unfinished HTTP/1.1\r\nHost']).messages.length, 0);
    assert.equal(read(['GET /x HTTP/1.1\r\nHost: a\r\n\r\n']).messages[0]?.first, '/x');
  }
});

test('a large body by length is handed out whole although its bytes are not copied to the parser', () => {
  const body = Buffer.alloc(200_000, 'abcdefg');
  class Counting extends Collector {
    override onHead(reader: MessageReader): number {
      const result = super.onHead(reader);
      reader.bodyLeft = body.length;
      return result;
    }
  }
  const collector = new Counting();
  const reader = requestReader(collector);
  const head = 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n';
  const next = 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n';
  let chunk = Buffer.concat([Buffer.from(head), body, Buffer.from(next)]);
  assert.equal(reader.feed(chunk, 0, chunk.length), COMPLETE);
  assert.equal(collector.messages[0]?.body, body.toString('latin1'));
  chunk = chunk.subarray(reader.restStart);
  assert.equal(chunk.toString('latin1'), next);
  reader.reset();
  assert.equal(reader.feed(chunk, 0, chunk.length), COMPLETE);
  assert.equal(collector.messages[1]?.first, '/next');
  reader.free();
});
