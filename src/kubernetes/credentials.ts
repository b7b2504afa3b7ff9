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
        read = { token: tokenIn(path), atMs: nowMs() };
      }
      return { token: read.token };
    },
  };
}

/** Without a token the server would see nobody, and say something else. */
function tokenIn(path: string): string {
  let token: string;
  try {
    token = readFileSync(path, 'utf8').trim();
  } catch (cause) {
    const fix = 'mount it, or name another tokenFile';
    throw new CredentialsError('the token cannot be read', {
      code: 'kubeconfig-token',
      retry: 'later',
      path,
      fix,
      cause,
    });
  }
  if (token !== '') return token;
  throw new CredentialsError('the token is empty', { code: 'kubeconfig-token', retry: 'later', path, fix: 'renew it' });
}

export interface ExecConfig {
  readonly apiVersion?: string;
  readonly command: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly installHint?: string;
  readonly provideClusterInfo?: boolean;
  readonly interactiveMode?: string;
}

interface ExecCredential {
  readonly apiVersion?: string;
  readonly status?: {
    readonly token?: string;
    readonly clientCertificateData?: string;
    readonly clientKeyData?: string;
    readonly expirationTimestamp?: string;
  };
}

const run = promisify(execFile);
const EARLY_MS = 60_000;

const VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];

/** client.authentication.k8s.io/v1 and v1beta1: the plugin's answer is kept until it expires; callers share one run of it. */
export function execCredentials(config: ExecConfig, folder: string): Credentials {
  refuseUnknown(config);
  let kept: { readonly identity: Identity; readonly untilMs: number } | null = null;
  let asking: Promise<Identity> | null = null;
  const askAnew = async (): Promise<Identity> => {
    const { status = {} } = await ask(config, folder);
    const { token, clientCertificateData: certificate, clientKeyData: key, expirationTimestamp } = status;
    if (token === undefined && (certificate === undefined || key === undefined))
      throw failed(config, 'it gave nothing');
    const expires = expirationTimestamp === undefined ? Number.NaN : Date.parse(expirationTimestamp);
    const untilMs = Number.isNaN(expires) ? Number.POSITIVE_INFINITY : expires - EARLY_MS;
    kept = { identity: { token, certificate, key }, untilMs };
    return kept.identity;
  };
  return {
    async get(isRefused) {
      if (kept !== null && !isRefused && Date.now() < kept.untilMs) return kept.identity;
      asking ??= askAnew().finally(() => {
        asking = null;
      });
      return asking;
    },
  };
}

function refuseUnknown({ apiVersion, provideClusterInfo, interactiveMode, command }: ExecConfig): void {
  const refuse = (problem: string, fix: string) => {
    throw new CredentialsError(`the credential plugin ${command} ${problem}`, { code: 'kubeconfig-exec', fix });
  };
  if (apiVersion !== undefined && !VERSIONS.includes(apiVersion)) refuse(`speaks ${apiVersion}`, `use ${VERSIONS[0]}`);
  if (interactiveMode === 'Always') refuse('wants a terminal', 'use a user that needs none');
  if (provideClusterInfo === true) refuse('wants provideClusterInfo', 'use one that does without');
}

async function ask(config: ExecConfig, folder: string): Promise<ExecCredential> {
  const apiVersion = config.apiVersion ?? VERSIONS[0];
  const isPath = config.command.includes('/') && !isAbsolute(config.command);
  const command = isPath ? join(folder, config.command) : config.command;
  const info = JSON.stringify({ kind: 'ExecCredential', apiVersion, spec: { interactive: false } });
  const env = { ...process.env, KUBERNETES_EXEC_INFO: info };
  for (const { name, value } of config.env ?? []) Object.assign(env, { [name]: value });
  let output: string;
  try {
    output = (await run(command, [...(config.args ?? [])], { env, timeout: 60_000, maxBuffer: 1 << 20 })).stdout;
  } catch (cause) {
    throw failed(config, 'it could not be run', cause);
  }
  // A parser would quote what it was given, which may be a secret: its error is not passed on.
  const answer = parsed(output);
  if (answer === null) throw failed(config, 'its answer is no ExecCredential');
  if (answer.apiVersion !== apiVersion) throw failed(config, `it answers ${answer.apiVersion}, not ${apiVersion}`);
  return answer;
}

function parsed(text: string): ExecCredential | null {
  try {
    return JSON.parse(text) as ExecCredential;
  } catch {
    return null;
  }
}

function failed(config: ExecConfig, why: string, cause?: unknown): CredentialsError {
  return new CredentialsError(`the credential plugin ${config.command} failed: ${why}`, {
    code: 'kubeconfig-exec',
    retry: 'later',
    fix: config.installHint ?? `run it yourself: ${[config.command, ...(config.args ?? [])].join(' ')}`,
    ...(cause === undefined ? {} : { cause }),
  });
}
