// A real Prometheus that scrapes small targets of a test every second, and the targets: each shows counters that the test
// counts up, and tells when it was scraped. Everything that is started is ended again, by its own id.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SeenPod } from '../../src/cluster/pods.ts';
import { freePort } from '../cli/support.ts';

export const noPrometheus: string | false =
  spawnSync('prometheus', ['--version']).status === 0
    ? false
    : 'the program prometheus is not installed (Debian: apt-get install prometheus)';

export const SCRAPE_MS = 1_000;

/** A pod that counts. Requests since its last scrape go with it when it starts anew, so it does so only when there are none. */
export class CountingPod {
  readonly name: string;
  readonly revision: string;
  readonly startedAtMs = Date.now();
  port = 0;
  restarts = 0;
  /** Requests ever answered, and those of them that failed. */
  total = 0;
  bad = 0;
  #bornMs = Date.now();
  #codes = { 200: 0, 503: 0 };
  #server: Server | null = null;
  #scraped: (() => void)[] = [];

  constructor(name: string, revision: string) {
    this.name = name;
    this.revision = revision;
  }

  async start(port = 0): Promise<this> {
    const server = createServer((_, response) => {
      const { 200: good, 503: bad } = this.#codes;
      const text = [
        `http_requests_total{code="200"} ${good}`,
        ...(bad > 0 ? [`http_requests_total{code="503"} ${bad}`] : []),
        `http_request_duration_seconds_bucket{le="0.1"} ${good}`,
        `http_request_duration_seconds_bucket{le="+Inf"} ${good + bad}`,
        `process_start_time_seconds ${this.#bornMs / 1_000}`,
        '',
      ].join('\n');
      response.setHeader('content-type', 'text/plain; version=0.0.4').end(text);
      for (const told of this.#scraped.splice(0)) told();
    });
    this.#server = server;
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address !== null && typeof address === 'object') this.port = address.port;
    return this;
  }

  serve(good: number, bad: number): void {
    this.#codes[200] += good;
    this.#codes[503] += bad;
    this.total += good + bad;
    this.bad += bad;
  }

  /** Resolves in the same turn in which a scrape was answered. */
  scraped(): Promise<void> {
    return new Promise((resolve) => this.#scraped.push(resolve));
  }

  /** Its process ends right after a scrape, and begins from 0; away for so long. */
  async restart(awayMs: number): Promise<void> {
    await this.scraped();
    this.#codes = { 200: 0, 503: 0 };
    this.restarts += 1;
    this.#bornMs = Date.now();
    if (awayMs === 0) return;
    await this.end();
    await sleep(awayMs);
    await this.start(this.port);
  }

  async end(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  seen(): SeenPod {
    const { name, startedAtMs, restarts } = this;
    return {
      name,
      uid: name,
      address: '127.0.0.1',
      startedAtMs,
      isReady: true,
      restarts,
      oomKills: 0,
      metricsPort: this.port,
    };
  }
}

export class RealPrometheus {
  readonly folder = mkdtempSync(join(tmpdir(), 'haldane-prometheus-'));
  address = '';
  #port = 0;
  #process: ChildProcess | null = null;

  scrape(pods: readonly CountingPod[]): void {
    const targets = pods.map(({ name, port }) => {
      return { targets: [`127.0.0.1:${port}`], labels: { namespace: 'shop', pod: name, container: 'app' } };
    });
    writeFileSync(join(this.folder, 'targets.json'), JSON.stringify(targets));
  }

  async start(): Promise<void> {
    this.#port = await freePort();
    this.address = `http://127.0.0.1:${this.#port}`;
    const files = [{ files: [join(this.folder, 'targets.json')], refresh_interval: '1s' }];
    const global = { scrape_interval: '1s', scrape_timeout: '900ms' };
    const config = { global, scrape_configs: [{ job_name: 'pods', file_sd_configs: files }] };
    writeFileSync(join(this.folder, 'prometheus.yml'), JSON.stringify(config));
    await this.#spawn();
  }

  async #spawn(): Promise<void> {
    const flags = [
      `--config.file=${this.folder}/prometheus.yml`,
      `--storage.tsdb.path=${this.folder}/tsdb`,
      `--web.listen-address=127.0.0.1:${this.#port}`,
      '--web.enable-admin-api',
      '--log.level=error',
    ];
    this.#process = spawn('prometheus', flags, { stdio: 'ignore' });
    for (const endMs = Date.now() + 30_000; Date.now() < endMs; await sleep(100)) {
      const answer = await fetch(`${this.address}/-/ready`).catch(() => null);
      if (answer?.status === 200) return;
    }
    throw new Error('Prometheus did not start');
  }

  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  async remove(selector: string): Promise<void> {
    const asked = new URLSearchParams({ 'match[]': selector });
    const answer = await fetch(`${this.address}/api/v1/admin/tsdb/delete_series?${asked}`, { method: 'POST' });
    if (answer.status !== 204) throw new Error(`delete_series: ${answer.status}`);
  }

  /** Another one in its place, which has nothing of the past. */
  async replaceByEmpty(): Promise<void> {
    await this.#end();
    rmSync(join(this.folder, 'tsdb'), { recursive: true, force: true });
    await this.#spawn();
  }

  async #end(): Promise<void> {
    const running = this.#process;
    if (running === null || running.exitCode !== null) return;
    running.kill('SIGCONT');
    running.kill('SIGTERM');
    await once(running, 'exit');
  }

  async end(): Promise<void> {
    await this.#end();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
