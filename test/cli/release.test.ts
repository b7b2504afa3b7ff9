// `haldane release --wait` against a real agent: one exit code for each way a release can end.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { reportSchema } from '../../src/server/report-schema.ts';
import { freePort, policyText, type Ran, TestAgent } from './support.ts';

const agent = new TestAgent();
const ports = new Map<string, number>();

const POLICIES: Readonly<Record<string, { more?: readonly string[]; stages?: string }>> = {
  good: {},
  bad: { stages: '[{weight: 50, bake: 10s}]' },
  slow: { stages: '[{weight: 30, bake: 1h}]' },
  late: { stages: '[{weight: 30, bake: 1h}]' },
  newer: { stages: '[{weight: 30, bake: 1h}]' },
  asked: { stages: '[{weight: 30, bake: 100ms, gates: [{approval: {name: qa}}]}]', more: ['  analysis: none'] },
  broken: { more: ['  deadlines: {start: 1s}'] },
};

before(async () => {
  const texts: string[] = [];
  for (const [name, options] of Object.entries(POLICIES)) {
    const port = await freePort();
    ports.set(name, port);
    texts.push(policyText({ name, port, ...options }));
  }
  await agent.start('-f', agent.write('haldane.yaml', texts.join('\n---\n')));
  for (const name of ['good', 'bad']) agent.sendUsers(ports.get(name) ?? 0);
  await Promise.all(Object.keys(POLICIES).map((name) => agent.untilServing(name, 'v1')));
});
after(() => agent.end());

const release = (policy: string, ...more: string[]): Promise<Ran> =>
  agent.run('release', policy, '--version', 'v2', '--env', 'GREETING=v2', '--wait', ...more);

function assertEnded({ code, out, err }: Ran, wanted: number, sentence: RegExp): void {
  assert.equal(code, wanted, `${out}\n${err}`);
  assert.match(out, sentence);
}

describe('haldane release --wait', () => {
  it('exits with 0 when the version is promoted, and says the numbers', async () => {
    assertEnded(await release('good'), 0, /^promoted: v2 promoted after .*errors .* 95 % bounds .*, tolerance 5 pp\./);
  });

  it('exits with 2 when a check showed harm (row 34)', async () => {
    const ran = await release('bad', '--env', 'ERRORS=0.5');
    assertEnded(ran, 2, /^aborted by verdict: v2 aborted at 50 % after .*: errors \+/);
    assert.match(ran.err, /testing: 50 % on v2/);
    const { out } = await agent.run('report', 'bad', '--json');
    const report = JSON.parse(out) as { release: { outcome: { by: string; check: string } }; trace: unknown[] };
    assert.deepEqual([report.release.outcome.by, report.release.outcome.check], ['verdict', 'errors']);
    assert.ok(report.trace.length > 0);
    reportSchema.parse(report);
  });

  it('exits with 3 when a person aborts it', async () => {
    const waiting = release('slow');
    await agent.until('slow', (view) => view.release?.phase === 'testing');
    const aborted = await agent.run('abort', 'slow', '--reason', 'not today');
    assert.equal(aborted.code, 0, aborted.err);
    assertEnded(await waiting, 3, /^aborted by a person: v2 aborted by .*: not today, at 30 %/);
  });

  it('exits with 4 when it is not decided by --timeout, and the release goes on', async () => {
    assertEnded(await release('late', '--timeout', '3s'), 4, /^deadline: /);
    const view = await agent.until('late', () => true);
    assert.equal(view.release?.phase, 'testing');
  });

  it('exits with 5 when it waits for an approval, and ends well once that is given', async () => {
    assertEnded(await release('asked'), 5, /^waits for a person: .*approval/);
    const approved = await agent.run('approve', 'asked', '--gate', 'qa');
    assert.equal(approved.code, 0, approved.err);
    await agent.untilServing('asked', 'v2');
  });

  it('exits with 6 when a newer version takes its place', async () => {
    const waiting = release('newer');
    await agent.until('newer', (view) => view.release?.phase === 'testing');
    const newer = await agent.run('release', 'newer', '--version', 'v3', '--env', 'GREETING=v3');
    assert.equal(newer.code, 0, newer.err);
    assertEnded(await waiting, 6, /^superseded: /);
  });

  it('exits with 1 when the version never gets ready, with the reason', async () => {
    assertEnded(
      await release('broken', '--env', 'NEVER_READY=1'),
      1,
      /^failed: v2 aborted before any traffic after .*not ready in time/,
    );
  });

  it('goes on waiting when the agent is replaced meanwhile (I6)', async () => {
    const waiting = agent.run('release', 'newer', '--version', 'v4', '--env', 'GREETING=v4', '--wait');
    await agent.until('newer', (view) => view.release?.to === 'v4' && view.release.phase === 'testing');
    await agent.stop();
    await agent.start();
    await agent.until('newer', (view) => view.release?.phase === 'testing');
    assert.equal((await agent.run('abort', 'newer', '--reason', 'enough')).code, 0);
    const ran = await waiting;
    assertEnded(ran, 3, /^aborted by a person: /);
    assert.match(ran.err, /the agent is away; the release waits for it\n(?:.*\n)*the agent is back/);
  });

  it('prints one JSON object with --json, and exits with 0 at once for what is stable already', async () => {
    const { code, out } = await agent.run(
      'release',
      'broken',
      '--version',
      'v1',
      '--unset',
      'NEVER_READY',
      '--unset',
      'GREETING',
      '--wait',
      '--json',
    );
    assert.equal(code, 0, out);
    assert.equal((JSON.parse(out) as { outcome: string }).outcome, 'promoted');
  });
});
