// The files of a gateway in its state directory: each is written beside and renamed, so a reader sees the old one or
// the new one, never half of one. Owner-only, because one of them carries the admin token.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Endpoint, GatewayConfig } from '../core/model/gateway.ts';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { bootId, identify, isAnyRunning, isRunning, procAvailable } from '../lib/proc.ts';

const KEEP_SNAPSHOTS_MS = 7 * 86_400_000;
const KEEP_PAST_MS = 3_600_000;

/** `gateway-<instance>.json`: how to reach a gateway process, and how to tell whether it still is that process. */
export interface InstanceFile {
  readonly instance: string;
  readonly pid: number;
  /** Start time of the process in clock ticks since boot (/proc/PID/stat, field 22); null where there is no /proc. */
  readonly startTicks: number | null;
  readonly startedAt: string;
  readonly admin: Endpoint;
  readonly token: string;
  /** Where clients are served; null before the first configuration. */
  readonly listening: Endpoint | null;
  readonly version: string;
}

export interface StoredConfig {
  readonly config: GatewayConfig;
  /** The address really bound, so that a port chosen by the system stays the same after a restart. */
  readonly listening: Endpoint | null;
}

export class StateFiles {
  readonly directory: string;
  #serial = 0;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** Durable before it resolves. */
  async write(name: string, content: unknown): Promise<void> {
    this.#serial += 1;
    const temporary = this.path(`.${name}.${process.pid}.${this.#serial}`);
    const handle = await open(temporary, 'w', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(content)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, this.path(name));
    await this.#syncDirectory();
  }

  async #syncDirectory(): Promise<void> {
    const handle = await open(this.directory, 'r').catch(() => null);
    await handle?.sync().catch(() => undefined);
    await handle?.close();
  }

  /** For the moment before the process ends, when nothing may be left to wait for. */
  writeNow(name: string, content: unknown): void {
    writeFileAtomic(this.path(name), `${JSON.stringify(content)}\n`);
  }

  read(name: string): unknown {
    try {
      return JSON.parse(readFileSync(this.path(name), 'utf8'));
    } catch {
      return null;
    }
  }

  remove(name: string): void {
    rmSync(this.path(name), { force: true });
  }

  /** Addresses of processes that are gone, counts nobody came for within a week, and pasts that are over. */
  tidy(): void {
    for (const name of readdirSync(this.directory)) {
      if (/^gateway-.+\.json$/.test(name)) {
        const file = this.read(name) as InstanceFile | null;
        if (file === null || !runs(file.pid, file.startTicks)) this.remove(name);
      } else if (/^(?:final|snapshot)-.+\.json$/.test(name) || /\.json\.\d+\.(?:\d+|\d+\.tmp)$/.test(name)) {
        if (ageMs(this.path(name)) > KEEP_SNAPSHOTS_MS) this.remove(name);
      } else if (/^past-.+\.json$/.test(name) && ageMs(this.path(name)) > KEEP_PAST_MS) {
        this.remove(name);
      }
    }
  }
}

function ageMs(path: string): number {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

export function startTicksOf(pid: number): number | null {
  if (!procAvailable()) return null;
  return Number(identify(pid)?.startTicks);
}

function runs(pid: number, startTicks: number | null): boolean {
  if (startTicks === null) return isAnyRunning(pid);
  return isRunning({ pid, startTicks: String(startTicks), bootId: bootId() });
}
