// A little room kept back on the disk: given up when the disk is full, so that a release under way can still record its
// way out, and taken again when there is space. While it is given up, nothing new is started.
import { closeSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export interface ReserveLimits {
  /** Kept back; 0 for none. */
  readonly reserveBytes: number;
  /** Below this much free space nothing new is started. */
  readonly minFreeBytes: number;
}

export class Reserve {
  readonly #path: string;
  readonly #folder: string;
  readonly #limits: ReserveLimits;
  #held = false;

  constructor(folder: string, limits: ReserveLimits) {
    this.#folder = folder;
    this.#path = join(folder, 'reserve');
    this.#limits = limits;
    this.#held = (statSync(this.#path, { throwIfNoEntry: false })?.size ?? -1) >= limits.reserveBytes;
    if (!this.#held) this.#take();
  }

  /** Whether there is room to start something new; takes the reserve again when there is space for it. */
  get isRoomy(): boolean {
    if (this.freeBytes() < this.#limits.minFreeBytes) return false;
    if (!this.#held) this.#take();
    return this.#held;
  }

  /** Free space for those who may not use the last blocks of the disk. */
  freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#folder);
    return bavail * bsize;
  }

  /** Makes room; false if there was none left to give. */
  giveUp(): boolean {
    if (!this.#held || this.#limits.reserveBytes === 0) return false;
    this.#held = false;
    rmSync(this.#path, { force: true });
    return true;
  }

  #take(): void {
    const { reserveBytes, minFreeBytes } = this.#limits;
    if (reserveBytes > 0 && this.freeBytes() < reserveBytes + minFreeBytes) return;
    try {
      if (reserveBytes > 0) writeBlocks(this.#path, reserveBytes);
      this.#held = true;
    } catch {
      rmSync(this.#path, { force: true });
    }
  }
}

/** Real blocks: a file with a hole in it keeps nothing back. */
function writeBlocks(path: string, bytes: number): void {
  const block = Buffer.alloc(64 * 1024, 'haldane ');
  const file = openSync(path, 'w', 0o600);
  try {
    for (let at = 0; at < bytes; ) at += writeSync(file, block, 0, Math.min(block.length, bytes - at));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
