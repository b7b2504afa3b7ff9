// The controller as a process, with the service account's own token and nothing else: started, killed, stopped for a while,
// and what it logs kept. It refuses to start with an administrator's rights.
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from '../../tools/run.ts';
import type { Cluster } from './cluster.ts';

const NAMESPACE = 'haldane-system';
const ACCOUNT = 'haldane';
const STARTED_WITHIN_MS = 30_000;

/** None outlives the suite. */
const living = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

export interface OperatorPlace {
  readonly cluster: Cluster;
  /** null: policies of all namespaces. */
  readonly namespace: string | null;
  readonly folder: string;
}

export class Operator {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  port = 0;
  #isExpected = false;
  /** How it ended though nobody asked for it; null if it did not. */
  ended: string | null = null;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        if (!this.#isExpected) this.ended = `${name} ended by itself (${signal ?? code})`;
        resolve();
      });
    });
  }

  static async start(place: OperatorPlace, name: string): Promise<Operator> {
    const kubeconfig = await kubeconfigOf(place);
    const log = createWriteStream(join(place.folder, `${name}.log`), { flags: 'a' });
    const args = [
      join(ROOT, 'src/main/haldane.ts'),
      ...['operator', '--kubeconfig', kubeconfig, '--lease-namespace', NAMESPACE, '--identity', name],
      ...['--listen', '0', '--state-dir', join(place.folder, name), '--log-format', 'json', '--log-level', 'debug'],
      ...(place.namespace === null ? [] : ['--namespace', place.namespace]),
    ];
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    const operator = new Operator(name, child);
    living.add(child);
    child.once('close', () => living.delete(child));
    child.stderr?.on('data', (chunk: Buffer) => log.write(chunk));
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${name} did not start`)), STARTED_WITHIN_MS);
      child.once('close', (code) => reject(new Error(`${name} ended at once (${code}): see ${place.folder}`)));
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
        log.write(`${line}\n`);
        const port = /metrics on port (\d+)/.exec(line)?.[1];
        if (port === undefined) return;
        operator.port = Number(port);
        clearTimeout(timer);
        resolve();
      });
    });
    return operator;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async kill(): Promise<void> {
    this.#isExpected = true;
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** Without its lease it ends, as it should; a kubelet would start it again. */
  mayEnd(): void {
    this.#isExpected = true;
  }

  /** It stands still, and may go on later in the belief that no time has passed; then it may end, as its lease is lost. */
  freeze(): void {
    this.#isExpected = true;
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    this.#isExpected = true;
    this.#child.kill('SIGCONT');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 20_000);
    await this.#ended;
    clearTimeout(timer);
  }

  async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.port}/metrics`)).text();
  }

  /** Resident memory in bytes and seconds of processor time, as Linux says. */
  async usage(): Promise<{ readonly residentBytes: number; readonly cpuSeconds: number }> {
    const statm = await readFile(`/proc/${this.pid}/statm`, 'utf8');
    const stat = await readFile(`/proc/${this.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {
      residentBytes: Number(statm.split(' ')[1]) * 4_096,
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
    };
  }
}

async function kubeconfigOf({ cluster, folder }: OperatorPlace): Promise<string> {
  const token = await cluster.token(NAMESPACE, ACCOUNT);
  const { server, ca, insecure } = cluster.config;
  const trust =
    ca === undefined
      ? { 'insecure-skip-tls-verify': insecure }
      : { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'e2e', cluster: { server, ...trust } }],
    users: [{ name: ACCOUNT, user: { token } }],
    contexts: [{ name: 'e2e', context: { cluster: 'e2e', user: ACCOUNT, namespace: NAMESPACE } }],
    'current-context': 'e2e',
  };
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'kubeconfig.json');
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}
