// kubectl haldane as people type it: options before the command, names of fields, and what is said where nothing is found.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KubernetesWorld, sampleView } from './kubernetes-world.ts';

describe('options of every command', () => {
  it('may stand before the command, as with kubectl', async () => {
    const world = new KubernetesWorld();
    const view = sampleView('testing', 'dev');
    world.wallMs = Date.parse(view.now);
    await world.policy({ view, namespace: 'dev' });
    const behind = await world.run('status', '-n', 'dev');
    assert.equal(behind.code, 0, behind.err);
    for (const args of [
      ['-n', 'dev', 'status'],
      ['-ndev', 'status', 'checkout'],
      ['--namespace=dev', '--context', 'any', '--kubeconfig', 'file', 'status'],
    ]) {
      assert.deepEqual(await world.run(...args), behind, args.join(' '));
    }
    const { policies } = JSON.parse((await world.run('-A', '--json', 'status')).out) as { policies: object[] };
    assert.equal(policies.length, 1);
    assert.match((await world.run('-n', 'dev', 'help', 'status')).out, /^Usage: kubectl haldane status/);
    assert.match((await world.run('-n', 'dev')).out, /^Usage: kubectl haldane <command>/);
    assert.match((await world.run('--bogus', 'status')).err, /unknown option '--bogus'/);
    assert.equal((await world.run('__complete', '-n', 'dev', 'abort', 'che')).out, 'checkout\n:4\n');
    assert.equal((await world.run('__complete', '-n', 'dev', 'sta')).out, 'status\n:4\n');
  });

  it('are shown by those commands only that ask a cluster, and taken by all', async () => {
    const world = new KubernetesWorld();
    assert.doesNotMatch((await world.run('help', 'explain')).out, /kubeconfig|namespace/);
    assert.match((await world.run('explain', '-n', 'dev', 'spec.interval')).out, /^spec\.interval\n/);
    const lint = (await world.run('help', 'lint')).out;
    assert.match(lint, /--kubeconfig <file> +with --server: /);
    assert.doesNotMatch(lint, /all-namespaces/);
    assert.doesNotMatch((await world.run('__complete', 'explain', '--')).out, /--kubeconfig/);
  });
});

describe('kubectl haldane explain', () => {
  it('finds a field by its name alone, and lists those of one name', async () => {
    const world = new KubernetesWorld();
    assert.match((await world.run('explain', 'preset')).out, /^spec\.\S*preset\n/);
    const { code, out } = await world.run('explain', 'interval');
    assert.equal(code, 0);
    assert.match(out, /^\d fields are called "interval"; explain one by its path\n/);
    assert.ok(out.indexOf(' spec.interval ') < out.indexOf('ready.interval'), out);
    assert.match((await world.run('explain', 'weight')).out, /spec\.stages\[\]\.weight.*spec\.checks\[\]\.weight/s);
    assert.match((await world.run('explain', 'weigth')).err, /did you mean spec\.stages\[\]\.weight/);
    const { fields } = JSON.parse((await world.run('explain', 'weight', '--json')).out) as { fields: object[] };
    assert.equal(fields.length, 2);
  });
});

describe('what a command is refused for', () => {
  it('names the verb once, and the policy that was asked for', async () => {
    const world = new KubernetesWorld();
    await world.policy({ view: sampleView('testing') });
    world.answer = (verb) => ({ accepted: false, message: `${verb} refused: it is paused already` });
    const { err } = await world.run('pause', 'checkout', '--reason', 'why');
    assert.match(err, /^error: pause refused: it is paused already\n/);
    const needed = await world.run('promote', 'checkout', '--skip-analysis');
    assert.match(needed.err, /fix: say why: kubectl haldane promote checkout --skip-analysis --reason/);
    assert.match((await world.run('suspend')).err, /fix: say why: kubectl haldane suspend --reason/);
  });
});

describe('where there is no policy', () => {
  it('is said in which namespace, and that there are others', async () => {
    const world = new KubernetesWorld();
    const here = /no policy is declared in prod yet/;
    const fix = /kubectl apply -f policy\.yaml; or look elsewhere: -n NAMESPACE, or -A/;
    for (const args of [['status'], ['watch'], ['status', 'shop'], ['doctor']]) {
      const { out, err } = await world.run(...args);
      assert.match(out + err, here, args.join(' '));
      assert.match(out + err, fix, args.join(' '));
    }
    const everywhere = (await world.run('status', '-A')).out;
    assert.equal(everywhere, 'no policy is declared yet; kubectl apply -f policy.yaml\n');
    assert.match((await world.run('lint', '-f', 'nowhere.yaml')).err, /name a file that is there: -f policy\.yaml/);
  });
});
