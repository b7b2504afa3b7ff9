/** Identifiers nobody can guess: 80 random bits, lower-case letters and digits, safe in file names and URLs. */
import { randomBytes } from 'node:crypto';

/** @example randomId() // '3f9a0c44d1be72a6058e' */
export function randomId(): string {
  return randomBytes(10).toString('hex');
}
