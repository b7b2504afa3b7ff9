/** A namespace of a real cluster, seen by kubectl as its users see it. It refuses to say yes where there is no cluster. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');
export const CONTROLLER = 'system:serviceaccount:haldane-system:haldane';

/** Why tests that need a cluster are skipped; false where there is one. */
export const noCluster: string | false =
  process.env.KUBECONFIG === undefined ? 'KUBECONFIG names no cluster; see test/kubernetes' : false;

export interface Answer {
  readonly code: number;
  /** Both streams. */
  readonly text: string;
  readonly output: string;
}

export interface AskOptions {
  readonly input?: string | object;
  /** On behalf of whom. */
  readonly as?: string;
}

export function kubectl(args: readonly string[], { input, as }: AskOptions = {}): Answer {
  const asked = as === undefined ? args : [...args, `--as=${as}`];
  const done = spawnSync('kubectl', asked, {
    encoding: 'utf8',
    timeout: 60_000,
    ...(input === undefined ? {} : { input: typeof input === 'string' ? input : JSON.stringify(input) }),
  });
  if (done.error !== undefined) throw done.error;
  return { code: done.status ?? 1, text: `${done.stdout}${done.stderr}`, output: done.stdout };
}

export class Refused extends Error {}

/** As kubectl, for what must succeed. */
export function must(args: readonly string[], options: AskOptions = {}): string {
  const { code, text, output } = kubectl(args, options);
  if (code !== 0) throw new Refused(`kubectl ${args.join(' ')}: ${text}`);
  return output;
}

export class Namespace {
  readonly name: string;

  constructor(what: string) {
    this.name = `${what}-${randomBytes(3).toString('hex')}`;
  }

  create(): void {
    must(['create', 'namespace', this.name]);
  }

  remove(): void {
    kubectl(['delete', 'namespace', this.name, '--wait=false']);
  }

  ask(args: readonly string[], options: AskOptions = {}): Answer {
    return kubectl(['-n', this.name, ...args], options);
  }

  must(args: readonly string[], options: AskOptions = {}): string {
    return must(['-n', this.name, ...args], options);
  }

  read<T>(kind: string, name: string): T {
    return JSON.parse(this.must(['get', kind, name, '-o', 'json'])) as T;
  }
}
