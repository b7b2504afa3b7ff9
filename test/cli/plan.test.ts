// haldane plan: without an agent on stated traffic, and with one on the traffic it sees.
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { freePort, policyText, TestAgent } from './support.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/06-judge/haldane.yaml');

interface Json {
  readonly requestsPerSecond: number;
  readonly stages: readonly { readonly weightPercent: number; readonly perWindow: number }[];
  readonly healthy: { readonly runs: number; readonly promoted: number };
  readonly checks: readonly { readonly check: string; readonly baseRate: number; readonly perSecond: number }[];
  readonly harms: readonly { readonly check: string; readonly canaryRate: number }[];
  readonly notes: readonly string[];
}

describe('without an agent', () => {
  const shell = new TestAgent();
  after(() => shell.end());
  copyFileSync(EXAMPLE, join(shell.folder, 'haldane.yaml'));
  const plan = (...args: string[]) => shell.run('plan', '-f', 'haldane.yaml', ...args);
  const few = ['--runs', '8'];

  it('tells stages, what can be detected, what a bad version costs, and what is promised', async () => {
    const { code, out, err } = await plan('--rps', '200', '--error-rate', '0.1%', ...few);
    assert.equal(err, '');
    assert.equal(code, 0);
    assert.match(out, /^shop at 200 requests\/s, windows of 10s, decided within 1d\n/);
    assert.match(out, /WEIGHT +CANARY A WINDOW[^\n]*\n {2}10 % +200 +1 200 +10m +0s \(0s\) +10m/);
    assert.match(out, /A version as good as stable \(8 rehearsals\): promoted in 8 of 8 \(median 10m/);
    assert.match(out, /errors \(0\.10 % now\): \d.*and more; up to there the tolerance accepts it/);
    assert.match(out, /errors +0\.10 % → 100\.0 % +4 of 4/);
    assert.match(out, /at most 1\.00 % of versions as good as stable are taken back/);
  });

  it('says plainly that one request in a hundred seconds is not enough', async () => {
    const text = `${readFileSync(EXAMPLE, 'utf8')}  deadlines: {release: 1h}\n`;
    const args = ['-f', shell.write('hour.yaml', text), '--rps', '0.01', '--error-rate', '0.1%', '--bad', '2x'];
    const { out } = await shell.run('plan', ...args, ...few);
    assert.match(out, /Too little traffic: to refute harm, errors needs about \d+ days/);
    assert.match(out, /errors \(0\.10 % now\): nothing\b/);
  });

  it('takes the traffic of one check, and bad versions as asked, as JSON', async () => {
    const { out } = await plan('--rps', '200', '--base', 'errors=0.5%@50', '--bad', '2%', ...few, '--json');
    const json = JSON.parse(out) as Json;
    assert.deepEqual(
      json.checks.map(({ check, perSecond }) => [check, perSecond]),
      [
        ['errors', 50],
        ['latency', 200],
      ],
    );
    assert.equal(json.checks[0]?.baseRate, 0.005);
    assert.deepEqual(
      json.harms.map(({ check, canaryRate }) => [check, canaryRate]),
      [
        ['errors', 0.02],
        ['latency', 0.02],
      ],
    );
  });

  const mistakes: Record<string, { args: string[]; say: RegExp }> = {
    'traffic that nobody tells': { args: [], say: /no agent says how much traffic.*\n {2}fix: .*--rps 100/ },
    'a base rate that nobody tells': {
      args: ['--rps', '10'],
      say: /--error-rate: how many requests of errors.*\n {2}fix: write --error-rate 0\.1%/,
    },
    'a rate without its sign': { args: ['--rps', '10', '--error-rate', '0.1'], say: /write it with its sign: 0\.1%/ },
    'a check that is nearly one': {
      args: ['--rps', '10', '--base', 'eror=1%'],
      say: /names no check.*\n {2}fix: write --base errors=/,
    },
    'no traffic': { args: ['--rps', '0', '--error-rate', '1%'], say: /--rps: "0" is not a number above 0/ },
    'a bad version that is none': {
      args: ['--rps', '10', '--error-rate', '1%', '--bad', '1x'],
      say: /1x is not worse/,
    },
  };
  for (const [name, { args, say }] of Object.entries(mistakes)) {
    it(`refuses ${name}`, async () => {
      const { code, err } = await plan(...args);
      assert.match(err, say);
      assert.equal(code, 1);
    });
  }
});

describe('with an agent', () => {
  const agent = new TestAgent();
  after(() => agent.end());

  before(async () => {
    const port = await freePort();
    const text = policyText({ name: 'shop', port, stages: '[{weight: 50, bake: 10s}]' }).replace(
      'interval: 100ms',
      'interval: 1s',
    );
    await agent.start('-f', agent.write('shop.yaml', text));
    await agent.untilServing('shop', 'v1');
    agent.sendUsers(port);
  });

  it('takes the traffic and the base rate that its gateway sees', async () => {
    const { code, out, err } = await agent.run('plan', '-f', 'shop.yaml', '--runs', '4', '--json');
    assert.equal(err, '');
    assert.equal(code, 0);
    const json = JSON.parse(out) as Json;
    assert.ok(json.requestsPerSecond > 5 && json.requestsPerSecond < 1_000, String(json.requestsPerSecond));
    assert.equal(json.checks[0]?.baseRate, 0);
    assert.match(json.notes.join(), /as the agent's gateway saw it just now/);
  });
});
