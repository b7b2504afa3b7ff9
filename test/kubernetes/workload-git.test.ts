/**
 * A git tool that applies its template by force every second, all through a promotion and a restore: what it owns is never
 * changed but in the bounded restore, and after that its plain apply meets no conflict.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { templateRevision } from '../../src/cluster/revision.ts';
import type { Version } from '../../src/core/model/version.ts';
import { noCluster } from './cluster.ts';
import { Deployed, eventually, manifest } from './deployed.ts';
import { installDefinitions } from './installed.ts';

const GIT = ['apply', '--server-side', '--field-manager=git', '--force-conflicts', '-f', '-'];

/** One process that applies again and again until it is ended; counts what was taken and what was refused. */
class GitLoop {
  readonly #shop: Deployed;
  readonly #text: string;
  #isOver = false;
  #loop: Promise<void> = Promise.resolve();
  taken = 0;
  readonly refusals: string[] = [];

  constructor(shop: Deployed, object: object) {
    this.#shop = shop;
    this.#text = JSON.stringify(object);
  }

  start(): void {
    this.#loop = this.#run();
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const { code, text } = await this.#once();
      if (code === 0) this.taken += 1;
      else this.refusals.push(text);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }

  #once(): Promise<{ readonly code: number | null; readonly text: string }> {
    const child: ChildProcess = spawn('kubectl', ['-n', this.#shop.space.name, ...GIT]);
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
    }
    child.stdin?.end(this.#text);
    return new Promise((resolve) => child.on('close', (code) => resolve({ code, text })));
  }
}

/** A roll that takes longer than git waits between two of its applies. */
const slow = (image: string) => manifest(image, { minReadySeconds: 2 });

describe('rows 8 and 59: git applies by force every second', { skip: noCluster }, () => {
  const shop = new Deployed();
  let stable: Version;
  before(async () => {
    installDefinitions();
    stable = await shop.start(slow('app:v1'));
  });
  after(() => shop.end());

  const template = () => shop.read().spec.template;
  const isLocked = () => shop.read().metadata.annotations?.['haldane.dev/lock'] !== undefined;
  const image = () => template().spec.containers[0]?.image;

  test('while it waits the template is git’s, to the byte, and stable serves', async () => {
    const git = new GitLoop(shop, slow('app:v2'));
    git.start();
    await eventually('it waits', 20_000, () => shop.read().spec.paused === true);
    const waiting = JSON.stringify(template());
    for (let look = 0; look < 20; look += 1) {
      await shop.ask(stable);
      assert.equal(JSON.stringify(template()), waiting);
    }
    await git.end();
    assert.deepEqual(shop.images(), ['app:v1', 'app:v1', 'app:v1']);
    assert.deepEqual(git.refusals, []);
  });

  test('all through a promotion the template is git’s, to the byte; an abort in its midst is a bounded restore', async () => {
    const next = shop.declared();
    const waiting = JSON.stringify(template());
    const git = new GitLoop(shop, slow('app:v2'));
    git.start();
    await shop.untilAsked(next, 'it rolls', () => {
      assert.equal(JSON.stringify(template()), waiting);
      return isLocked() && shop.images().filter((each) => each === 'app:v2').length >= 2;
    });
    await shop.until(stable);
    await git.end();
    assert.deepEqual(shop.images(), ['app:v1', 'app:v1', 'app:v1']);
    assert.equal(JSON.stringify(template()), waiting, 'it waits as git wrote it');
    assert.ok(git.refusals.length > 0, 'git was refused while the restore went on');
    for (const refusal of git.refusals) assert.match(refusal, /haldane is (taking|promoting) a version of/);
  });

  test('after the restore its plain apply succeeds, of the same template and of the next', async () => {
    shop.gitApplies(slow('app:v2'));
    shop.gitApplies(slow('app:v3'));
    assert.equal(image(), 'app:v3');
    await shop.until(stable);
    assert.deepEqual(shop.images(), ['app:v1', 'app:v1', 'app:v1']);
  });

  test('a promotion under it ends with its template served, and nothing of its own is anybody else’s', async () => {
    const next = shop.declared();
    const waiting = JSON.stringify(template());
    const git = new GitLoop(shop, slow('app:v3'));
    git.start();
    await shop.until(next);
    await git.end();
    assert.equal(JSON.stringify(template()), waiting);
    assert.equal(templateRevision(template()), next.revision);
    assert.deepEqual(shop.images(), ['app:v3', 'app:v3', 'app:v3']);
    shop.gitApplies(slow('app:v3'));
    assert.equal(shop.read().spec.paused, undefined);
  });
});
