// A real agent in a folder of its own, the real program beside it, and users over real HTTP. Everything that is started
// is ended again, by its own id.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Context, processContext, runCli } from '../../src/cli/index.ts';
import { hooks } from '../../src/main/hooks.ts';

const PROGRAM = join(import.meta.dirname, '../../src/main/haldane.ts');
const SERVICE = join(import.meta.dirname, '../fixtures/hello.mjs');

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

export interface PolicyOptions {
  readonly name: string;
  readonly port: number;
  readonly version?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** More of `spec`, as YAML lines. */
  readonly more?: readonly string[];
  readonly stages?: string;
}

export function policyText({
  name,
  port,
  version = 'v1',
  env = {},
  more = [],
  stages = '[{weight: 30, bake: 600ms}]',
}: PolicyOptions): string {
  return [
    'apiVersion: haldane.dev/v1alpha1',
    'kind: ReleasePolicy',
    `metadata: {name: ${name}}`,
    'spec:',
    '  workload:',
    '    processes:',
    '      ready: {path: /healthz, interval: 100ms}',
    '      stop: 1s',
    '      template:',
    `        version: ${version}`,
    `        command: [${JSON.stringify(process.execPath)}, ${JSON.stringify(SERVICE)}]`,
    `        env: ${JSON.stringify(env)}`,
    `  router: {gateway: {listen: ${port}}}`,
    `  stages: ${stages}`,
    '  interval: 100ms',
    ...(more.some((line) => line.includes('analysis:')) ? [] : ['  leastBake: 0s']),
    ...(more.some((line) => line.includes('checks:') || line.includes('analysis:'))
      ? []
      : [
          '  checks: [{name: errors, metric: {errors: {}}, tolerance: {ratio: 1.1, margin: 5%}, warmUp: 0s, noData: 30s}]',
        ]),
    ...more,
  ].join('\n');
}

export class TestAgent {
  readonly folder = mkdtempSync(join(tmpdir(), 'haldane-cli-'));
  readonly stateDir = join(this.folder, 'state');
  #agent: ChildProcess | null = null;
  #users: NodeJS.Timeout[] = [];
  #httpAgent = new Agent({ keepAlive: true, maxSockets: 4 });

  /** Resolves when the agent says that it is up. */
  async start(...args: string[]): Promise<string> {
    const child = spawn(
      process.execPath,
      [PROGRAM, 'up', '--state-dir', this.stateDir, '--log-level', 'warn', ...args],
      {
        cwd: this.folder,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#agent = child;
    let out = '';
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.stdout.setEncoding('utf8');
    return new Promise((resolve, reject) => {
      child.stdout.on('data', (text: string) => {
        out += text;
        if (out.includes('Ctrl-C ends the agent')) resolve(out);
      });
      child.once('exit', (code) => reject(new Error(`the agent ended with ${code}: ${out}${err}`)));
    });
  }

  /** Ends the agent alone, as Ctrl-C does. */
  async stop(): Promise<void> {
    const child = this.#agent;
    if (child === null || child.exitCode !== null) return;
    child.kill('SIGINT');
    await once(child, 'exit');
  }

  write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  run(...args: string[]): Promise<Ran> {
    return this.runWith({}, ...args);
  }

  /** A command that goes on, and a way to wait for what it prints. */
  follow(...args: string[]): { readonly ended: Promise<Ran>; readonly says: (wanted: RegExp) => Promise<void> } {
    let said = '';
    const listeners = new Set<() => void>();
    const ended = this.#runSaying(
      {},
      (text) => {
        said += `${text}\n`;
        for (const listener of listeners) listener();
      },
      args,
    );
    const says = (wanted: RegExp) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (wanted.test(said)) resolve();
        };
        listeners.add(look);
        look();
      });
    return { ended, says };
  }

  /** The command line itself, in this process: what the program does once it is loaded. */
  runWith(env: Readonly<Record<string, string>>, ...args: string[]): Promise<Ran> {
    return this.#runSaying(env, () => {}, args);
  }

  async #runSaying(
    env: Readonly<Record<string, string>>,
    listen: (text: string) => void,
    args: readonly string[],
  ): Promise<Ran> {
    let out = '';
    let err = '';
    let code = 0;
    const context: Context = {
      ...processContext(hooks),
      env: { HALDANE_STATE_DIR: this.stateDir, ...env },
      cwd: this.folder,
      terminal: () => ({ isTTY: false, columns: 80, rows: 24 }),
      print: (text) => {
        out += `${text}\n`;
        listen(text);
      },
      say: (text) => {
        err += `${text}\n`;
      },
      exit: (wanted) => {
        code = wanted;
      },
    };
    await runCli(context, [...args]);
    return { code, out, err };
  }

  /** The program as people start it. */
  async spawn(env: Readonly<Record<string, string>>, ...args: string[]): Promise<Ran> {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd: this.folder,
      env: { ...process.env, NO_COLOR: '', FORCE_COLOR: '', HALDANE_STATE_DIR: this.stateDir, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    const [code] = (await once(child, 'close')) as [number | null];
    return { code: code ?? -1, out, err };
  }

  /** About 200 requests a second until the test is over. */
  sendUsers(port: number): void {
    this.#users.push(
      setInterval(() => {
        for (let each = 0; each < 4; each++) {
          get({ host: '127.0.0.1', port, path: '/', agent: this.#httpAgent }, (response) => response.resume()).on(
            'error',
            () => {},
          );
        }
      }, 20),
    );
  }

  /** Until a policy is at rest with this version serving. */
  async untilServing(policy: string, label: string): Promise<void> {
    await this.until(policy, (view) => view.state === 'at rest' && view.traffic.rows[0]?.label === label);
  }

  async until(policy: string, isDone: (view: View) => boolean): Promise<View> {
    for (const endMs = Date.now() + 60_000; Date.now() < endMs; ) {
      const { out } = await this.run('status', policy, '--json');
      const view = JSON.parse(out || '{}') as View;
      if (view.policy !== undefined && isDone(view)) return view;
      await sleep(100);
    }
    throw new Error(`${policy} did not get there: ${(await this.run('status', policy)).out}`);
  }

  /** Everything ends and the folder goes. */
  async end(): Promise<void> {
    for (const timer of this.#users) clearInterval(timer);
    this.#httpAgent.destroy();
    await this.run('down');
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export interface View {
  readonly policy: { readonly name: string };
  readonly state: string;
  readonly headline: string;
  readonly release: {
    readonly id: string;
    readonly to: string;
    readonly phase: string;
    readonly awaiting: string | null;
    readonly weightPercent: number;
  } | null;
  readonly traffic: { readonly rows: readonly { readonly label: string }[] };
}
