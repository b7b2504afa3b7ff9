// kubectl haldane against a cluster in memory: what is printed, what is asked of the API server, and with which exit code
// it ends.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VERBS } from '../../src/core/engine/command-table.ts';
import { KubeError } from '../../src/kubernetes/index.ts';
import { KINDS } from '../../src/main/kubernetes-client.ts';
import { KubernetesWorld, NAMESPACE, sampleView } from './kubernetes-world.ts';

async function testing(): Promise<KubernetesWorld> {
  const world = new KubernetesWorld();
  const view = sampleView('testing');
  world.wallMs = Date.parse(view.now);
  await world.policy({ view });
  await world.deploy('app:v1', 2);
  return world;
}

describe('kubectl haldane status', () => {
  it('shows the sentence, and under it the objects with pods and versions', async () => {
    const world = await testing();
    await world.deployCanary('app:v2');
    const { out, code } = await world.run('status', 'checkout');
    assert.equal(code, 0);
    assert.match(out, /^checkout .*release #2 {3}v1 → v2/);
    assert.match(out, /25 % on v2/);
    assert.match(out, /objects {3}Deployment checkout +v1 +✔ 2 of 2 ready/);
    assert.match(out, /└ ReplicaSet checkout-1 +v1 +✔ 2 of 2 ready, revision 1/);
    assert.match(out, / {2}└ Pod checkout-1-1 +✔ ready, 1 restart/);
    assert.match(out, /Deployment checkout-canary +v2 +✔ 1 of 1 ready/);
    assert.match(out, /HTTPRoute checkout +✖ is not there/);
    assert.ok(out.indexOf('25 % on v2') < out.indexOf('objects'));
    assert.ok(out.indexOf('objects') < out.indexOf('traffic'));
  });

  it('names policies by their name in one namespace, and with it for all', async () => {
    const world = await testing();
    await world.policy({ view: sampleView('promoted', 'dev'), namespace: 'dev' });
    assert.match((await world.run('status', '--plain')).out, /policy: checkout\n/);
    const all = (await world.run('status', '-A')).out;
    assert.match(all, /NAME +VERSION +SHARE +STATE +NEXT\n/);
    assert.match(all, /prod\/checkout +v1 → v2 +25 %/);
    assert.match(all, /dev\/checkout +v2 +100 %/);
    assert.match((await world.run('status', '-n', 'dev', '--plain')).out, /policy: checkout\n/);
    assert.match((await world.run('status', 'dev/checkout', '--plain')).out, /policy: dev\/checkout\n/);
  });

  it('names commands as they are typed here', async () => {
    const world = new KubernetesWorld();
    await world.policy({ view: sampleView('aborted') });
    const { out } = await world.run('status', 'checkout');
    assert.match(out, /kubectl haldane retry checkout/);
    assert.doesNotMatch(out, /kubectl kubectl|prod\//);
  });

  it('prints the view and the objects as JSON, to status and to watch alike', async () => {
    const world = await testing();
    const view = JSON.parse((await world.run('status', 'checkout', '--json')).out) as {
      policy: { name: string };
      objects: { kind: string }[];
    };
    assert.equal(view.policy.name, 'checkout');
    assert.deepEqual(
      view.objects.map(({ kind }) => kind),
      ['Deployment', 'Service', 'HTTPRoute'],
    );
  });

  it('says what the user may not read, and shows the rest', async () => {
    const world = await testing();
    world.denied.add('list pods').add('get httproutes');
    const { out, code } = await world.run('status', 'checkout', '--plain');
    assert.equal(code, 0);
    assert.match(out, /object: ReplicaSet\/checkout-1/);
    assert.doesNotMatch(out, /Pod\//);
    assert.match(out, /HTTPRoute\/checkout: may not be read with your rights/);
  });

  it('says that the operator is silent when a release is under way and its view is a minute old', async () => {
    const world = await testing();
    world.wallMs += 90_000;
    assert.match((await world.run('status', 'checkout', '--plain')).out, /said nothing for 90 s: what is shown is old/);
    const rested = new KubernetesWorld();
    await rested.policy({ view: sampleView('promoted') });
    rested.wallMs += 86_400_000;
    assert.doesNotMatch((await rested.run('status', 'checkout', '--plain')).out, /said nothing/);
  });

  it('tells a policy that nobody has looked at, one that is refused, and one that goes', async () => {
    const world = new KubernetesWorld();
    await world.policy();
    assert.match((await world.run('status', 'checkout')).out, /has not looked at this policy yet/);
    await world.policy({ name: 'wrong', spec: { workload: {} } });
    assert.match((await world.run('status', 'wrong')).out, /the policy is refused/);
  });

  it('draws what an operator of another version wrote, as far as it can', async () => {
    const view = sampleView('testing');
    const strange = [
      { ...view, schema: 2, evidence: [{ check: 'errors', outcome: 'maybe' }] },
      { ...view, schema: 2, state: 'levitating', more: { nested: true } },
      { schema: 7, headline: '25 % on v2.' },
      { ...view, log: null, traffic: { rows: 'none' } },
      {},
      [],
      null,
      'text',
    ];
    for (const written of [...strange.map((each) => JSON.stringify(each)), 'no JSON', '']) {
      const world = new KubernetesWorld();
      await world.policy({ view: written });
      for (const args of [['status'], ['status', 'checkout', '--plain'], ['status', 'checkout', '-v'], ['doctor']]) {
        const { out, err } = await world.run(...args);
        assert.doesNotMatch(`${out}${err}`, /undefined|NaN|TypeError|Cannot read/, `${written}: ${args.join(' ')}`);
      }
    }
    const world = new KubernetesWorld();
    await world.policy({ view: JSON.stringify({ schema: 7, headline: '25 % on v2.' }) });
    const { out } = await world.run('status', 'checkout', '--plain');
    assert.match(out, /now: 25 % on v2\./);
    assert.match(out, /the operator is of another version/);
  });
});

describe('what goes wrong', () => {
  it('suggests the policy that was meant', async () => {
    const world = await testing();
    const { code, err } = await world.run('status', 'chekout');
    assert.equal(code, 1);
    assert.match(err, /there is no policy "chekout"\n {2}fix: did you mean checkout\?/);
  });

  it('names the role that may read', async () => {
    const world = await testing();
    world.denied.add('list releasepolicies');
    const { code, err } = await world.run('status');
    assert.equal(code, 1);
    assert.match(err, /you may not read ReleasePolicies in prod/);
    assert.match(err, /create rolebinding haldane-viewer-alice -n prod --clusterrole=haldane-viewer --user=alice/);
  });

  it('says that nothing is installed, and how', async () => {
    const world = new KubernetesWorld();
    world.api.intercept = () => {
      throw new KubeError('list', 404, {
        reason: 'NotFound',
        message: 'the server could not find the requested resource',
      });
    };
    const { code, err } = await world.run('status');
    assert.equal(code, 1);
    assert.match(err, /Haldane is not installed in this cluster\n {2}fix: kubectl apply --server-side -f install.yaml/);
  });

  it("says what is kubectl's own: apply, withdraw, release", async () => {
    const world = new KubernetesWorld();
    const { code, err } = await world.run('apply', '-f', 'policy.yaml');
    assert.equal(code, 1);
    assert.match(err, /"apply" is no command for a cluster\n {2}fix: policies are declared with kubectl apply -f/);
  });

  it('prints errors as JSON when asked', async () => {
    const world = await testing();
    const { error } = JSON.parse((await world.run('history', 'nothing', '--json')).out) as { error: { code: string } };
    assert.equal(error.code, 'policy-unknown');
  });
});

describe('kubectl haldane abort and its like', () => {
  for (const verb of VERBS) {
    it(`asks for ${verb} by a ReleaseCommand and prints the answer`, async () => {
      const world = await testing();
      const { code, out } = await world.run(verb, 'checkout', '--reason', 'because');
      assert.equal(code, 0);
      assert.equal(out, 'checkout: done\n');
      assert.deepEqual(await world.commands(), [{ policy: 'checkout', verb, reason: 'because', actor: 'alice' }]);
    });
  }

  it('carries what belongs to a verb: gate, version, release, skipped analysis', async () => {
    const world = await testing();
    await world.run('approve', 'checkout', '--gate', 'qa', '--release', 'checkout-2');
    await world.run('rollback', 'checkout', '--to', 'abc');
    await world.run('promote', 'checkout', '--skip-analysis', '--reason', 'outage');
    const actor = 'alice';
    assert.deepEqual(await world.commands(), [
      { policy: 'checkout', verb: 'approve', gate: 'qa', release: 'checkout-2', actor },
      { policy: 'checkout', verb: 'rollback', revision: 'abc', actor },
      { policy: 'checkout', verb: 'promote', reason: 'outage', skipAnalysis: true, actor },
    ]);
  });

  it('ends with 1 and the reason when it is refused', async () => {
    const world = await testing();
    world.answer = () => ({ accepted: false, message: 'it is not paused' });
    const { code, err } = await world.run('resume', 'checkout');
    assert.equal(code, 1);
    assert.match(err, /resume: it is not paused\n {2}fix: kubectl haldane help resume says when it is obeyed/);
  });

  it('waits for the answer, and says so when none comes', async () => {
    const world = await testing();
    world.answer = null;
    world.whileWaiting = async (waitedMs) => {
      if (waitedMs !== 1_000) return;
      const { items } = await world.api.list(KINDS.commands);
      const body = { status: { accepted: true, message: 'it is on its way back' } };
      for (const { metadata } of items) {
        await world.api.patch(KINDS.commands, metadata, { type: 'merge', body }, { subresource: 'status' });
      }
    };
    assert.equal((await world.run('abort', 'checkout')).out, 'checkout: it is on its way back\n');
    world.whileWaiting = () => {};
    const { code, out } = await world.run('abort', 'checkout');
    assert.equal(code, 1);
    assert.match(out, /recorded as releasecommand\/checkout-abort-\w+; the operator has not answered yet/);
  });

  it('names the role when the API server forbids it', async () => {
    for (const [verb, role] of [
      ['abort', 'haldane-operator'],
      ['approve', 'haldane-approver'],
    ] as const) {
      const world = await testing();
      world.denied.add('create releasecommands');
      const { code, err } = await world.run(verb, 'checkout');
      assert.equal(code, 1);
      assert.match(err, new RegExp(`you may not ${verb} checkout in prod`));
      assert.match(err, new RegExp(`--clusterrole=${role} --user=alice`));
    }
  });

  it('needs a reason before it asks anybody', async () => {
    const world = await testing();
    const { code, err } = await world.run('suspend', 'checkout');
    assert.equal(code, 1);
    assert.match(err, /suspend needs a reason/);
    assert.deepEqual(await world.commands(), []);
  });
});

describe('kubectl haldane history and report', () => {
  it('lists releases, tells their journal, and verifies it', async () => {
    const world = await testing();
    const journal = await world.release();
    const { out } = await world.run('history', 'checkout');
    assert.match(out, /checkout-2 +v1 → v2 +aborted by verdict/);
    assert.match((await world.run('history', 'checkout', '--log', 'checkout-2')).out, /release-started/);
    assert.equal((await world.run('history', '--verify')).out, `the journal is whole: ${journal.length} entries\n`);
  });

  it('finds an entry that was changed, and one that was taken away at the end', async () => {
    const world = await testing();
    const journal = await world.release();
    const at = { namespace: NAMESPACE, name: 'checkout-2' };
    const write = (entries: readonly object[]) =>
      world.api.patch(
        KINDS.releases,
        at,
        { type: 'merge', body: { status: { journal: entries } } },
        { subresource: 'status' },
      );
    await write(journal.map((entry, index) => (index === 2 ? { ...entry, wallTime: '2020-01-01T00:00:00Z' } : entry)));
    const changed = await world.run('history', '--verify');
    assert.equal(changed.code, 1);
    assert.match(changed.out, /the journal is broken: prod\/checkout: entry 3 does not match its hash/);
    await write(journal.slice(0, -1));
    assert.match((await world.run('history', '--verify')).out, /the newest that was written, is not there/);
    await write(journal.slice(4));
    assert.equal((await world.run('history', '--verify')).code, 0, 'what went with old releases is not missed');
  });

  it('shows a release of a newer operator by the words in its status', async () => {
    const world = await testing();
    await world.api.create(KINDS.releases, {
      metadata: { namespace: NAMESPACE, name: 'checkout-3' },
      spec: { policy: 'checkout', number: 3, revision: 'abc', label: 'v3' },
      status: { document: '{"schema":99}', phase: 'ended', outcome: 'promoted', startedAt: '2026-01-01T00:00:00Z' },
    });
    const { out, code } = await world.run('history', 'checkout');
    assert.equal(code, 0);
    assert.match(out, /checkout-3 +– → v3 +promoted/);
  });

  it('reads what is decided and not yet written to its Release', async () => {
    const world = await testing();
    await world.release();
    const found = await world.api.get(KINDS.releases, { namespace: NAMESPACE, name: 'checkout-2' });
    const { document, journal } = (found?.status ?? {}) as { document?: string; journal?: object[] };
    await world.api.delete(KINDS.releases, { namespace: NAMESPACE, name: 'checkout-2' });
    await world.setStatus({ record: { pending: { releases: [{ id: 'prod/checkout-2', document, journal }] } } });
    assert.match((await world.run('history', 'checkout')).out, /checkout-2 +v1 → v2 +aborted by verdict/);
    assert.match((await world.run('report', 'checkout', '-o', '-')).out, /v1 → v2, aborted by verdict/);
  });

  it('writes a report of a release and says what to type', async () => {
    const world = await testing();
    await world.release();
    const { code, out } = await world.run('report', 'checkout-2', '--json');
    assert.equal(code, 0);
    const { reproduce } = JSON.parse(out) as { reproduce: readonly string[] };
    assert.deepEqual(reproduce, [
      'kubectl haldane report prod/checkout-2 --json',
      'kubectl haldane history checkout --log prod/checkout-2',
    ]);
    assert.match((await world.run('report', 'checkout-2', '-o', '-', '--format', 'html')).out, /<!doctype html>/i);
    const points = [0, 1].map((n) => ({
      atMs: n * 5_000,
      weightPercent: 25,
      canaryRequests: n,
      stableRequests: n,
      checks: {},
    }));
    const at = { namespace: NAMESPACE, name: 'checkout-2' };
    const body = { status: { trace: JSON.stringify(points) } };
    await world.api.patch(KINDS.releases, at, { type: 'merge', body }, { subresource: 'status' });
    const { trace } = JSON.parse((await world.run('report', 'checkout-2', '--json')).out) as {
      trace: readonly object[];
    };
    assert.deepEqual(trace, points, 'the pictures are drawn from what the operator kept in the Release');
    const unknown = await world.run('report', 'checkout-77');
    assert.match(unknown.err, /there is no release "checkout-77"/);
  });
});

describe('kubectl haldane watch', () => {
  it('follows a release to its end, with its exit code', async () => {
    const world = await testing();
    const running = world.run('watch', 'checkout', '--exit-status');
    await new Promise((resolve) => setTimeout(resolve, 50));
    await world.setStatus({ view: JSON.stringify(sampleView('aborted')) });
    const { code, out } = await running;
    assert.equal(code, 2);
    assert.match(out, /checkout-2 25 % testing/);
  });

  it('waits for an API server that is away, says so once, and goes on with it', async () => {
    const world = await testing();
    let isDown = false;
    world.api.intercept = () => {
      if (isDown) throw new KubeError('watch', 503, { reason: 'ServiceUnavailable', message: 'down' });
    };
    const running = world.run('watch', 'checkout', '--exit-status');
    await new Promise((resolve) => setTimeout(resolve, 50));
    isDown = true;
    await world.endWatches();
    await new Promise((resolve) => setTimeout(resolve, 700));
    isDown = false;
    await world.setStatus({ view: JSON.stringify(sampleView('aborted')) });
    const { code, err } = await running;
    assert.equal(code, 2);
    assert.match(err, /^the API server is away; users are served on; waiting for it\nthe API server is back\n$/);
  });

  it('prints a view a line with --json', async () => {
    const world = await testing();
    const running = world.run('watch', 'checkout', '--json', '--exit-status');
    await new Promise((resolve) => setTimeout(resolve, 50));
    await world.setStatus({ view: JSON.stringify(sampleView('promoted')) });
    const { code, out } = await running;
    assert.equal(code, 0);
    const states = out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { state: string }).state);
    assert.deepEqual(states, ['testing', 'at rest']);
  });
});

describe('what needs no cluster', () => {
  it('explains and completes', async () => {
    const world = new KubernetesWorld();
    assert.match((await world.run('explain', 'spec.workload.deployment')).out, /deployment/);
    assert.match((await world.run('__complete', 'sta')).out, /^status\n:4\n$/);
    assert.match((await world.run('__complete', 'status', '--wa')).out, /^--wait\n:4\n$/);
    assert.match((await world.run('completion', 'bash')).out, /complete -F _kubectl_haldane kubectl-haldane/);
    await world.policy({ view: sampleView('testing') });
    assert.equal((await world.run('__complete', 'abort', 'che')).out, 'checkout\n:4\n');
  });

  it('has help in the words of kubectl, without the commands of the agent', async () => {
    const { out } = await new KubernetesWorld().run('--help');
    assert.match(out, /^Usage: kubectl haldane <command>/);
    assert.doesNotMatch(out, /\n {2}(?:up|down|apply|demo|release) /);
    assert.doesNotMatch(out, /(?<!kubectl )\bhaldane (?:status|watch|doctor)/);
  });
});
