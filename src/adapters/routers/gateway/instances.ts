// The gateway processes of one policy, found through the files in their state folder and asked over their admin port.
// A process counts as there only if pid and start time agree; one that lives and does not answer is an error, not absent.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Endpoint, GatewayConfig, GatewayPast, GatewaySnapshot } from '../../../core/model/gateway.ts';
import { isMissing, readJsonFile } from '../../../lib/atomic-file.ts';
import { askJson, type JsonAnswer } from '../../../lib/http-json.ts';
import { bootId, isAnyRunning, isRunning } from '../../../lib/proc.ts';
import { GatewayRouterError } from './errors.ts';

/** `gateway-<instance>.json`, as a gateway process writes it. */
export interface InstanceFile {
  readonly instance: string;
  readonly pid: number;
  readonly startTicks: number | null;
  readonly startedAt: string;
  readonly admin: Endpoint;
  readonly token: string;
  readonly listening: Endpoint | null;
  readonly version: string;
}

export interface GatewayStatus {
  readonly file: InstanceFile;
  readonly config: GatewayConfig | null;
  readonly listening: Endpoint | null;
  readonly snapshot: GatewaySnapshot;
}

const ANSWER_MS = 5_000;
/** The new process starts, takes the socket over and says so. */
const TAKEOVER_MS = 20_000;
const ENDING_LOOKS = 10;
const ENDING_LOOK_MS = 30;

export class GatewayInstances {
  readonly folder: string;

  readonly #answerMs: number;

  constructor(folder: string, answerMs = ANSWER_MS) {
    this.folder = folder;
    this.#answerMs = answerMs;
  }

  /** Those that run, the oldest first. */
  running(): readonly InstanceFile[] {
    return this.#names(/^gateway-.+\.json$/)
      .map((name) => this.#read(name) as InstanceFile | undefined)
      .filter((file) => file !== undefined)
      .filter(isThere)
      .sort((left, right) => (left.startedAt < right.startedAt ? -1 : 1));
  }

  /** What every running one does now. One that ends while it is asked is left out. */
  async status(): Promise<readonly GatewayStatus[]> {
    const found = await Promise.all(this.running().map((file) => this.#statusOf(file)));
    return found.filter((status) => status !== null);
  }

  async #statusOf(file: InstanceFile): Promise<GatewayStatus | null> {
    return this.#unlessEnded(file, async () => {
      const [held, snapshot] = await Promise.all([
        this.#get(file, '/v1/config') as Promise<{ config: GatewayConfig | null; listening: Endpoint | null }>,
        this.#get(file, '/v1/snapshot') as Promise<GatewaySnapshot>,
      ]);
      return { file, config: held.config, listening: held.listening, snapshot };
    });
  }

  #get(file: InstanceFile, path: string): Promise<unknown> {
    return ask(file, 'GET', path, { timeoutMs: this.#answerMs });
  }

  /** A process that ends closes its admin port a moment before it is gone: that is no failure to look. */
  async #unlessEnded<T>(file: InstanceFile, look: () => Promise<T>): Promise<T | null> {
    try {
      return await look();
    } catch (error) {
      for (let looks = 0; looks < ENDING_LOOKS; looks++) {
        if (!this.running().some(({ instance }) => instance === file.instance)) return null;
        await new Promise((resolve) => setTimeout(resolve, ENDING_LOOK_MS));
      }
      throw error;
    }
  }

  /** Counts of every one there ever was as far as files are kept: asked if it runs, its last words or last flush if not. */
  async counts(): Promise<readonly { snapshot: GatewaySnapshot; ended: boolean; partial: boolean }[]> {
    const living = await Promise.all(
      this.running().map((file) =>
        this.#unlessEnded(file, async () => (await this.#get(file, '/v1/snapshot')) as GatewaySnapshot),
      ),
    );
    // Read after the living were asked: one that ended meanwhile has left its last words by now.
    const final = this.#snapshots(/^final-.+\.json$/);
    const flushed = this.#snapshots(/^snapshot-.+\.json$/);
    const found = new Map<string, { snapshot: GatewaySnapshot; ended: boolean; partial: boolean }>();
    for (const snapshot of flushed) found.set(snapshot.instance, { snapshot, ended: true, partial: true });
    for (const snapshot of living) {
      if (snapshot !== null) found.set(snapshot.instance, { snapshot, ended: false, partial: false });
    }
    for (const snapshot of final) found.set(snapshot.instance, { snapshot, ended: true, partial: false });
    return [...found.values()];
  }

  /** The last hour of every one that runs, and of those that ended in order within it. */
  async pasts(): Promise<readonly GatewayPast[]> {
    const living = await Promise.all(
      this.running().map((file) =>
        this.#unlessEnded(file, async () => (await this.#get(file, '/v1/past')) as GatewayPast),
      ),
    );
    const ended = this.#names(/^past-.+\.json$/).map((name) => this.#read(name) as GatewayPast | undefined);
    return [...ended, ...living].filter((past) => past != null && Array.isArray(past.endpoints)) as GatewayPast[];
  }

  /** Whether a configuration was ever given: then a gateway belongs here. */
  hasConfiguration(): boolean {
    return this.#names(/^config\.json$/).length === 1;
  }

  #snapshots(pattern: RegExp): readonly GatewaySnapshot[] {
    return this.#names(pattern)
      .map((name) => this.#read(name) as GatewaySnapshot | undefined)
      .filter((snapshot) => snapshot !== undefined && Array.isArray(snapshot.cells))
      .map((snapshot) => snapshot as GatewaySnapshot);
  }

  #read(name: string): unknown {
    try {
      return readJsonFile(join(this.folder, name));
    } catch (cause) {
      throw new GatewayRouterError('gateway-file-damaged', `${join(this.folder, name)} cannot be read`, { cause });
    }
  }

  #names(pattern: RegExp): readonly string[] {
    try {
      return readdirSync(this.folder).filter((name) => pattern.test(name));
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }
}

function isThere(file: InstanceFile): boolean {
  if (file.startTicks === null) return isAnyRunning(file.pid);
  return isRunning({ pid: file.pid, startTicks: String(file.startTicks), bootId: bootId() });
}

export function putConfig(file: InstanceFile, config: GatewayConfig): Promise<JsonAnswer> {
  return question(file, 'PUT', '/v1/config', { body: config });
}

/** Tells a gateway to take no more connections, answer what it has, and end. */
export async function drain(file: InstanceFile): Promise<void> {
  await ask(file, 'POST', '/v1/drain', { body: {} });
}

/** Has the running gateway started anew by this command, which takes its listening socket over. Resolves with its id. */
export async function takeOver(file: InstanceFile, command: readonly string[]): Promise<string> {
  const answer = await ask(file, 'POST', '/v1/takeover', { body: { command }, timeoutMs: TAKEOVER_MS });
  return (answer as { instance: string }).instance;
}

async function ask(
  file: InstanceFile,
  method: 'GET' | 'POST',
  path: string,
  options: { body?: unknown; timeoutMs?: number } = {},
): Promise<unknown> {
  const { status, body } = await question(file, method, path, options);
  if (status >= 200 && status < 300) return body;
  throw new GatewayRouterError('gateway-refused', `gateway ${file.instance} answered ${status}: ${messageIn(body)}`);
}

function question(
  file: InstanceFile,
  method: 'GET' | 'PUT' | 'POST',
  path: string,
  options: { body?: unknown; timeoutMs?: number },
): Promise<JsonAnswer> {
  return askJson({
    method,
    host: file.admin.host,
    port: file.admin.port,
    path,
    token: file.token,
    ...(options.body === undefined ? {} : { body: options.body }),
    timeoutMs: options.timeoutMs ?? ANSWER_MS,
  });
}

export function messageIn(body: unknown): string {
  const { path, message } = (body ?? {}) as { path?: unknown; message?: unknown };
  const text = typeof message === 'string' ? message : 'without a reason';
  return typeof path === 'string' ? `${path}: ${text}` : text;
}
