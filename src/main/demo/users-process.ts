// The users as a process of their own: started, steered and read here, so that what they count is counted apart from
// everything they are sent through. It refuses to guess: an end without a summary is an error.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { HaldaneError } from '../../lib/errors.ts';

export interface VersionCounts {
  readonly requests: number;
  /** Answers with status 500 or above. */
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What the users counted since they started; see examples/shop/tally.ts. */
export interface UserCounts {
  readonly elapsedMs: number;
  readonly sent: number;
  readonly answered: number;
  readonly underWay: number;
  readonly lost: number;
  readonly losses: Readonly<Record<string, number>>;
  readonly versions: Readonly<Record<string, VersionCounts>>;
  readonly cpuSeconds: number;
}

export interface UsersOptions {
  readonly program: string;
  readonly url: string;
  readonly rate: number;
  readonly seed: string;
  readonly connections?: number;
  /** A new connection for each request. */
  readonly close?: boolean;
}

export class UsersFailed extends HaldaneError {
  constructor(message: string) {
    super(message, { code: 'users-failed' });
  }
}

const STOP_WITHIN_MS = 15_000;

export class UsersProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<UserCounts>;
  #latest: UserCounts | null = null;

  constructor(options: UsersOptions) {
    const flags = ['--url', options.url, '--rate', String(options.rate), '--seed', options.seed, '--every-ms', '250'];
    if (options.connections !== undefined) flags.push('--connections', String(options.connections));
    if (options.close === true) flags.push('--close');
    this.#child = spawn(process.execPath, [options.program, ...flags], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#ended = this.#read();
    this.#ended.catch(() => undefined);
  }

  /** Null until the first second has passed. */
  get counts(): UserCounts | null {
    return this.#latest;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  setRate(rate: number): void {
    this.#child.stdin?.write(`${JSON.stringify({ rate })}\n`);
  }

  /** No more arrivals; what is under way is waited for; then the account, complete. */
  async stop(): Promise<UserCounts> {
    this.#child.stdin?.write('{"stop":true}\n');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_WITHIN_MS);
    try {
      return await this.#ended;
    } finally {
      clearTimeout(timer);
    }
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #read(): Promise<UserCounts> {
    return new Promise((resolve, reject) => {
      let complaint = '';
      let summary: UserCounts | null = null;
      this.#child.stdin?.on('error', () => undefined);
      this.#child.stderr?.on('data', (chunk: Buffer) => {
        complaint = (complaint + chunk.toString()).slice(-2_000);
      });
      createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
        const { kind, ...counts } = JSON.parse(line) as UserCounts & { readonly kind: string };
        this.#latest = counts;
        if (kind === 'summary') summary = counts;
      });
      this.#child.on('error', (error) => reject(new UsersFailed(error.message)));
      this.#child.on('close', (code, signal) => {
        if (summary !== null) resolve(summary);
        else reject(new UsersFailed(`the users ended without an account (${signal ?? code}): ${complaint}`));
      });
    });
  }
}
