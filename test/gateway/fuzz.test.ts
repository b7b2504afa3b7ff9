// Mutated smuggling vectors: whatever comes out of the dice, what the upstream sees as complete requests is what the
// gateway counts as answered by it, no upstream ever meets bytes it cannot read, and the gateway lives on.
// GATEWAY_FUZZ_RUNS=20000 makes it longer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { configOf, counted, countedAll, openGateway, openHttp, RawClient } from './harness.ts';
import { VECTORS } from './smuggling-vectors.ts';

const RUNS = Number(process.env.GATEWAY_FUZZ_RUNS ?? 400);
const PIECES = [
  '\r\n',
  '\n',
  '\r',
  ' ',
  '\t',
  '\0',
  ':',
  ',',
  ';',
  '0',
  '5',
  'chunked',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Host: a\r\n',
  '0\r\n\r\n',
  'GET /x HTTP/1.1\r\n',
  '\xff',
  '\x0b',
];

const ACCEPTED = VECTORS.filter((vector) => vector.expect !== 'refused');

const mutation = fc.record({
  at: fc.integer({ min: 0, max: 9_999 }),
  remove: fc.integer({ min: 0, max: 4 }),
  insert: fc.constantFrom('', ...PIECES),
});

const mutated = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...ACCEPTED) },
      { weight: 1, arbitrary: fc.constantFrom(...VECTORS) },
    ),
    fc.array(mutation, { minLength: 1, maxLength: 2 }),
  )
  .map(([vector, mutations]) =>
    mutations.reduce(
      (text, { at, remove, insert }) => {
        const place = Math.floor((at / 10_000) * text.length);
        return text.slice(0, place) + insert + text.slice(place + remove);
      },
      vector.bytes.replaceAll('/@', '/v'),
    ),
  );

test('mutated vectors: upstream and gateway agree on what was a request', async (t) => {
  let complete = 0;
  const broken: string[] = [];
  const upstream = await openHttp(t, (req, res) => {
    req.on('error', () => undefined);
    req.resume().on('end', () => {
      complete += 1;
      res.end('ok');
    });
  });
  upstream.server.on('clientError', (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket) => {
    if (error.code !== 'ECONNRESET' && error.code !== 'HPE_INVALID_EOF_STATE') {
      broken.push(`${error.code} ${error.rawPacket?.toString('latin1')}`);
    }
    socket.destroy();
  });
  const timeouts = { connectMs: 1_000, responseMs: 5_000, idleMs: 150, headMs: 150 };
  const { gateway, port } = await openGateway(t, configOf(upstream.port, { timeouts }));
  await fc.assert(
    fc.asyncProperty(fc.array(mutated, { minLength: 20, maxLength: 20 }), async (texts) => {
      const before = complete;
      const countedBefore = counted(gateway, 200) + counted(gateway, 'client-closed');
      await Promise.all(
        texts.map(async (text) => {
          const client = new RawClient(t, port);
          client.send(text);
          // Kept-alive connections end by the idle time-out.
          const heard = await client.untilEnd();
          client.socket.destroy();
          assert.ok(heard === '' || heard.startsWith('HTTP/1.1 '), JSON.stringify([text, heard]));
        }),
      );
      const answered = counted(gateway, 200) + counted(gateway, 'client-closed') - countedBefore;
      assert.ok(
        complete - before <= answered,
        `${complete - before} upstream, ${answered} counted: ${JSON.stringify(texts)}`,
      );
      assert.deepEqual(broken, []);
      assert.equal(counted(gateway, 200) + counted(gateway, 'client-closed'), countedAll(gateway));
    }),
    { numRuns: Math.ceil(RUNS / 20), endOnFailure: true },
  );
  assert.ok(complete > RUNS / 20, `only ${complete} of ${RUNS} were accepted: the dice are too wild to show anything`);
});
