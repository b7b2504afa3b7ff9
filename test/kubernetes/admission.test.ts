/** What the API server does by itself: hold, keep, lock, floor, actor, verbs. As users write, on a real cluster. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { COMMAND_TABLE } from '../../src/core/engine/index.ts';
import { CONTROLLER, kubectl, Namespace, noCluster } from './cluster.ts';
import { installDefinitions } from './installed.ts';
import { deployment, releaseCommand, releasePolicy, SHARE } from './objects.ts';

interface Seen {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>>; readonly resourceVersion: string };
  readonly spec: {
    readonly paused?: boolean;
    readonly replicas: number;
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } };
  };
}

const space = new Namespace('admission');
const asHaldane = { as: CONTROLLER };

/** A template waits: paused, marked, and as it was written. */
function assertHeld(image: string, name = 'shop'): Seen {
  const seen = space.read<Seen>('deployment', name);
  assert.equal(seen.spec.template.spec.containers[0]?.image, image);
  assert.deepEqual([seen.spec.paused, seen.metadata.annotations?.['haldane.dev/held']], [true, 'true'], image);
  return seen;
}

function assertRolls(image: string, name = 'shop'): void {
  const seen = space.read<Seen>('deployment', name);
  assert.equal(seen.spec.template.spec.containers[0]?.image, image);
  assert.deepEqual([seen.spec.paused, seen.metadata.annotations?.['haldane.dev/held']], [undefined, undefined], image);
}

const setImage = (image: string, name = 'shop') => space.must(['set', 'image', `deployment/${name}`, `app=${image}`]);

function status(status: object): void {
  const patch = JSON.stringify({ status });
  space.must(['patch', 'releasepolicy', 'shop', '--subresource=status', '--type=merge', '-p', patch]);
}

/** What the API server learns by watching takes a moment. */
function eventually(look: () => boolean, what: string): void {
  for (let tries = 0; tries < 100; tries++) if (look()) return;
  assert.fail(what);
}

function fresh(): void {
  for (const kind of ['deployment', 'releasepolicy', 'releasecommand']) space.must(['delete', kind, '--all']);
  space.must(['create', '-f', '-'], { input: deployment('shop') });
  space.must(['create', '-f', '-'], { input: releasePolicy(SHARE) });
  eventually(
    () =>
      space
        .must(['set', 'image', 'deployment/shop', 'app=probe:v0', '--dry-run=server', '-o', 'yaml'])
        .includes('paused: true'),
    'the policy was never seen by the hold',
  );
}

describe('admission', { skip: noCluster }, () => {
  before(() => {
    installDefinitions();
    space.create();
  });
  after(() => space.remove());

  describe('hold', () => {
    beforeEach(fresh);

    test('a new image waits', () => {
      setImage('app:v2');
      assertHeld('app:v2');
    });

    test('a client-side apply waits, and the next one too', () => {
      for (const image of ['app:v2', 'app:v3']) {
        space.must(['apply', '-f', '-'], { input: deployment('shop', image) });
        assertHeld(image);
      }
    });

    test('a server-side apply waits, and says paused again without a conflict', () => {
      const input = deployment('shop', 'app:v2');
      space.must(['apply', '--server-side', '--field-manager=git', '--force-conflicts', '-f', '-'], { input });
      const first = assertHeld('app:v2');
      space.must(['apply', '--server-side', '--field-manager=git', '-f', '-'], { input });
      assert.equal(
        assertHeld('app:v2').metadata.resourceVersion,
        first.metadata.resourceVersion,
        'nothing was written',
      );
    });

    test('two replaces wait, though each drops the mark', () => {
      for (const image of ['app:v2', 'app:v3', 'app:v3']) {
        space.must(['replace', '-f', '-'], { input: deployment('shop', image) });
        assertHeld(image);
      }
    });

    test('a replace that says paused: false waits', () => {
      space.must(['replace', '-f', '-'], { input: deployment('shop', 'app:v2', { paused: false }) });
      assertHeld('app:v2');
      space.must(['replace', '-f', '-'], { input: deployment('shop', 'app:v2', { paused: false }) });
      assertHeld('app:v2');
    });

    test('rollout resume does not let it go, nor does taking the mark off', () => {
      setImage('app:v2');
      space.must(['rollout', 'resume', 'deployment/shop']);
      space.must(['annotate', 'deployment', 'shop', 'haldane.dev/held-']);
      const both = [
        { op: 'remove', path: '/metadata/annotations/haldane.dev~1held' },
        { op: 'remove', path: '/spec/paused' },
      ];
      space.must(['patch', 'deployment', 'shop', '--type=json', '-p', JSON.stringify(both)]);
      assertHeld('app:v2');
    });

    test('a rollout undo waits', () => {
      space.must(['delete', 'releasepolicy', 'shop']);
      space.must(['scale', 'deployment', 'shop', '--replicas=0']);
      setImage('app:v2');
      space.must(['rollout', 'status', 'deployment/shop', '--timeout=20s']);
      space.must(['create', '-f', '-'], { input: releasePolicy(SHARE) });
      eventually(() => {
        space.must(['rollout', 'undo', 'deployment/shop']);
        return space.read<Seen>('deployment', 'shop').spec.paused === true;
      }, 'undo was never held');
    });

    test('scaling to 0 and back while held goes through, and the template waits on', () => {
      setImage('app:v2');
      for (const replicas of [0, 2, 0]) {
        space.must(['scale', 'deployment', 'shop', `--replicas=${replicas}`]);
        assert.equal(assertHeld('app:v2').spec.replicas, replicas);
      }
    });

    test('a restart is no new version', () => {
      space.must(['rollout', 'restart', 'deployment/shop']);
      assertRolls('app:v1');
    });

    test('a label or an annotation of the template is a new version', () => {
      const patch = { spec: { template: { metadata: { annotations: { note: 'x' } } } } };
      space.must(['patch', 'deployment', 'shop', '--type=merge', '-p', JSON.stringify(patch)]);
      assertHeld('app:v1');
    });

    test('what is no template goes through', () => {
      space.must(['annotate', 'deployment', 'shop', 'team=shop']);
      space.must(['scale', 'deployment', 'shop', '--replicas=1']);
      assertRolls('app:v1');
      space.must(['rollout', 'pause', 'deployment/shop']);
      space.must(['rollout', 'resume', 'deployment/shop']);
      assertRolls('app:v1');
    });

    test('what Haldane writes goes through', () => {
      setImage('app:v2');
      const release = [
        { op: 'remove', path: '/spec/paused' },
        { op: 'remove', path: '/metadata/annotations/haldane.dev~1held' },
      ];
      space.must(['patch', 'deployment', 'shop', '--type=json', '-p', JSON.stringify(release)], asHaldane);
      assertRolls('app:v2');
    });

    test('while suspended nothing is held, and after it everything is', () => {
      status({ suspended: true });
      eventually(() => {
        setImage('app:v2');
        if (space.read<Seen>('deployment', 'shop').spec.paused !== true) return true;
        fresh();
        status({ suspended: true });
        return false;
      }, 'suspended was never seen');
      assertRolls('app:v2');
      status({ suspended: false });
      eventually(() => {
        setImage(`app:v${Date.now()}`);
        return space.read<Seen>('deployment', 'shop').spec.paused === true;
      }, 'the end of the suspension was never seen');
    });

    test('rows 73 and 75: a Deployment that no policy names is deployed as ever, here and elsewhere', () => {
      space.must(['create', '-f', '-'], { input: deployment('other') });
      setImage('app:v2', 'other');
      assertRolls('app:v2', 'other');
      const elsewhere = new Namespace('admission-elsewhere');
      elsewhere.create();
      try {
        elsewhere.must(['create', '-f', '-'], { input: deployment('shop') });
        elsewhere.must(['set', 'image', 'deployment/shop', 'app=app:v2']);
        assert.equal(elsewhere.read<Seen>('deployment', 'shop').spec.paused, undefined);
      } finally {
        elsewhere.remove();
      }
    });

    test("Haldane's mark holds without a policy, and only Haldane puts it on or takes it off", () => {
      space.must(['create', '-f', '-'], { input: deployment('other') });
      space.must(['annotate', 'deployment', 'other', 'haldane.dev/hold=shop']);
      setImage('app:v2', 'other');
      assertRolls('app:v2', 'other');
      space.must(['annotate', 'deployment', 'other', 'haldane.dev/hold=shop'], asHaldane);
      space.must(['annotate', 'deployment', 'other', 'haldane.dev/hold-']);
      space.must(['replace', '-f', '-'], { input: deployment('other', 'app:v3') });
      assertHeld('app:v3', 'other');
      space.must(['annotate', 'deployment', 'other', 'haldane.dev/hold-', 'haldane.dev/held-'], asHaldane);
      space.must(['rollout', 'resume', 'deployment/other']);
      assertRolls('app:v3', 'other');
    });
  });

  describe('lock', () => {
    const lock = (verb: string) => `haldane.dev/lock={"verb":"${verb}"}`;
    beforeEach(() => {
      fresh();
      space.must(['annotate', 'deployment', 'shop', lock('promote')], asHaldane);
    });

    test('refuses a new template while Haldane rolls the Deployment, with a sentence', () => {
      const { code, text } = space.ask(['set', 'image', 'deployment/shop', 'app=app:v2']);
      assert.notEqual(code, 0);
      assert.match(text, /haldane is promoting a version of shop by a rolling update: try again when it is complete/);
      space.must(['annotate', 'deployment', 'shop', lock('restore'), '--overwrite'], asHaldane);
      assert.match(space.ask(['set', 'image', 'deployment/shop', 'app=app:v2']).text, /taking a version of shop back/);
      assert.notEqual(space.ask(['rollout', 'restart', 'deployment/shop']).code, 0);
    });

    test('lets everything else through', () => {
      space.must(['scale', 'deployment', 'shop', '--replicas=1']);
      space.must(['apply', '-f', '-'], { input: deployment('shop') });
      space.must(['annotate', 'deployment', 'shop', 'team=shop']);
    });

    test('is not dropped by a replace, nor forged', () => {
      space.must(['replace', '-f', '-'], { input: deployment('shop') });
      space.must(['annotate', 'deployment', 'shop', 'haldane.dev/lock=mine', '--overwrite']);
      const { metadata } = space.read<Seen>('deployment', 'shop');
      assert.equal(metadata.annotations?.['haldane.dev/lock'], '{"verb":"promote"}');
    });

    test('is no matter of a copy', () => {
      const copy = {
        ...(deployment('copy') as object),
        metadata: { name: 'copy', annotations: { 'haldane.dev/lock': 'x' } },
      };
      space.must(['create', '-f', '-'], { input: copy });
      assert.equal(space.read<Seen>('deployment', 'copy').metadata.annotations?.['haldane.dev/lock'], undefined);
      setImage('app:v2', 'copy');
    });

    test('does not bind Haldane', () => {
      space.must(['set', 'image', 'deployment/shop', 'app=app:v2'], asHaldane);
      space.must(['annotate', 'deployment', 'shop', 'haldane.dev/lock-'], asHaldane);
      assertRolls('app:v2');
    });
  });

  test('floor: stable is not scaled below it, by scale, patch or replace', () => {
    fresh();
    status({ floor: 2 });
    const replicas = () => space.read<Seen>('deployment', 'shop').spec.replicas;
    eventually(() => {
      space.must(['scale', 'deployment', 'shop', '--replicas=1']);
      return replicas() === 2;
    }, 'the floor was never seen');
    space.must(['patch', 'deployment', 'shop', '--type=merge', '-p', '{"spec":{"replicas":0}}']);
    assert.equal(replicas(), 2);
    space.must(['replace', '-f', '-'], { input: deployment('shop') });
    assert.equal(replicas(), 2);
    space.must(['scale', 'deployment', 'shop', '--replicas=3']);
    assert.equal(replicas(), 3);
    space.must(['create', '-f', '-'], { input: deployment('other', 'app:v1', { replicas: 1 }) });
    space.must(['scale', 'deployment', 'other', '--replicas=0']);
    assert.equal(space.read<Seen>('deployment', 'other').spec.replicas, 0);
  });

  test('actor: a command carries the name of who created it, whatever was written', () => {
    const created = space.must(['create', '-o', 'json', '-f', '-'], {
      input: releaseCommand({ verb: 'abort', actor: 'somebody else' }),
    });
    const { spec, metadata } = JSON.parse(created) as { spec: { actor: string }; metadata: { name: string } };
    assert.notEqual(spec.actor, 'somebody else');
    const patch = JSON.stringify({ spec: { actor: 'somebody else' } });
    assert.notEqual(space.ask(['patch', 'releasecommand', metadata.name, '--type=merge', '-p', patch]).code, 0);
  });

  test('a Release keeps its template', () => {
    const spec = { policy: 'shop', number: 1, revision: 'abc', template: { spec: { containers: [{ name: 'app' }] } } };
    const release = { apiVersion: 'haldane.dev/v1alpha1', kind: 'Release', metadata: { name: 'shop-1' }, spec };
    space.must(['create', '-f', '-'], { input: release });
    const patch = JSON.stringify({ spec: { template: { spec: { containers: [] } } } });
    assert.match(space.ask(['patch', 'release', 'shop-1', '--type=merge', '-p', patch]).text, /stays as it was made/);
  });

  describe('verbs', () => {
    const ROLES = ['haldane-viewer', 'haldane-editor', 'haldane-operator', 'haldane-approver'];
    const APPROVERS = ['approve', 'promote', 'suspend'];

    before(() => {
      fresh();
      for (const role of ROLES) {
        space.must(['create', 'rolebinding', role, `--clusterrole=${role}`, `--user=${role}`]);
      }
    });

    for (const verb of Object.keys(COMMAND_TABLE)) {
      for (const role of ROLES) {
        const may = role === (APPROVERS.includes(verb) ? 'haldane-approver' : 'haldane-operator');
        test(`${role} ${may ? 'may' : 'may not'} ${verb}`, () => {
          const input = releaseCommand({ verb, reason: 'a test' });
          const { code, text } = space.ask(['create', '--dry-run=server', '-o', 'yaml', '-f', '-'], {
            input,
            as: role,
          });
          assert.equal(code === 0, may, text);
          if (may) assert.match(text, new RegExp(`actor: ${role}`));
          else
            assert.match(text, role === 'haldane-operator' || role === 'haldane-approver' ? /may not/ : /forbidden/i);
        });
      }
    }

    test('going past analysis takes a right of its own', () => {
      const role = (verbs: string) => [
        'create',
        'role',
        'promoters',
        `--verb=${verbs}`,
        '--resource=releases.haldane.dev',
      ];
      space.must(role('promote'));
      space.must(['create', 'role', 'commanders', '--verb=create', '--resource=releasecommands.haldane.dev']);
      for (const name of ['promoters', 'commanders']) {
        space.must(['create', 'rolebinding', name, `--role=${name}`, '--user=promoter']);
      }
      const ask = (spec: object) => {
        const input = releaseCommand({ verb: 'promote', reason: 'a test', ...spec });
        return space.ask(['create', '--dry-run=server', '-f', '-'], { input, as: 'promoter' });
      };
      assert.equal(ask({}).code, 0);
      assert.match(ask({ skipAnalysis: true }).text, /takes the verb skip-analysis/);
    });

    test('nobody but Haldane writes a status or a Release', () => {
      for (const role of ROLES) {
        for (const resource of ['releasepolicies.haldane.dev', 'releases.haldane.dev']) {
          const may = (verb: string, more: readonly string[]) =>
            kubectl(['auth', 'can-i', verb, resource, '-n', space.name, `--as=${role}`, ...more]).code === 0;
          assert.equal(may('patch', ['--subresource=status']), false, `${role} ${resource}`);
          if (resource.startsWith('releases.')) assert.equal(may('create', []), false, `${role} ${resource}`);
        }
      }
    });
  });
});
