// The split both libraries are given in their own way: 5 % of users by a hash of their cookie, and `canary: true`.
import type { IncomingMessage } from 'node:http';
import { userBucket } from '../../../src/core/model/bucketing.ts';

export function chosen(request: IncomingMessage, stable: string, canary: string): string {
  if (request.headers.canary === 'true') return canary;
  const user = /(?:^|;\s*)uid=([^;]*)/.exec(request.headers.cookie ?? '')?.[1];
  const place = user === undefined ? Math.random() * 100 : userBucket('shop', 'bench', user);
  return place < 5 ? canary : stable;
}

/** Arguments: port to listen on, URL of stable, URL of the canary. */
export function given(): { port: number; stable: string; canary: string } {
  const [port, stable, canary] = process.argv.slice(2);
  return { port: Number(port), stable: stable as string, canary: canary as string };
}
