/** A kubeconfig for somebody else: the cluster of the tests, with a service account's own rights. */
import { writeFileSync } from 'node:fs';
import { must } from './cluster.ts';

export interface Account {
  readonly namespace: string;
  readonly name: string;
  /** Of the context; else the account's. */
  readonly works?: string;
}

export function writeKubeconfig(file: string, { namespace, name, works = namespace }: Account): string {
  const token = must(['create', 'token', name, '-n', namespace]).trim();
  writeFileSync(file, contextText({ user: { token }, namespace: works }), { mode: 0o600 });
  return file;
}

/** The tests' own rights, with another namespace to work in. */
export function writeOwnKubeconfig(file: string, namespace: string): string {
  const { users } = current();
  writeFileSync(file, contextText({ user: users[0]?.user ?? {}, namespace }), { mode: 0o600 });
  return file;
}

interface Config {
  readonly clusters: readonly { readonly cluster: object }[];
  readonly users: readonly { readonly user: object }[];
}

function current(): Config {
  return JSON.parse(must(['config', 'view', '--raw', '--flatten', '--minify', '-o', 'json'])) as Config;
}

function contextText({ user, namespace }: { readonly user: object; readonly namespace: string }): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace } }],
    clusters: [{ name: 'test', cluster: current().clusters[0]?.cluster }],
    users: [{ name: 'test', user }],
  });
}
