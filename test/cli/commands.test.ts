// The commands against a real agent: what they print, what they refuse and with which fix.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { freePort, policyText, TestAgent } from './support.ts';

const agent = new TestAgent();
let port = 0;

before(async () => {
  port = await freePort();
  const said = await agent.start(
    '-f',
    agent.write('haldane.yaml', policyText({ name: 'shop', port, stages: '[{weight: 20, bake: 1h}]' })),
  );
  assert.match(said, /API {4}http:\/\/127\.0\.0\.1:\d+/);
  await agent.untilServing('shop', 'v1');
});
after(() => agent.end());

/** A request as somebody else might send it. */
function ask(
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number; body: { code: string; fix: string } }> {
  const { address } = JSON.parse(readFileSync(join(agent.stateDir, 'agent.json'), 'utf8')) as { address: string };
  return new Promise((resolve, reject) => {
    request(`${address}${path}`, { headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
    })
      .on('error', reject)
      .end();
  });
}

const token = () => readFileSync(join(agent.stateDir, 'token'), 'utf8').trim();

describe('who may speak to the agent', () => {
  it('has its token in a file for its owner only', () => {
    assert.equal(statSync(join(agent.stateDir, 'token')).mode & 0o777, 0o600);
    assert.equal(statSync(join(agent.stateDir, 'agent.json')).mode & 0o777, 0o600);
  });

  it('needs the token, also to read', async () => {
    for (const headers of [{}, { authorization: 'Bearer nonsense' }, { authorization: token() }]) {
      const { status, body } = await ask('/v1/policies', headers as Record<string, string>);
      assert.deepEqual([status, body.code], [401, 'token-refused']);
    }
    assert.equal((await ask('/v1/policies', { authorization: `Bearer ${token()}` })).status, 200);
  });

  it('is not fooled by another Host name, so that no web page reaches it by rebinding', async () => {
    const { status, body } = await ask('/v1/policies', { authorization: `Bearer ${token()}`, host: 'evil.example:80' });
    assert.deepEqual([status, body.code], [403, 'host-refused']);
  });

  it('answers an unknown route and a wrong body with code, path, problem and fix', async () => {
    const { status, body } = await ask('/v1/nothing', { authorization: `Bearer ${token()}` });
    assert.deepEqual([status, body.code], [404, 'route-unknown']);
    assert.match(body.fix, /docs\/api\.md/);
  });

  it('is not reached with a token file that others can read', async () => {
    chmodSync(join(agent.stateDir, 'token'), 0o644);
    const { code, err } = await agent.run('status');
    chmodSync(join(agent.stateDir, 'token'), 0o600);
    assert.equal(code, 1);
    assert.match(err, /mode 0644, so others can read it\n {2}fix: delete it/);
  });

  it('does not listen beyond loopback', async () => {
    const { code, err } = await agent.spawn({}, 'up', '--api', '0.0.0.0:0', '--state-dir', join(agent.folder, 'other'));
    assert.equal(code, 1);
    assert.match(err, /does not listen on 0\.0\.0\.0\n {2}fix: use 127\.0\.0\.1/);
  });

  it('has one agent a state folder: a second is refused by name', async () => {
    const { code, err } = await agent.spawn({}, 'up', '--state-dir', agent.stateDir);
    assert.equal(code, 1);
    assert.match(err, /in use by/);
  });
});

describe('the stream of views', () => {
  it('is server-sent events when asked for, JSON lines else, and one comes at once', async () => {
    const { address } = JSON.parse(readFileSync(join(agent.stateDir, 'agent.json'), 'utf8')) as { address: string };
    const firstOf = async (accept: string) => {
      const ending = new AbortController();
      const headers = { authorization: `Bearer ${token()}`, accept };
      const response = await fetch(`${address}/v1/policies/shop/events`, { headers, signal: ending.signal });
      const reader = response.body?.getReader();
      const { value } = (await reader?.read()) ?? {};
      ending.abort();
      return { type: response.headers.get('content-type'), text: new TextDecoder().decode(value) };
    };
    const events = await firstOf('text/event-stream');
    assert.equal(events.type, 'text/event-stream');
    assert.match(events.text, /^event: view\ndata: \{"schema":1.*\}\n\n$/);
    const lines = await firstOf('*/*');
    assert.equal(lines.type, 'application/x-ndjson');
    assert.equal((JSON.parse(lines.text) as { schema: number }).schema, 1);
  });
});

describe('mistakes', () => {
  const mistakes: Record<string, { args: string[]; say: RegExp }> = {
    'a command that is nearly one': { args: ['stauts'], say: /did you mean haldane status\?/ },
    'a policy that is nearly one': {
      args: ['status', 'shpo'],
      say: /there is no policy "shpo"\n {2}fix: did you mean shop\?/,
    },
    'an option that is nearly one': { args: ['status', '--jsno'], say: /Did you mean --json\?/ },
    'a file that is not there': {
      args: ['apply', '-f', 'none.yaml'],
      say: /none\.yaml: there is no such file\n {2}fix:/,
    },
    'a release that is not there': {
      args: ['report', 'shop-99'],
      say: /there is no release "shop-99"\n {2}fix: haldane history/,
    },
    'a reason that is missing': {
      args: ['suspend', 'shop'],
      say: /--reason: suspend needs a reason\n {2}fix: say why/,
    },
    'skipping analysis without a reason': {
      args: ['promote', 'shop', '--skip-analysis'],
      say: /--skip-analysis needs a reason/,
    },
    'a command that is refused now': {
      args: ['abort', 'shop'],
      say: /abort refused: no release is under way; rollback returns/,
    },
    'a variable that is none': {
      args: ['release', 'shop', '--version', 'v2', '--env', 'NOVALUE'],
      say: /write --env LOG_LEVEL=debug/,
    },
    'a field that is not there': { args: ['explain', 'spec.stagse'], say: /did you mean spec\.stages/ },
    'a timeout without a unit': {
      args: ['release', 'shop', '--version', 'v2', '--wait', '--timeout', '10'],
      say: /has no unit\n {2}fix: write 10s/,
    },
  };
  for (const [name, { args, say }] of Object.entries(mistakes)) {
    it(`${name}: says what and how to mend it, with exit code 1`, async () => {
      const { code, out, err } = await agent.run(...args);
      assert.equal(code, 1, out);
      assert.match(err, say);
      assert.ok(!err.includes('    at '), 'no stack');
    });
  }

  it('in a policy are named with line, path, nearest name and fix, and nothing changes', async () => {
    const text = policyText({ name: 'shop', port }).replace('leastBake', 'leastBakee');
    const file = agent.write('wrong.yaml', text);
    for (const command of [
      ['lint', '-f', file],
      ['apply', '-f', file],
    ]) {
      const { code, out, err } = await agent.run(...command);
      assert.equal(code, 1);
      assert.match(out + err, /error: line \d+:\d+: spec\.leastBakee: .*\n {2}fix: .*leastBake/);
    }
  });

  it('a place that another policy has is refused before anything starts (row 63)', async () => {
    const file = agent.write('second.yaml', policyText({ name: 'second', port }));
    const { code, err } = await agent.run('apply', '-f', file);
    assert.equal(code, 1);
    assert.match(
      err,
      /spec\.router\.gateway\.listen: "shop" listens on 127\.0\.0\.1:\d+ already\n {2}fix: give "second" another port/,
    );
  });

  it('are JSON with --json', async () => {
    const { code, out } = await agent.run('status', 'shpo', '--json');
    assert.equal(code, 1);
    assert.deepEqual((JSON.parse(out) as { error: { code: string; fix: string } }).error.fix, 'did you mean shop?');
  });
});

describe('what is printed', () => {
  it('has no colour in a pipe, colour when forced, and none with NO_COLOR or --plain even then', async () => {
    const code = '\u001b[';
    assert.ok(!(await agent.run('status')).out.includes(code));
    assert.ok((await agent.runWith({ FORCE_COLOR: '1' }, 'status')).out.includes(code));
    assert.ok(!(await agent.runWith({ FORCE_COLOR: '1', NO_COLOR: '1' }, 'status')).out.includes(code));
    assert.match((await agent.runWith({ FORCE_COLOR: '1' }, 'status', '--plain')).out, /^[\x20-\x7e\n]*$/);
  });

  it('is the same for one policy by name and for the only one', async () => {
    const [named, only] = await Promise.all([agent.run('status', 'shop'), agent.run('status')]);
    assert.equal(named.out.split('\n')[1], only.out.split('\n')[1]);
    assert.match(named.out, /✔ v1 serves everyone\./);
  });

  it('of apply --dry-run is the difference, and nothing changes', async () => {
    const file = agent.write(
      'changed.yaml',
      policyText({ name: 'shop', port, version: 'v2', stages: '[{weight: 10, bake: 1h}]' }),
    );
    const { code, out } = await agent.run('apply', '-f', file, '--dry-run');
    assert.equal(code, 0);
    assert.match(out, /shop: would be changed; a release of v2 would start/);
    assert.match(out, /~ policy\.ramp\.stages\[0\]\.weightPercent: 20 → 10/);
    assert.match((await agent.run('apply', '-f', join(agent.folder, 'haldane.yaml'))).out, /shop: unchanged/);
  });

  it('of doctor says what is missing before a release: traffic', async () => {
    const { code, out } = await agent.run('doctor');
    assert.equal(code, 1);
    assert.match(out, /✖ queries {2}no request came through the gateway while we looked\n {13}fix:/);
    assert.match(out, /errors would not fail: .*there is no traffic now/);
  });

  it('of watch, when it is no terminal, is a line per decision; of --json, a view per line', async () => {
    const watching = agent.follow('watch', 'shop', '--exit-status');
    const json = agent.run('watch', 'shop', '--json', '--exit-status');
    const released = await agent.run('release', 'shop', '--version', 'v2', '--env', 'GREETING=two');
    assert.equal(released.code, 0, released.err);
    await watching.says(/ 20 % testing: 20 % on v2/);
    assert.equal((await agent.run('pause', 'shop', '--reason', 'tea')).code, 0);
    assert.match((await agent.run('status')).out, /‖ 20 % on v2.*Paused by .*: tea\./s);
    assert.equal((await agent.run('resume')).code, 0);
    assert.equal((await agent.run('abort', '--reason', 'enough')).code, 0);
    const { code, out } = await watching.ended;
    assert.equal(code, 3, out);
    assert.match(
      out,
      /\d\d:\d\d:\d\d shop-2 20 % (?:testing|paused): 20 % on v2.*\n(?:.*\n)*.* at rest: v2 aborted by .*: enough/,
    );
    for (const line of (await json).out.trim().split('\n'))
      assert.equal(typeof (JSON.parse(line) as { headline: string }).headline, 'string');
  });

  it('of history names who did what, and the journal is proved whole', async () => {
    const { out } = await agent.run('history', 'shop');
    assert.match(out, /shop-2 +v1 → v2 +aborted by a person +20 %/);
    assert.match((await agent.run('history', '--log', 'shop-2')).out, /command +pause by \S+@\S+: tea/);
    assert.match((await agent.run('history', '--verify')).out, /the journal is whole: \d+ entries/);
  });

  it('of report is a page that asks nobody for anything, Markdown, and JSON', async () => {
    const { code, out } = await agent.run('report', 'shop-2', '-o', 'reports');
    assert.equal(code, 0);
    assert.deepEqual(out.trim().split('\n'), ['reports/shop-2.html', 'reports/shop-2.md', 'reports/shop-2.json']);
    const html = readFileSync(join(agent.folder, 'reports/shop-2.html'), 'utf8');
    assert.match(html, /default-src 'none'/);
    assert.ok(!/(?:src|href)=|<script|url\((?!#)/.test(html), 'no request');
    assert.match(html, /<svg [^>]*role="img"/);
  });
});

describe('help and completion', () => {
  it('teach: every command has an example, every verb its row of the table', async () => {
    const { out } = await agent.run('--help');
    const names = [...(out.split('Commands:')[1]?.split('Start here')[0] ?? '').matchAll(/^ {2}([a-z]+)/gm)].map(
      ([, name]) => name ?? '',
    );
    assert.ok(names.length > 20);
    for (const later of ['simulate', 'replay', 'gateway']) assert.ok(!names.includes(later), later);
    const helps = await Promise.all(
      names.filter((name) => !['help', 'version'].includes(name)).map((name) => agent.run(name, '--help')),
    );
    for (const help of helps) assert.match(help.out, /Examples?:/);
    assert.match((await agent.run('help', 'abort')).out, /testing {4,}sends all traffic to stable at once/);
  });

  it('complete commands and options; the bash script is bash', async () => {
    const { out } = await agent.run('completion', 'bash');
    assert.match(out, /status\) words="--state-dir --json --plain --verbose --help"/);
    const checked = spawnSync('bash', ['-n'], { input: out, encoding: 'utf8' });
    assert.equal(checked.status, 0, checked.stderr);
    for (const shell of ['zsh', 'fish']) assert.match((await agent.run('completion', shell)).out, /promote/);
    assert.equal((await agent.run('completion', 'tcsh')).code, 1);
  });
});

describe('the program itself', () => {
  it('prints, exits and honours NO_COLOR like its parts', async () => {
    const version = await agent.spawn({}, 'version');
    assert.match(version.out, /^\d+\.\d+\.\d+\n$/);
    const wrong = await agent.spawn({}, 'stauts');
    assert.deepEqual([wrong.code, wrong.out], [1, '']);
    assert.ok((await agent.spawn({ FORCE_COLOR: '1' }, 'status')).out.includes('\u001b['));
    assert.ok(!(await agent.spawn({ FORCE_COLOR: '1', NO_COLOR: '1' }, 'status')).out.includes('\u001b['));
  });
});

describe('up --stop-all', () => {
  it('leaves nothing behind when it ends', async () => {
    const other = new TestAgent();
    try {
      const otherPort = await freePort();
      await other.start(
        '--stop-all',
        '-f',
        other.write('haldane.yaml', policyText({ name: 'other', port: otherPort })),
      );
      await other.untilServing('other', 'v1');
      await other.stop();
      await assert.rejects(fetch(`http://127.0.0.1:${otherPort}/`));
    } finally {
      await other.end();
    }
  });
});

describe('ending', () => {
  it('the agent leaves what serves running; the next one takes it over; withdraw and down end the rest', async () => {
    await agent.stop();
    const served = await fetch(`http://127.0.0.1:${port}/`);
    assert.equal(served.status, 200);
    await served.text();
    assert.match((await agent.run('status')).err, /no agent runs with the state folder/);
    await agent.start();
    await agent.until('shop', (view) => view.traffic.rows[0]?.label === 'v1');
    assert.equal((await agent.run('history', 'shop', '--json')).code, 0);
    assert.match((await agent.run('withdraw', 'shop')).out, /withdrawn; its versions run on/);
    assert.match((await agent.run('down')).out, /its gateways and its processes have ended/);
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
  });
});
