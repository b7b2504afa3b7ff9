// kubectl haldane as a plugin of kubectl, on a real API server: with the rights of a person, the watch of the server and its
// admission. No operator runs: what it would write is written by hand.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { templateRevision } from '../../src/cluster/revision.ts';
import { Namespace, noCluster, ROOT } from '../kubernetes/cluster.ts';
import { installDefinitions } from '../kubernetes/installed.ts';
import { writeKubeconfig } from '../kubernetes/kubeconfig.ts';
import { deployment, ROUTE, releasePolicy } from '../kubernetes/objects.ts';
import { sampleView } from './kubernetes-world.ts';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface Command {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly actor: string; readonly verb: string };
}

const namespace = new Namespace('cli-test');
const folder = mkdtempSync(join(tmpdir(), 'kubectl-haldane-'));

/** As `kubectl haldane ...`: kubectl finds the plugin on the path. */
async function haldane(args: readonly string[], kubeconfig = process.env.KUBECONFIG): Promise<Ran> {
  const child = start(args, kubeconfig);
  let [out, err] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
  const [code] = (await once(child, 'close')) as [number];
  return { code, out, err };
}

function start(args: readonly string[], kubeconfig = process.env.KUBECONFIG): ChildProcess {
  const PATH = `${folder}:${dirname(process.execPath)}:${process.env.PATH}`;
  const env = { ...process.env, PATH, NO_COLOR: '1', KUBECONFIG: kubeconfig };
  return spawn('kubectl', ['haldane', ...args, '-n', namespace.name], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** A person with these roles of the install, as a kubeconfig. */
function personWith(name: string, ...roles: readonly string[]): string {
  namespace.must(['create', 'serviceaccount', name]);
  for (const role of roles) {
    const account = `--serviceaccount=${namespace.name}:${name}`;
    namespace.must(['create', 'rolebinding', `${name}-${role}`, `--clusterrole=${role}`, account]);
  }
  return writeKubeconfig(join(folder, `${name}.kubeconfig`), { namespace: namespace.name, name });
}

function setStatus(status: object): void {
  const patch = JSON.stringify({ status });
  namespace.must(['patch', 'releasepolicy', 'shop', '--subresource=status', '--type=merge', '-p', patch]);
}

const viewOf = (name: string) =>
  JSON.stringify(sampleView(name, namespace.name)).replaceAll(`${namespace.name}/checkout`, `${namespace.name}/shop`);

/** In place of the operator: every command is obeyed. */
async function answerCommands(until: Promise<unknown>): Promise<void> {
  let isOver = false;
  void until.finally(() => {
    isOver = true;
  });
  const patch = JSON.stringify({ status: { accepted: true, message: 'it is on its way' } });
  while (!isOver) {
    await sleep(200);
    for (const { metadata } of commands()) {
      namespace.ask(['patch', 'releasecommand', metadata.name, '--subresource=status', '--type=merge', '-p', patch]);
    }
  }
}

function commands(): readonly Command[] {
  return (JSON.parse(namespace.must(['get', 'releasecommands', '-o', 'json'])) as { items: readonly Command[] }).items;
}

async function obeyed(args: readonly string[], kubeconfig: string): Promise<Ran> {
  const running = haldane(args, kubeconfig);
  await answerCommands(running);
  return running;
}

describe('kubectl haldane on a real API server', { skip: noCluster }, () => {
  before(() => {
    installDefinitions();
    namespace.create();
    const program = join(folder, 'kubectl-haldane');
    writeFileSync(program, `#!/bin/sh\nHALDANE_KUBE=1 exec "${process.execPath}" "${ROOT}/src/main/haldane.ts" "$@"\n`);
    chmodSync(program, 0o755);
    namespace.must(['apply', '-f', '-'], { input: deployment('shop') });
    namespace.must(['apply', '-f', '-'], { input: releasePolicy(ROUTE) });
    setStatus({ observedGeneration: 1, view: viewOf('testing') });
  });
  after(() => {
    namespace.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('shows the view and the objects', async () => {
    const { code, out } = await haldane(['status', 'shop']);
    assert.equal(code, 0);
    assert.match(out, /25 % on v2/);
    assert.match(out, /Deployment shop +v1 +✔ 0 of 0 ready/);
  });

  it('lets a person with the role of an operator abort, stamped with its name, and not promote', async () => {
    const person = personWith('olga', 'haldane-operator');
    const aborted = await obeyed(['abort', 'shop', '--reason', 'complaints'], person);
    assert.equal(aborted.code, 0, aborted.err);
    assert.equal(aborted.out, 'shop: it is on its way\n');
    const [command] = commands();
    assert.deepEqual(
      [command?.spec.verb, command?.spec.actor],
      ['abort', `system:serviceaccount:${namespace.name}:olga`],
    );
    const { code, err } = await haldane(['promote', 'shop'], person);
    assert.equal(code, 1);
    assert.match(err, new RegExp(`you may not promote shop in ${namespace.name}`));
    assert.match(err, new RegExp(`--clusterrole=haldane-approver --serviceaccount=${namespace.name}:olga`));
  });

  it('lets an approver promote past analysis, and a viewer look on alone', async () => {
    const approver = personWith('anna', 'haldane-approver');
    const promoted = await obeyed(['promote', 'shop', '--skip-analysis', '--reason', 'outage'], approver);
    assert.equal(promoted.code, 0, promoted.err);
    const viewer = personWith('vera', 'haldane-viewer');
    const looked = await haldane(['status', 'shop', '--plain'], viewer);
    assert.equal(looked.code, 0, looked.err);
    assert.match(looked.out, /Deployment\/shop: may not be read with your rights/);
    const refused = await haldane(['abort', 'shop'], viewer);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /--clusterrole=haldane-operator/);
    const stranger = await haldane(['status'], personWith('sven'));
    assert.equal(stranger.code, 1);
    assert.match(stranger.err, /--clusterrole=haldane-viewer/);
  });

  it('follows by the watch of the API server until the release ends', async () => {
    const running = haldane(['watch', 'shop', '--exit-status']);
    await sleep(2_500);
    setStatus({ view: viewOf('aborted') });
    const { code, out } = await running;
    assert.equal(code, 2);
    assert.match(out, /25 % testing/);
  });

  it('waits for the version that was just written, and for no other', async () => {
    const running = haldane(['status', 'shop', '--wait', '--image', 'app:v2', '--timeout', '1m']);
    await sleep(1_500);
    namespace.must(['set', 'image', 'deployment/shop', 'app=app:v2']);
    const written = namespace.read<{
      metadata: { generation: number };
      spec: { paused?: boolean; template: Parameters<typeof templateRevision>[0] };
    }>('deployment', 'shop');
    assert.equal(written.spec.paused, true, 'a new template waits');
    await sleep(1_500);
    const revision = templateRevision(written.spec.template);
    const view = viewOf('promoted').replaceAll('rev-v2', revision);
    setStatus({ view, revision, workload: { deployment: 'shop', observedGeneration: written.metadata.generation } });
    const { code, out, err } = await running;
    assert.equal(code, 0, out + err);
    assert.match(err, /waits for app:v2 in Deployment shop/);
    assert.match(out, /^promoted: /);
  });

  it('asks the API server whether it would take a policy', async () => {
    const file = join(folder, 'policy.yaml');
    writeFileSync(file, JSON.stringify(releasePolicy(ROUTE, 'other')));
    const taken = await haldane(['lint', '-f', file, '--server']);
    assert.equal(taken.code, 0, taken.out + taken.err);
    assert.equal(namespace.ask(['get', 'releasepolicy', 'other']).code, 1, 'nothing was written');
  });

  it('tries admission in a dry run', async () => {
    const { out } = await haldane(['doctor', 'shop']);
    assert.match(out, /✔ install {2}the admission policies are there and bound everywhere/);
    assert.match(out, /✔ install {2}commands are stamped with who gives them/);
    assert.match(out, /✔ hold {5}a new template waits: tried in a dry run/);
  });

  it('completes for kubectl', async () => {
    const { out } = await haldane(['__complete', 'status', 'sh']);
    assert.match(out, /:4/);
  });
});
