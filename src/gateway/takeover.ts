// A newer binary takes the place of a running gateway without losing a connection: the old one hands it the listening
// socket over Node's own IPC channel, so both share one accept queue for a moment, and the old one lets go only when
// the new one says it serves. It refuses SO_REUSEPORT: there the queue of a socket that closes is lost.
//
//   old: spawn(new) ............ listener + config ->            <- ready   stop accepting, drain, exit
//   new:            <- hello     ................. serve, write its file
import { type ChildProcess, spawn } from 'node:child_process';
import type { Server } from 'node:net';
import type { Endpoint, GatewayConfig } from '../core/model/gateway.ts';
import { AdminRefused } from './admin.ts';

const READY_WITHIN_MS = 15_000;
/** Set for the new process: it waits for a listener instead of reading the configuration from disk. */
export const TAKEOVER_VARIABLE = 'HALDANE_GATEWAY_TAKEOVER';

export interface Handover {
  readonly type: 'listener';
  readonly config: GatewayConfig | null;
  readonly listening: Endpoint | null;
}

interface Hello {
  readonly type: 'hello';
}

interface Ready {
  readonly type: 'ready';
  readonly instance: string;
}

/** In the old process: resolves with the new instance once it serves; rejects, with nothing changed, if it does not. */
export function handOver(command: readonly string[], handover: Handover, server: Server | null): Promise<string> {
  const [program, ...given] = command as [string, ...string[]];
  const child = spawn(program, given, {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [TAKEOVER_VARIABLE]: '1' },
  });
  return new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => fail(`it was not ready within ${READY_WITHIN_MS / 1000} s`), READY_WITHIN_MS);
    const settle = (): void => {
      clearTimeout(timer);
      child.removeAllListeners();
    };
    const fail = (why: string): void => {
      settle();
      child.kill('SIGKILL');
      reject(new AdminRefused(502, `the new gateway did not take over: ${why}`, 'gateway-takeover-failed'));
    };
    child.on('error', (error) => fail(error.message));
    child.on('exit', (code, signal) => fail(`it ended with ${signal ?? code}`));
    child.on('message', (message: Hello | Ready) => {
      if (message.type === 'hello') child.send(handover, server ?? undefined);
      else if (message.type === 'ready') {
        settle();
        letGo(child);
        resolve(message.instance);
      }
    });
  });
}

function letGo(child: ChildProcess): void {
  child.on('error', () => undefined);
  if (child.connected) child.disconnect();
  child.unref();
}

/** In the new process: what the old one hands over; null when nobody does. */
export function receiveHandover(): Promise<{ handover: Handover; server: Server | undefined }> {
  return new Promise((resolve, reject) => {
    process.once('disconnect', () =>
      reject(new AdminRefused(502, 'the gateway before went away', 'gateway-takeover-failed')),
    );
    process.once('message', (message: Handover, server?: unknown) =>
      resolve({ handover: message, server: server as Server }),
    );
    process.send?.({ type: 'hello' } satisfies Hello);
  });
}

export function sayReady(instance: string): void {
  process.removeAllListeners('disconnect');
  process.once('disconnect', () => undefined);
  process.send?.({ type: 'ready', instance } satisfies Ready, undefined, undefined, () => undefined);
}
