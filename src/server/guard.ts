// Who may speak to the API: holders of the token, by a loopback name. The token is compared in constant time; a Host of
// another name is refused, so that no web page can reach the agent by DNS rebinding. Loopback only, always.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Endpoint } from '../core/model/gateway.ts';
import { ApiProblem } from './problems.ts';

const digest = (text: string) => createHash('sha256').update(text).digest();

export interface Guard {
  /** Throws unless the Host header names this machine's loopback and our port. */
  checkHost(host: string | undefined): void;
  /** Throws unless the Authorization header carries the token. */
  checkToken(authorization: string | undefined): void;
}

export function createGuard(token: string, port: () => number): Guard {
  const wanted = digest(token);
  return {
    checkHost(host) {
      const names = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${port()}`);
      if (host !== undefined && names.includes(host.toLowerCase())) return;
      throw new ApiProblem(403, `Host ${JSON.stringify(host ?? '')} is not an address of this agent`, {
        code: 'host-refused',
        path: 'Host',
        fix: `speak to ${names[0]}`,
      });
    },
    checkToken(authorization) {
      const given = /^Bearer ([\x21-\x7e]{1,200})$/.exec(authorization ?? '')?.[1];
      if (given !== undefined && timingSafeEqual(digest(given), wanted)) return;
      throw new ApiProblem(401, given === undefined ? 'a token is needed' : 'the token is not the one of this agent', {
        code: 'token-refused',
        path: 'Authorization',
        fix: 'send "Authorization: Bearer <token>" with the token of the file "token" in the state folder',
      });
    },
  };
}

export function isLoopback({ host }: Endpoint): boolean {
  return host === '::1' || host === 'localhost' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

const LONGEST_ACTOR = 128;

/** Who is said to have asked: a claim by a holder of the token, recorded as such. */
export function actorOf(header: string | undefined): string {
  if (header === undefined || header === '') return 'a holder of the token';
  let actor: string;
  try {
    actor = decodeURIComponent(header);
  } catch {
    actor = header;
  }
  const shown = actor.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ').trim();
  return shown === '' ? 'a holder of the token' : shown.slice(0, LONGEST_ACTOR);
}
