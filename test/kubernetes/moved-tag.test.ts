/** A tag that means other images than were analysed, on a real cluster. It needs a command that moves the tags of app. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import type { Version } from '../../src/core/model/version.ts';
import { noCluster } from './cluster.ts';
import { Deployed } from './deployed.ts';
import { installDefinitions } from './installed.ts';

const MOVE_TAGS = process.env.HALDANE_E2E_MOVE_TAGS;
const noTags = noCluster || (MOVE_TAGS === undefined ? 'HALDANE_E2E_MOVE_TAGS is no command that moves tags' : false);

describe('a tag that is moved after its analysis, on a real cluster', { skip: noTags }, () => {
  const shop = new Deployed();
  let stable: Version;
  before(async () => {
    installDefinitions();
    stable = await shop.start();
  });
  after(() => shop.end());

  test('I4: the roll stops and says which; stable goes on, and gets its place back', async () => {
    const next = shop.setImage('app:v2');
    await shop.heard();
    await shop.tryOut(next, 1);
    await shop.untilReady(next);
    execFileSync('sh', ['-c', MOVE_TAGS ?? 'false']);
    await shop.untilAsked(next, 'it is stopped', async () =>
      /the tag of app moved: analysed was [0-9a-f]{12}, started is [0-9a-f]{12}/.test(
        (await shop.place()).trouble ?? '',
      ),
    );
    for (let again = 0; again < 10; again += 1) await shop.ask(next);
    assert.equal((await shop.place()).serving, stable.revision);
    assert.ok(shop.images().includes('app:v1'));
    await shop.until(stable);
    assert.deepEqual(shop.images(), ['app:v1', 'app:v1', 'app:v1']);
  });
});
