// Who the API server is told we are: a token, a client certificate, or what a plugin says. Asked anew before each call, so
// that a rotated token is used; it never shows a secret in an error.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { HaldaneError } from '../lib/errors.ts';

export interface Identity {
  readonly token?: string | undefined;
  /** PEM. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

export interface Credentials {
  /** `isRefused`: the server answered 401 to the last; what is cached is asked for anew. */
  get(isRefused: boolean): Promise<Identity>;
}

export class CredentialsError extends HaldaneError {}

export function fixedCredentials(identity: Identity): Credentials {
  return { get: async () => identity };
}

const TOKEN_AGE_MS = 30_000;

/** A token the kubelet renews on disk. */
export function fileToken(path: string, nowMs: () => number = () => performance.now()): Credentials {
  let read: { readonly token: string; readonly atMs: number } | null = null;
  return {
    async get(isRefused) {
      if (read === null || isRefused || nowMs() - read.atMs > TOKEN_AGE_MS) {
        read = { token: readFileSync(path, 'utf8').trim(), atMs: nowMs() };
      }
      return { token: read.token };
    },
  };
}

export interface ExecConfig {
  readonly apiVersion?: string;
  readonly command: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly installHint?: string;
}

interface ExecCredential {
  readonly status?: {
    readonly token?: string;
    readonly clientCertificateData?: string;
    readonly clientKeyData?: string;
    readonly expirationTimestamp?: string;
  };
}

const run = promisify(execFile);
const EARLY_MS = 60_000;

/** client.authentication.k8s.io/v1 and v1beta1: the plugin's answer is kept until it expires. */
export function execCredentials(config: ExecConfig, folder: string): Credentials {
  let kept: { readonly identity: Identity; readonly untilMs: number } | null = null;
  return {
    async get(isRefused) {
      if (kept !== null && !isRefused && Date.now() < kept.untilMs) return kept.identity;
      const { status = {} } = await ask(config, folder);
      const expires = status.expirationTimestamp === undefined ? Number.NaN : Date.parse(status.expirationTimestamp);
      const identity = {
        token: status.token,
        certificate: status.clientCertificateData,
        key: status.clientKeyData,
      };
      kept = { identity, untilMs: Number.isNaN(expires) ? Number.POSITIVE_INFINITY : expires - EARLY_MS };
      return identity;
    },
  };
}

async function ask(config: ExecConfig, folder: string): Promise<ExecCredential> {
  const apiVersion = config.apiVersion ?? 'client.authentication.k8s.io/v1';
  const isPath = config.command.includes('/') && !isAbsolute(config.command);
  const command = isPath ? join(folder, config.command) : config.command;
  const info = JSON.stringify({ kind: 'ExecCredential', apiVersion, spec: { interactive: false } });
  const env = { ...process.env, KUBERNETES_EXEC_INFO: info };
  for (const { name, value } of config.env ?? []) Object.assign(env, { [name]: value });
  try {
    const { stdout } = await run(command, [...(config.args ?? [])], { env, timeout: 60_000, maxBuffer: 1 << 20 });
    return JSON.parse(stdout) as ExecCredential;
  } catch (cause) {
    throw new CredentialsError(`the credential plugin ${config.command} failed`, {
      code: 'kubeconfig-exec',
      retry: 'later',
      fix: config.installHint ?? `run it yourself: ${[config.command, ...(config.args ?? [])].join(' ')}`,
      cause,
    });
  }
}
