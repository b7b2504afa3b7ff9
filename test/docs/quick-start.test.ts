// The quick start on Kubernetes, command by command as it stands, on the cluster that KUBECONFIG names: all blocks but those
// that make or remove a cluster. Only names of the place differ: images, the address of the Gateway, the host name.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Namespace, noCluster, ROOT } from '../kubernetes/cluster.ts';
import { installDefinitions } from '../kubernetes/installed.ts';
import { writeKubeconfig, writeOwnKubeconfig } from '../kubernetes/kubeconfig.ts';

const PAGE = readFileSync(join(ROOT, 'docs/kubernetes/quick-start.md'), 'utf8');
/** Where the Gateway `web` of namespace default answers. */
const GATEWAY = process.env.HALDANE_E2E_URL_GATEWAY_API;
const skip = noCluster || (GATEWAY === undefined && 'HALDANE_E2E_URL_GATEWAY_API names no Gateway');

interface Fence {
  readonly language: string;
  readonly text: string;
  readonly line: number;
}

function fences(page: string): readonly Fence[] {
  return [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map((match) => ({
    language: match[1] ?? '',
    text: match[2] ?? '',
    line: page.slice(0, match.index).split('\n').length,
  }));
}

const namespace = new Namespace('quick-start');
const folder = mkdtempSync(join(tmpdir(), 'haldane-quick-start-'));
let operator: ChildProcess | null = null;

const inPlace = (text: string) =>
  text
    .replaceAll('shop:v', 'app:v')
    .replaceAll('http://traefik.traefik.svc/', `${GATEWAY}/`)
    .replaceAll('shop.example', `${namespace.name}.example`)
    .replace(/^( *- )node$/gm, `$1${process.execPath}`);

function environment() {
  const PATH = [folder, dirname(process.execPath), process.env.PATH].join(':');
  return { ...process.env, NO_COLOR: '1', PATH, KUBECONFIG: join(folder, 'user.kubeconfig') };
}

async function run(script: string): Promise<{ readonly code: number; readonly all: string }> {
  const child = spawn('bash', ['-euc', script], { cwd: folder, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
  let all = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      all += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number];
  return { code, all };
}

/** As install.yaml runs it: with its service account's rights and no others. */
async function startOperator(): Promise<ChildProcess> {
  const kubeconfig = writeKubeconfig(join(folder, 'operator.kubeconfig'), {
    namespace: 'haldane-system',
    name: 'haldane',
  });
  const args = [join(ROOT, 'src/main/haldane.ts'), 'operator', '-n', namespace.name, '--kubeconfig', kubeconfig];
  const more = ['--listen', '0', '--state-dir', join(folder, 'state'), '--lease-namespace', 'haldane-system'];
  const child = spawn(process.execPath, [...args, ...more], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  child.stdout.resume();
  return child;
}

describe('the quick start on Kubernetes', { skip, timeout: 600_000 }, () => {
  before(async () => {
    installDefinitions();
    namespace.create();
    writeOwnKubeconfig(join(folder, 'user.kubeconfig'), namespace.name);
    const program = join(folder, 'kubectl-haldane');
    writeFileSync(program, `#!/bin/sh\nHALDANE_KUBE=1 exec "${process.execPath}" "${ROOT}/src/main/haldane.ts" "$@"\n`);
    chmodSync(program, 0o755);
    operator = await startOperator();
  });
  after(async () => {
    namespace.ask(['delete', 'releasepolicies', '--all', '--timeout=60s']);
    if (operator !== null && operator.exitCode === null) {
      operator.kill('SIGTERM');
      await once(operator, 'close');
    }
    namespace.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const { language, text, line } of fences(PAGE)) {
    const name = /^# (\S+\.yaml)\n/.exec(text)?.[1];
    if (language === 'yaml' && name !== undefined) {
      it(`line ${line}: ${name} is written`, () => writeFileSync(join(folder, name), inPlace(text)));
    } else if (language === 'sh' && !text.startsWith('# kind')) {
      it(`line ${line}: ${text.split('\n')[0]}`, async () => {
        const { code, all } = await run(inPlace(text));
        assert.equal(code, 0, all);
      });
    }
  }
});
