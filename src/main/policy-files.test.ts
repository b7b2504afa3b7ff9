import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { Version } from '../core/model/version.ts';
import type { AppliedAnswer } from '../core/views/index.ts';
import { silentLog } from '../lib/log.ts';
import { MemoryStore } from '../ports/doubles/index.ts';
import { declareVersion } from '../server/new-version.ts';
import { PolicyFiles } from './policy-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'haldane-files-'));
after(() => rmSync(folder, { recursive: true }));

const text = (version: string, weight: number) => `apiVersion: haldane.dev/v1alpha1
kind: ReleasePolicy
metadata: {name: shop}
spec:
  workload: {processes: {template: {version: ${version}, command: [node, server.js]}}}
  stages: [{weight: ${weight}, bake: 10m}]
`;

let files = 0;

class Bench {
  readonly file = join(folder, `haldane-${files++}.yaml`);
  readonly stateDir = mkdtempSync(join(folder, 'state-'));
  readonly store = new MemoryStore();
  readonly applied: AppliedAnswer[] = [];

  write(version: string, weight: number): void {
    writeFileSync(this.file, text(version, weight));
  }

  /** An agent starts, takes what there is to take, and ends. */
  async restart(): Promise<void> {
    const taking = new PolicyFiles({
      files: [this.file],
      stateDir: this.stateDir,
      store: this.store,
      log: silentLog,
      onApplied: (_file, applied) => void this.applied.push(...applied),
      onRefused: () => {},
    });
    try {
      await taking.start();
    } finally {
      taking.stop();
    }
  }

  async declared(): Promise<string> {
    const declaration = await this.store.declaration('shop');
    return (JSON.parse(declaration?.document ?? '{}') as { version: Version }).version.label;
  }
}

describe('policy files across restarts', () => {
  it('an unchanged file does not undo a version released by command', async () => {
    const bench = new Bench();
    bench.write('v1', 5);
    await bench.restart();
    await declareVersion(bench.store, 'shop', { version: 'v2' });
    await bench.restart();
    assert.equal(await bench.declared(), 'v2');
    assert.equal(bench.applied.length, 1);
  });

  it('nor does an edit of anything else in it; it is told that both say different things', async () => {
    const bench = new Bench();
    bench.write('v1', 5);
    await bench.restart();
    await declareVersion(bench.store, 'shop', { version: 'v2' });
    bench.write('v1', 10);
    await bench.restart();
    assert.equal(await bench.declared(), 'v2');
    const [warning] = bench.applied.at(-1)?.warnings.filter(({ path }) => path === 'spec.workload') ?? [];
    assert.match(warning?.problem ?? '', /still says v1; v2 was released by command since, and stays/);
  });

  it('a version written into it anew is taken', async () => {
    const bench = new Bench();
    bench.write('v1', 5);
    await bench.restart();
    await declareVersion(bench.store, 'shop', { version: 'v2' });
    bench.write('v3', 5);
    await bench.restart();
    assert.equal(await bench.declared(), 'v3');
  });

  it('a policy withdrawn meanwhile is declared again: the file was named on purpose', async () => {
    const bench = new Bench();
    bench.write('v1', 5);
    await bench.restart();
    await bench.store.withdraw('shop');
    await bench.restart();
    assert.equal((await bench.store.declaration('shop'))?.removed, false);
  });

  it('a file that is refused keeps the agent from starting, and a missing one too', async () => {
    const bench = new Bench();
    await assert.rejects(bench.restart(), /ENOENT/);
    writeFileSync(bench.file, text('v1', 5).replace('stages', 'stagse'));
    await assert.rejects(bench.restart(), (error: { code?: string }) => error.code === 'policy-refused');
  });
});
