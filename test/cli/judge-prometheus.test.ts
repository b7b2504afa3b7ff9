// haldane judge against a real Prometheus that scrapes a small exporter: the same verdict as from what it answered, kept
// in a file, and as from windows counted by hand.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, TestAgent } from './support.ts';

const isThere = spawnSync('prometheus', ['--version']).status === 0;
const skip = isThere ? false : 'the program prometheus is not installed (Debian: apt-get install prometheus)';

const shell = new TestAgent();
let exporter: Server;
let prometheus: ChildProcess | undefined;
let address = '';

/** Each scrape finds 90 more requests of v1 and 10 of v2, three of which failed and are slow. */
let scrapes = 0;
function exposition(): string {
  scrapes += 1;
  const line = (name: string, labels: string, value: number) => `${name}{${labels}} ${value}`;
  const of = (version: string, all: number, bad: number) => [
    line('shop_requests_total', `version="${version}",code="200"`, (all - bad) * scrapes),
    ...(bad > 0 ? [line('shop_requests_total', `version="${version}",code="500"`, bad * scrapes)] : []),
    line('shop_seconds_bucket', `version="${version}",le="0.1"`, (all - bad) * scrapes),
    line('shop_seconds_bucket', `version="${version}",le="+Inf"`, all * scrapes),
  ];
  return `${['# TYPE shop_requests_total counter', ...of('v1', 90, 0), ...of('v2', 10, 3)].join('\n')}\n`;
}

interface Answer {
  readonly status: string;
  readonly data: { readonly result: readonly { metric: Record<string, string>; values: [number, string][] }[] };
}

async function ask(query: string, range: { start: number; end: number }): Promise<Answer> {
  const asked = new URLSearchParams({ query, start: String(range.start), end: String(range.end), step: '1' });
  return (await (await fetch(`${address}/api/v1/query_range?${asked}`)).json()) as Answer;
}

/** Until Prometheus has so many seconds of the exporter. */
async function untilScraped(seconds: number): Promise<{ start: number; end: number }> {
  const begun = Math.ceil(Date.now() / 1_000);
  for (const limitMs = Date.now() + 60_000; Date.now() < limitMs; ) {
    const now = Math.floor(Date.now() / 1_000);
    const answer = await ask('shop_requests_total', { start: begun, end: now }).catch(() => null);
    const first = answer?.data?.result?.[0]?.values[0]?.[0];
    if (first !== undefined && now - first >= seconds) return { start: first, end: first + seconds };
    await sleep(100);
  }
  throw new Error('Prometheus did not scrape');
}

describe('a real Prometheus', { skip }, () => {
  let range = { start: 0, end: 0 };

  before(async () => {
    exporter = createServer((_, response) => {
      response.setHeader('content-type', 'text/plain; version=0.0.4').end(exposition());
    }).listen(0, '127.0.0.1');
    await once(exporter, 'listening');
    const target = `127.0.0.1:${(exporter.address() as AddressInfo).port}`;
    const config = shell.write(
      'prometheus.yml',
      JSON.stringify({
        global: { scrape_interval: '100ms', scrape_timeout: '100ms' },
        scrape_configs: [{ job_name: 'shop', static_configs: [{ targets: [target] }] }],
      }),
    );
    const port = await freePort();
    address = `http://127.0.0.1:${port}`;
    prometheus = spawn(
      'prometheus',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${shell.folder}/tsdb`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=error',
      ],
      { stdio: 'ignore' },
    );
    range = await untilScraped(5);
  });

  after(async () => {
    if (prometheus !== undefined && prometheus.exitCode === null) {
      prometheus.kill('SIGTERM');
      await once(prometheus, 'exit');
    }
    exporter?.closeAllConnections();
    exporter?.close();
    await shell.end();
  });

  const common = ['--stable', 'v1', '--canary', 'v2', '--json'];

  it('gives the verdict that its kept answer gives, and that windows counted by hand give', async () => {
    const asked = await shell.run(
      ...['judge', '--prometheus', address, '--query-total', 'shop_requests_total', '--bad-when', 'code=5..'],
      ...['--start', String(range.start), '--end', String(range.end), '--step', '1s', ...common],
    );
    assert.equal(asked.err, '');
    const live = JSON.parse(asked.out) as { verdict: string };
    assert.equal(live.verdict, 'fail');
    assert.equal(asked.code, 2);

    const answer = await ask('shop_requests_total', range);
    const kept = shell.write('kept.json', JSON.stringify(answer));
    const fromFile = await shell.run('judge', '--data', kept, '--bad-when', 'code=5..', ...common);
    assert.deepEqual(JSON.parse(fromFile.out), live);

    const windows = byHand(answer);
    const counted = await shell.run('judge', '--data', shell.write('w.json', JSON.stringify(windows)), ...common);
    assert.deepEqual(JSON.parse(counted.out), live);
  });

  it('answers with two queries, bad requests apart, as with one', async () => {
    const moments = ['--start', String(range.start), '--end', String(range.end), '--step', '1s', ...common];
    const one = ['judge', '--prometheus', address, '--query-total', 'shop_requests_total'];
    const apart = await shell.run(...one, '--query-bad', 'shop_requests_total{code=~"5.."}', ...moments);
    const together = await shell.run(...one, '--bad-when', 'code=5..', ...moments);
    assert.deepEqual(JSON.parse(apart.out), JSON.parse(together.out));
  });

  it('tells latency from the buckets of a histogram, once a past is there to learn from', async () => {
    const { out, err } = await shell.run(
      ...['judge', '--latency', '0.9', '--prometheus', address, '--query-latency', 'shop_seconds_bucket', ...common],
      ...['--start', String(range.start), '--end', String(range.end), '--step', '1s'],
    );
    assert.equal(err, '');
    const { checks } = JSON.parse(out) as { checks: { check: string; reason: string }[] };
    assert.deepEqual(
      checks.map(({ check, reason }) => [check, reason]),
      [['latency', 'LearningStable']],
    );
  });

  it('says what Prometheus said of a query it cannot read', async () => {
    const { code, err } = await shell.run(
      ...['judge', '--prometheus', address, '--query-total', 'shop{', '--bad-when', 'code=5..'],
      ...['--start', String(range.start), '--end', String(range.end), '--step', '1s'],
    );
    assert.equal(code, 1);
    assert.match(err, /--query-total: Prometheus answered with an error: .*parse error/);
  });
});

function byHand({ data }: Answer): object[] {
  const windows = new Map<number, Record<string, { kind: string; total: number; bad: number }>>();
  for (const { metric, values } of data.result) {
    for (const [i, [at, value]] of values.entries()) {
      const previous = values[i - 1];
      if (previous === undefined) continue;
      const time = previous[0];
      const errors = windows.get(time) ?? {};
      windows.set(time, errors);
      const version = metric.version ?? '';
      const sample = errors[version] ?? { kind: 'proportion', total: 0, bad: 0 };
      errors[version] = sample;
      assert.equal(at - time, 1);
      sample.total += Number(value) - Number(previous[1]);
      if (metric.code === '500') sample.bad += Number(value) - Number(previous[1]);
    }
  }
  return [...windows].map(([time, errors]) => ({ time, readings: { errors } }));
}
