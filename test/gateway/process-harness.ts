// The gateway as its own process, and a client for its admin API.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { GatewayConfig, GatewaySnapshot } from '../../src/core/model/gateway.ts';
import type { InstanceFile } from '../../src/gateway/state-files.ts';
import { eventually } from './harness.ts';

const MAIN = fileURLToPath(new URL('../../src/main/gateway.ts', import.meta.url));

export function stateDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'haldane-gateway-'));
  t.after(() => {
    for (const file of instances(directory)) kill(file.pid);
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {}
}

export function commandFor(directory: string): string[] {
  return [process.execPath, MAIN, '--state-dir', directory];
}

/** The processes that say they run, newest last. */
export function instances(directory: string): InstanceFile[] {
  return readdirSync(directory)
    .filter((name) => /^gateway-.+\.json$/.test(name))
    .map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as InstanceFile)
    .sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
}

export function savedSnapshot(directory: string, kind: 'final' | 'snapshot', instance: string): GatewaySnapshot | null {
  try {
    return JSON.parse(readFileSync(join(directory, `${kind}-${instance}.json`), 'utf8')) as GatewaySnapshot;
  } catch {
    return null;
  }
}

export interface Started {
  readonly child: ChildProcess;
  readonly file: InstanceFile;
}

export async function startGateway(t: TestContext, directory: string): Promise<Started> {
  const [program, ...args] = commandFor(directory) as [string, ...string[]];
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  child.stderr.on('data', (part) => {
    said += part;
  });
  const mine = (): InstanceFile | undefined => instances(directory).find((file) => file.pid === child.pid);
  await eventually('the gateway is up', () => {
    if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}: ${said}`);
    return mine() !== undefined;
  });
  return { child, file: mine() as InstanceFile };
}

export async function admin(
  file: InstanceFile,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: never }> {
  const answer = await fetch(`http://${file.admin.host}:${file.admin.port}${path}`, {
    method,
    headers: { authorization: `Bearer ${file.token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: (text.startsWith('{') ? JSON.parse(text) : text) as never };
}

/** Puts a configuration in force and returns the port clients use. */
export async function configure(file: InstanceFile, config: GatewayConfig): Promise<number> {
  const { status, body } = await admin(file, 'PUT', '/v1/config', config);
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  return (body as { listening: { port: number } }).listening.port;
}

export function answered(snapshot: GatewaySnapshot | null): number {
  return (snapshot?.cells ?? []).filter((cell) => cell.ended === 200).reduce((sum, cell) => sum + cell.count, 0);
}

/** Users on kept-alive connections, retries off; every answer other than 200 "ok" is lost. */
export class Users {
  sent = 0;
  readonly lost: string[] = [];
  #done = false;
  #running: Promise<unknown>;

  constructor(port: number, count: number) {
    this.#running = Promise.all(Array.from({ length: count }, (_, i) => this.#user(port, i)));
  }

  async #user(port: number, number: number): Promise<void> {
    // Every fourth user opens a connection per request, so that the accept queue is used throughout.
    const agent = new Agent({ keepAlive: number % 4 !== 0, maxSockets: 1 });
    while (!this.#done) {
      this.sent += 1;
      await ask(port, agent).catch((error: Error) => this.lost.push(error.message));
    }
    agent.destroy();
  }

  async stop(): Promise<void> {
    this.#done = true;
    await this.#running;
  }
}

function ask(port: number, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const req = request({ host: '127.0.0.1', port, agent, method: 'POST' }, (res) => {
      let text = '';
      res.on('data', (part) => {
        text += part;
      });
      res.on('error', reject);
      res.on('end', () =>
        res.statusCode === 200 && text === 'ok' ? resolve() : reject(new Error(`${res.statusCode} ${text}`)),
      );
    });
    req.on('error', reject);
    req.end('body');
  });
}
