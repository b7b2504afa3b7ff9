/** SHA-256 of a text, in hex: the hash the pure rooms are given. */
import { createHash } from 'node:crypto';

/** @example sha256Hex('') // 'e3b0c442…' */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
