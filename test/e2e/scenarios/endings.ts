// How releases end by themselves: good versions are promoted, bad ones are taken back, and nobody misses an answer.
import { NotSo } from '../cluster.ts';
import type { Scenario } from '../scenario.ts';
import type { Stand } from '../stand.ts';
import { crashing, failing, good, missing, slow, type Version } from '../world.ts';

const promoted: Scenario = {
  name: 'good',
  claim: 'a good version is promoted',
  seconds: 150,
  isQuick: true,
  act: async (stand) => {
    const startedAt = performance.now();
    await stand.deploy(good(2));
    await stand.untilStable('v2');
    stand.note('seconds to promote', Math.round((performance.now() - startedAt) / 1_000));
    await servesOnly(stand, 'v2');
  },
};

/** A version that is taken back by itself; the template goes on waiting, and stable serves. */
function takenBack(name: string, claim: string, version: Version, more: Partial<Scenario> = {}): Scenario {
  return {
    name,
    claim,
    seconds: 130,
    ...more,
    act: async (stand) => {
      const startedAt = performance.now();
      await stand.deploy(version);
      const sentence = await stand.untilAborted(version.tag);
      stand.note('seconds to take back', Math.round((performance.now() - startedAt) / 1_000));
      stand.note('sentence', sentence);
      await stand.untilStable('v1');
      await waits(stand, version.tag);
      await servesOnly(stand, 'v1');
      await stand.until('what a report draws is kept', 10_000, async () => (await stand.evidence(version.tag)) > 0);
    },
  };
}

const adoption: Scenario = {
  name: 'adoption',
  claim: 'a live Deployment with its Service (and route) is taken up, releases, and is given back, under load',
  seconds: 170,
  prepare: (stand) => stand.plain(true),
  act: async (stand) => {
    await stand.startOperator();
    await stand.applyPolicy({ mode: 'adopted' });
    await stand.untilStable('v1', 60_000);
    await stand.deploy(good(2));
    await stand.untilStable('v2');
    await stand.deletePolicy();
    await stand.untilGone();
    await servesOnly(stand, 'v2');
    await stand.deploy(good(3));
    await stand.until('the next ordinary deploy rolls', 90_000, async () => {
      const { status, spec } = (await stand.deployment()) ?? {};
      return spec?.paused !== true && status?.updatedReplicas === 3 && status.replicas === 3;
    });
  },
};

const firstVersion: Scenario = {
  name: 'first-version',
  claim: 'a Deployment that is created after its policy serves at once as it is; its next version is released',
  seconds: 170,
  prepare: async (stand) => {
    await stand.ground();
    await stand.startOperator();
    await stand.applyPolicy();
    await stand.until('the policy says what is missing', 30_000, async () => {
      const { conditions = [] } = await stand.status();
      return conditions.some(({ status, message }) => status === 'True' && message.includes('there is no Deployment'));
    });
    const startedAt = performance.now();
    await stand.deploy(good(1));
    await stand.untilStable('v1', 60_000);
    stand.note('seconds until the first version was stable', Math.round((performance.now() - startedAt) / 1_000));
    await stand.until('it is not paused', 5_000, async () => (await stand.deployment())?.spec.paused !== true);
  },
  act: async (stand) => {
    await stand.deploy(good(2));
    await stand.untilStable('v2');
    await servesOnly(stand, 'v2');
  },
};

/** Only that version's pods serve, and the Deployment is not in anybody's hands. */
export async function servesOnly(stand: Stand, tag: string): Promise<void> {
  await stand.until(`only ${tag} serves`, 60_000, async () => {
    const serving = (await stand.pods()).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    return serving.length > 0 && serving.every((pod) => pod.spec.containers[0]?.image.endsWith(`:${tag}`));
  });
}

/** The template of its team is where its team put it, and waits. */
export async function waits(stand: Stand, tag: string): Promise<void> {
  const found = await stand.deployment();
  const image = found?.spec.template.spec.containers[0]?.image ?? '';
  if (!image.endsWith(`:${tag}`)) throw new NotSo(`the template in place is ${image}, not the team's ${tag}`);
  if (found?.spec.paused !== true) throw new NotSo(`${tag} was taken back, and its template is not held`);
}

export const ENDINGS: readonly Scenario[] = [
  promoted,
  takenBack('errors', 'a version with 2 % errors is taken back', failing(2, 0.02), { isQuick: true }),
  takenBack('slow', 'a version whose p99 is more than twice as long is taken back', slow(2)),
  takenBack('crash-loop', 'a version that ends at once is taken back, and no user meets it', crashing(2)),
  takenBack('no-image', 'a version whose image does not exist is taken back, and no user meets it', missing()),
  adoption,
  firstVersion,
];
