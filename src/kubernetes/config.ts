// How to reach a cluster: as a pod, or by a kubeconfig. It refuses what it cannot honour (a proxy, an auth provider that
// Kubernetes itself has dropped) instead of connecting some other way.
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { HaldaneError } from '../lib/errors.ts';
import { type Credentials, type ExecConfig, execCredentials, fileToken, fixedCredentials } from './credentials.ts';

export class ClusterConfigError extends HaldaneError {}

export interface ClusterConfig {
  readonly server: string;
  /** PEM; undefined: the machine's own authorities. */
  readonly ca: string | undefined;
  readonly insecure: boolean;
  readonly tlsServerName: string | undefined;
  readonly credentials: Credentials;
  /** Where it runs, or the context's namespace. */
  readonly namespace: string;
  /** Where this was read, for people. */
  readonly source: string;
}

export interface ConfigRequest {
  readonly kubeconfig: string | null;
  readonly context: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const POD_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/** A kubeconfig that is named; else as a pod; else KUBECONFIG or ~/.kube/config. */
export function clusterConfigOf(request: ConfigRequest): ClusterConfig {
  const { env } = request;
  const isPod = env.KUBERNETES_SERVICE_HOST !== undefined && exists(`${POD_FOLDER}/token`);
  if (request.kubeconfig === null && request.context === null && env.KUBECONFIG === undefined && isPod) {
    return inClusterConfig(env);
  }
  return kubeconfigOf(request);
}

export function inClusterConfig(env: ConfigRequest['env'], folder = POD_FOLDER): ClusterConfig {
  const host = env.KUBERNETES_SERVICE_HOST ?? 'kubernetes.default.svc';
  const port = env.KUBERNETES_SERVICE_PORT ?? '443';
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca: fileText(`${folder}/ca.crt`, 'the certificate of the cluster'),
    insecure: false,
    tlsServerName: undefined,
    credentials: fileToken(`${folder}/token`),
    namespace: exists(`${folder}/namespace`) ? readFileSync(`${folder}/namespace`, 'utf8').trim() : 'default',
    source: folder,
  };
}

interface Named<T> {
  readonly name: string;
  readonly value: T;
  /** Relative file names start here. */
  readonly folder: string;
}

interface ClusterEntry {
  readonly server?: string;
  readonly 'certificate-authority'?: string;
  readonly 'certificate-authority-data'?: string;
  readonly 'insecure-skip-tls-verify'?: boolean;
  readonly 'tls-server-name'?: string;
  readonly 'proxy-url'?: string;
}

interface UserEntry {
  readonly token?: string;
  readonly tokenFile?: string;
  readonly 'client-certificate'?: string;
  readonly 'client-certificate-data'?: string;
  readonly 'client-key'?: string;
  readonly 'client-key-data'?: string;
  readonly exec?: ExecConfig;
  readonly 'auth-provider'?: unknown;
  readonly username?: string;
  readonly as?: string;
}

interface ContextEntry {
  readonly cluster?: string;
  readonly user?: string;
  readonly namespace?: string;
}

interface Merged {
  readonly clusters: Named<ClusterEntry>[];
  readonly users: Named<UserEntry>[];
  readonly contexts: Named<ContextEntry>[];
  current: string | undefined;
  readonly source: string;
}

export function kubeconfigOf({ kubeconfig, context, env }: ConfigRequest): ClusterConfig {
  const fallback = join(env.HOME ?? homedir(), '.kube', 'config');
  const paths = kubeconfig === null ? (env.KUBECONFIG ?? fallback).split(delimiter).filter(Boolean) : [kubeconfig];
  const merged = mergeFiles(paths);
  const name = context ?? merged.current;
  if (name === undefined) throw refusal('no context is chosen', merged.source, 'kubectl config use-context NAME');
  const chosen = pick(merged.contexts, name, 'context', merged.source);
  const cluster = pick(merged.clusters, chosen.value.cluster ?? '', 'cluster', merged.source);
  const user = pick(merged.users, chosen.value.user ?? '', 'user', merged.source);
  const { server, 'proxy-url': proxy, 'tls-server-name': tlsServerName } = cluster.value;
  if (server === undefined) throw refusal(`cluster "${cluster.name}" has no server`, merged.source, 'add its address');
  if (proxy !== undefined) throw refusal('proxy-url is not supported', merged.source, 'reach the server directly');
  return {
    server: server.replace(/\/$/, ''),
    ca: textOf(cluster, cluster.value['certificate-authority-data'], cluster.value['certificate-authority']),
    insecure: cluster.value['insecure-skip-tls-verify'] === true,
    tlsServerName,
    credentials: credentialsOf(user, merged.source),
    namespace: chosen.value.namespace ?? 'default',
    source: `${merged.source} (context ${name})`,
  };
}

function mergeFiles(paths: readonly string[]): Merged {
  const merged: Merged = { clusters: [], users: [], contexts: [], current: undefined, source: paths.join(':') };
  let found = 0;
  for (const path of paths) {
    if (!exists(path)) continue;
    found += 1;
    const document = parseFile(path);
    const folder = dirname(resolve(path));
    addNamed(merged.clusters, document.clusters, 'cluster', folder);
    addNamed(merged.users, document.users, 'user', folder);
    addNamed(merged.contexts, document.contexts, 'context', folder);
    const current = document['current-context'];
    if (merged.current === undefined && typeof current === 'string' && current !== '') merged.current = current;
  }
  if (found === 0) {
    throw refusal('there is no kubeconfig', merged.source, 'set KUBECONFIG, or give --kubeconfig');
  }
  return merged;
}

function parseFile(path: string): Record<string, unknown> {
  let document: unknown;
  try {
    document = parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new ClusterConfigError('it is not YAML', { code: 'kubeconfig', path, fix: 'kubectl config view', cause });
  }
  if (typeof document !== 'object' || document === null) throw refusal('it is not a kubeconfig', path, 'name another');
  return document as Record<string, unknown>;
}

/** The first of a name wins, as with kubectl. */
function addNamed<T>(into: Named<T>[], entries: unknown, key: string, folder: string): void {
  if (!Array.isArray(entries)) return;
  for (const entry of entries as readonly Record<string, unknown>[]) {
    const name = String(entry.name);
    if (into.some((known) => known.name === name)) continue;
    into.push({ name, value: (entry[key] ?? {}) as T, folder });
  }
}

function pick<T>(entries: readonly Named<T>[], name: string, what: string, source: string): Named<T> {
  const found = entries.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  const known = entries.map((entry) => entry.name).join(', ');
  throw refusal(`there is no ${what} "${name}"`, source, known === '' ? `add a ${what}` : `known are ${known}`);
}

function credentialsOf(user: Named<UserEntry>, source: string): Credentials {
  const { value, folder } = user;
  if (value['auth-provider'] !== undefined) {
    throw refusal(`user "${user.name}" has an auth-provider`, source, 'use an exec plugin; Kubernetes dropped these');
  }
  if (value.username !== undefined) throw refusal(`user "${user.name}" has a password`, source, 'use a token');
  if (value.as !== undefined) throw refusal('impersonation is not supported', source, 'use a user of its own');
  const certificate = textOf(user, value['client-certificate-data'], value['client-certificate']);
  const key = textOf(user, value['client-key-data'], value['client-key']);
  if (value.exec !== undefined) return execCredentials(value.exec, folder);
  if (value.tokenFile !== undefined) return fileToken(absolute(folder, value.tokenFile));
  return fixedCredentials({ token: value.token, certificate, key });
}

function textOf(entry: Named<unknown>, data: string | undefined, file: string | undefined): string | undefined {
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
  return file === undefined ? undefined : fileText(absolute(entry.folder, file), `a file of "${entry.name}"`);
}

function fileText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const fix = 'put it there, or name another in the kubeconfig';
    throw new ClusterConfigError(`${what} cannot be read`, { code: 'kubeconfig', path, fix, cause });
  }
}

const absolute = (folder: string, path: string) => (isAbsolute(path) ? path : join(folder, path));

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function refusal(problem: string, path: string, fix: string): ClusterConfigError {
  return new ClusterConfigError(problem, { code: 'kubeconfig', path, fix });
}
