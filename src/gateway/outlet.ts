// The writing side of a socket: text and bytes of one turn go out in one write where they are small, in one writev where
// they are not. It refuses to hold anything beyond the turn: whoever adds must flush.
import type { Socket } from 'node:net';

/** Bodies up to this size are joined to the text before them; larger ones are written as they are. */
const SMALL_BYTES = 8_192;

export class Outlet {
  readonly #socket: Socket;
  #text = '';
  #corked = false;
  /** Bytes of bodies and heads added since the last `mark`. */
  added = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  addText(text: string): void {
    this.#text += text;
    this.added += text.length;
  }

  /** `owned`: the chunk is nobody else's, so it need not be copied. */
  addBytes(chunk: Buffer, start: number, end: number, owned: boolean): void {
    this.added += end - start;
    if (end - start <= SMALL_BYTES && this.#text.length <= SMALL_BYTES) {
      this.#text += chunk.toString('latin1', start, end);
      return;
    }
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
    }
    this.#writeText();
    const part = start === 0 && end === chunk.length ? chunk : chunk.subarray(start, end);
    this.#socket.write(owned ? part : Buffer.from(part));
  }

  #writeText(): void {
    if (this.#text === '') return;
    const text = this.#text;
    this.#text = '';
    this.#socket.write(text, 'latin1');
  }

  /** False when the socket takes no more for now. */
  flush(): boolean {
    this.#writeText();
    if (this.#corked) {
      this.#corked = false;
      this.#socket.uncork();
    }
    return !this.#socket.writableNeedDrain;
  }

  /** Forgets what was not written yet. */
  drop(): void {
    this.#text = '';
  }
}
