// Users of the service, of two kinds at once, each a process of its own: those that keep their connections, and those that
// open one per request. It refuses to guess: users that end without an account are an error.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Slice } from './account.ts';

export interface Kind {
  readonly connections: 'keep' | 'short' | 'close';
  readonly rate: number;
}

export interface LoadOptions {
  readonly url: string;
  readonly host: string;
  readonly kinds: readonly Kind[];
  readonly patienceMs?: number;
}

const PROGRAM = fileURLToPath(new URL('users.ts', import.meta.url));
const STOP_WITHIN_MS = 90_000;

interface Running {
  readonly kind: Kind;
  readonly child: ChildProcess;
  readonly account: Promise<readonly Slice[]>;
}

export class Load {
  readonly #running: readonly Running[];

  constructor({ url, host, kinds, patienceMs = 10_000 }: LoadOptions) {
    this.#running = kinds.map((kind) => {
      const flags = { url, host, rate: kind.rate, connections: kind.connections, patience: patienceMs };
      const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
      const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
      const account = read(child, kind);
      account.catch(() => undefined);
      return { kind, child, account };
    });
  }

  /** All rates times this. */
  setPace(factor: number): void {
    for (const { kind, child } of this.#running) child.stdin?.write(`{"rate":${kind.rate * factor}}\n`);
  }

  /** No more arrivals; what is under way is waited for; then the accounts, one per kind of connection. */
  async stop(): Promise<ReadonlyMap<Kind['connections'], readonly Slice[]>> {
    for (const { child } of this.#running) child.stdin?.write('{"stop":true}\n');
    const timer = setTimeout(() => this.kill(), STOP_WITHIN_MS);
    try {
      const accounts = await Promise.all(
        this.#running.map(async ({ kind, account }) => [kind.connections, await account] as const),
      );
      return new Map(accounts);
    } finally {
      clearTimeout(timer);
    }
  }

  kill(): void {
    for (const { child } of this.#running) child.kill('SIGKILL');
  }
}

function read(child: ChildProcess, kind: Kind): Promise<readonly Slice[]> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    child.stdin?.on('error', () => undefined);
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const text = Buffer.concat(chunks).toString('utf8');
      if (code === 0 && text !== '') resolve(JSON.parse(text) as readonly Slice[]);
      else reject(new Error(`users (${kind.connections}) ended without an account: ${signal ?? code}`));
    });
  });
}
