import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  buildReport,
  evidencePicture,
  grownTrace,
  keptTrace,
  outcomeSentence,
  type ReleaseLine,
  type ReleaseReport,
  readTrace,
  reportHtml,
  reportMarkdown,
  terminalPicture,
  watchLines,
  weightPicture,
} from '../../src/core/views/index.ts';
import { reportSchema } from '../../src/server/report-schema.ts';
import type { World } from '../engine/world.ts';
import { assertGolden } from '../golden.ts';
import { inputOf, samples, sampleWorld } from './samples.ts';

function reportFor(run: (world: World) => boolean, errorRate: number): ReleaseReport {
  const world = sampleWorld();
  world.behaviour.set('rev-v2', { errorRate });
  let kept = keptTrace([], 1_000);
  while (!run(world)) {
    world.step();
    const { release } = world.state;
    if (release?.number !== 2) continue;
    kept = grownTrace(kept, release, { atMs: release.elapsed.releaseMs, most: 1_000 }) ?? kept;
  }
  const trace = kept.points;
  const { release } = world.state;
  assert.ok(release !== null);
  const { log } = inputOf(world);
  return buildReport({ release, log, trace, now: new Date(world.nowMs).toISOString(), haldane: '0.0.0', changes: [] });
}

const aborted = reportFor((world) => world.outcome?.kind === 'aborted', 0.04);
const promoted = reportFor((world) => world.state.stable?.label === 'v2', 0.001);

describe('the report of a release', () => {
  it('is drawn as kept in test/golden, as a page, as Markdown and as data', () => {
    assertGolden('report/aborted.html', reportHtml(aborted));
    assertGolden('report/aborted.md', reportMarkdown(aborted));
    assertGolden('report/promoted.html', reportHtml(promoted));
    assertGolden('report/promoted.md', reportMarkdown(promoted));
  });

  it('is JSON of the published schema, field by field', () => {
    for (const report of [aborted, promoted]) reportSchema.parse(JSON.parse(JSON.stringify(report)));
  });

  it('begins with the verdict and its numbers', () => {
    assert.match(
      aborted.sentence,
      /^v2 aborted at 1 % after .*: errors \+\d+.* pp, 95 % bounds \+.* … \+.*, tolerance 0\.50 pp\.$/,
    );
    assert.match(promoted.sentence, /^v2 promoted after .*: errors /);
    assert.match(aborted.exposed.sentence, /requests met v2 in .*; \d+ of them were bad, about \d+ more than stable/);
  });

  it('says the share that users met where it was more than was asked, as with replica share', () => {
    const view = samples().find(({ name }) => name === 'aborted')?.view;
    assert.ok(view?.release != null);
    const at = (canaryRequests: number, stableRequests: number, highestWeightPercent = 10) => {
      const exposure = { ...view.release?.exposure, canaryRequests, stableRequests } as ReleaseLine['exposure'];
      const line = { ...(view.release as ReleaseLine), highestWeightPercent, exposure };
      return /aborted at (.*?) after/.exec(outcomeSentence(line, view.evidence))?.[1];
    };
    assert.equal(at(251, 749), '10 % (25 % seen)');
    assert.equal(at(110, 890), '10 %', 'chance is not told');
    assert.equal(at(60, 940), '10 %', 'less than asked: the stages before asked for less');
    assert.equal(at(10, 20), '10 %', 'too few to say');
    assert.equal(at(700, 300, 100), '100 %');
  });

  it('asks nobody for anything and runs nothing, whatever versions are called', () => {
    const evil = '<script src=//x>"\'&</script>';
    const page = reportHtml({ ...aborted, policy: evil, sentence: evil, release: { ...aborted.release, to: evil } });
    const tags = page.match(/<[a-z][^>]*>/g) ?? [];
    for (const tag of tags) assert.ok(!/^<(?:script|img|link|iframe|object|form)|\s(?:src|href|on\w+)=/.test(tag), tag);
    assert.match(page, /default-src 'none'/);
    assert.ok(!/(?<!\\)<img/.test(reportMarkdown({ ...aborted, sentence: '<img src=x> | [a](b)' })));
  });

  it('names every picture for readers of the screen and puts a table beside it', () => {
    const page = reportHtml(promoted);
    const pictures = page.match(/<svg /g)?.length ?? 0;
    assert.equal(page.match(/role="img"/g)?.length, pictures);
    assert.equal(page.match(/<title id=/g)?.length, pictures);
    assert.match(page, /The same as a table/);
  });
});

describe('pictures', () => {
  it('mark the moment a verdict fell, and draw nothing where nothing was counted', () => {
    const [line] = aborted.evidence;
    assert.ok(line !== undefined);
    const drawn = evidencePicture({ id: 'a', line, trace: aborted.trace, spanMs: 60_000, decidedMs: 30_000 });
    assert.match(drawn, /✖/);
    assert.match(evidencePicture({ id: 'a', line, trace: [], spanMs: 0, decidedMs: null }), /nothing was counted/);
  });

  it('never hold a number that is none', () => {
    for (const trace of [aborted.trace, promoted.trace, []]) {
      const weights = weightPicture({ id: 'w', stable: 'v1', canary: 'v2', spanMs: 0, weights: [], trace, events: [] });
      assert.ok(!/NaN|Infinity|undefined/.test(weights), weights);
      for (const line of promoted.evidence) {
        const drawn = evidencePicture({ id: 'e', line, trace, spanMs: 1, decidedMs: null });
        assert.ok(!/NaN|Infinity|undefined/.test(drawn), drawn);
      }
    }
  });

  it('of the terminal show the very text of the terminal', () => {
    const [sample] = samples();
    assert.ok(sample !== undefined);
    const lines = watchLines(sample.view, { columns: 100, offsetMinutes: 0 });
    assert.match(terminalPicture(lines, 'watch'), />25 % on v2\. Errors pass/);
  });
});

describe('evidence over time', () => {
  it('is thinned to what there is room for, and keeps its newest point', () => {
    const { points, stride } = keptTrace(promoted.trace, 10);
    assert.ok(points.length > 4 && points.length <= 10, `${points.length}`);
    assert.ok(stride > 1);
    assert.deepEqual(points.at(-1), promoted.trace.at(-1));
  });

  it('has an end in memory however long a release takes, and still a point of its first and last windows', () => {
    const world = sampleWorld();
    let kept = keptTrace([], 12);
    while (world.state.stable?.label !== 'v2') {
      world.step();
      const { release } = world.state;
      if (release?.number !== 2) continue;
      kept = grownTrace(kept, release, { atMs: release.elapsed.releaseMs, most: 12 }) ?? kept;
      assert.ok(kept.points.length <= 12);
    }
    assert.equal(kept.points[0]?.canaryRequests, 0);
    assert.equal(kept.points.at(-1)?.canaryRequests, world.state.release?.exposure.canaryRequests);
  });

  it('is read from what another program wrote, as far as it is evidence', () => {
    const [point] = promoted.trace;
    assert.deepEqual(readTrace(JSON.stringify([point, 7, null, { atMs: 'soon' }])), [point]);
    for (const text of [undefined, '', '{', '{}', 'null']) assert.deepEqual(readTrace(text), []);
  });
});
