// One JSON line per request, written in the background. Rotation-friendly: when the file is moved away, a new one is
// begun within seconds. It refuses to slow a request down: when the disk cannot keep up, lines are dropped and counted.
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { ClientConnection } from './client-connection.ts';
import { endedName } from './counters.ts';
import type { Exchange } from './exchange.ts';
import type { Refusal } from './refusals.ts';
import { WHY_NAMES } from './routing.ts';

const BUFFER_CHARS = 16 * 1024 * 1024;
const FLUSH_EVERY_MS = 250;
const LOOK_EVERY_MS = 2_000;

export class AccessLog {
  readonly path: string;
  dropped = 0;
  #text = '';
  #timeMs = 0;
  #timeText = '';
  #timer: NodeJS.Timeout | null = null;
  #handle: FileHandle | null = null;
  #inode = 0n;
  #lookedMs = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.path = path;
  }

  /** Put together by hand: at this rate JSON.stringify of an object costs half as much as the request itself. */
  exchange(exchange: Exchange, client: ClientConnection, ended: number, endMs: number): void {
    const { version, endpoint } = exchange;
    const name = endedName(ended);
    this.#add(
      `{"time":"${this.#time()}","client":"${client.address}","method":"${exchange.method}",` +
        `"target":${JSON.stringify(exchange.target)},"ended":${typeof name === 'number' ? name : `"${name}"`},` +
        `"revision":"${version?.revision}","version":${JSON.stringify(version?.label)},` +
        `"why":"${WHY_NAMES[exchange.why]}","upstream":${endpoint === null ? 'null' : JSON.stringify(endpoint.authority)},` +
        `"ms":${(endMs - exchange.startMs).toFixed(3)},"bodyBytes":${exchange.bodyBytes}` +
        `${exchange.detail === '' ? '' : `,"detail":${JSON.stringify(exchange.detail)}`}}\n`,
    );
  }

  refused(client: ClientConnection, refusal: Refusal): void {
    this.#add(
      `{"time":"${this.#time()}","client":"${client.address}","refused":"${refusal.reason}","status":${refusal.status}}\n`,
    );
  }

  #time(): string {
    const nowMs = Date.now();
    if (nowMs !== this.#timeMs) {
      this.#timeMs = nowMs;
      this.#timeText = new Date(nowMs).toISOString();
    }
    return this.#timeText;
  }

  #add(line: string): void {
    if (this.#text.length > BUFFER_CHARS) {
      this.dropped += 1;
      return;
    }
    this.#text += line;
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_EVERY_MS).unref();
  }

  /** Resolves once everything added before is written, or counted as dropped. */
  flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const text = this.#text;
    this.#text = '';
    if (text !== '') this.#writing = this.#writing.then(() => this.#write(text));
    return this.#writing;
  }

  async #write(text: string): Promise<void> {
    try {
      await this.#reopenIfMoved();
      this.#handle ??= await this.#open();
      await this.#handle.appendFile(text);
    } catch {
      this.dropped += text.split('\n').length - 1;
      await this.#close();
    }
  }

  async #open(): Promise<FileHandle> {
    const handle = await open(this.path, 'a', 0o640);
    this.#inode = (await handle.stat({ bigint: true })).ino;
    return handle;
  }

  async #reopenIfMoved(): Promise<void> {
    const nowMs = performance.now();
    if (this.#handle === null || nowMs - this.#lookedMs < LOOK_EVERY_MS) return;
    this.#lookedMs = nowMs;
    const found = await stat(this.path, { bigint: true }).catch(() => null);
    if (found?.ino !== this.#inode) await this.#close();
  }

  async #close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close().catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#close();
  }
}
