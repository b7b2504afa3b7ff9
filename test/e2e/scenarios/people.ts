// What people and their tools do in the middle of a release: they take it back, push another version, revert, write the
// Deployment again and again, or scale it.
import { canaryName, LABEL } from '../../../src/cluster/names.ts';
import { DEPLOYMENTS, SERVICES } from '../../../src/kubernetes/index.ts';
import { NotSo } from '../cluster.ts';
import type { Scenario } from '../scenario.ts';
import type { Stand } from '../stand.ts';
import { good, REPLICAS, STAGES } from '../world.ts';
import { servesOnly, waits } from './endings.ts';

async function takenBackByHand(stand: Stand, tag: string): Promise<void> {
  await stand.obeyed('abort');
  await stand.untilAborted(tag);
  await stand.untilStable('v1');
  await waits(stand, tag);
}

const abortAtEachStage: Scenario = {
  name: 'abort-stages',
  claim: 'a release is aborted at each of its stages',
  seconds: 240,
  act: async (stand) => {
    for (const [index, weight] of STAGES.entries()) {
      const version = good(index + 2);
      await stand.deploy(version);
      await stand.untilStage(version.tag, weight);
      await stand.wait(3_000);
      await takenBackByHand(stand, version.tag);
      await servesOnly(stand, 'v1');
    }
  },
};

const abortInPromotion: Scenario = {
  name: 'abort-promotion',
  claim: "a release is aborted in the middle of its promotion's rolling update",
  seconds: 180,
  act: async (stand) => {
    await stand.deploy(good(2));
    await stand.untilRolling('v2');
    const startedAt = performance.now();
    await takenBackByHand(stand, 'v2');
    stand.note('seconds until stable alone', Math.round((performance.now() - startedAt) / 1_000));
    await servesOnly(stand, 'v1');
    // A plain apply by whoever owns the template meets no conflict after the restore.
    await stand.deploy(good(3));
    await stand.untilStable('v3');
  },
};

const rollback: Scenario = {
  name: 'rollback',
  claim: 'a promoted version is rolled back by the template kept in its Release',
  seconds: 220,
  act: async (stand) => {
    await stand.deploy(good(2));
    await stand.untilStable('v2');
    await stand.obeyed('rollback');
    await stand.untilStable('v1');
    await servesOnly(stand, 'v1');
    await waits(stand, 'v2');
  },
};

const superseded: Scenario = {
  name: 'superseded',
  claim: 'another version supersedes the one under release at each stage; the last one is promoted',
  seconds: 240,
  act: async (stand) => {
    for (const [index, weight] of STAGES.entries()) {
      await stand.deploy(good(index + 2));
      await stand.untilStage(`v${index + 2}`, weight);
    }
    const last = STAGES.length + 2;
    await stand.deploy(good(last));
    await stand.untilStable(`v${last}`);
    await servesOnly(stand, `v${last}`);
  },
};

const supersededInPromotion: Scenario = {
  name: 'superseded-promotion',
  claim: 'a version pushed in the middle of a promotion is refused for so long, and released after it',
  seconds: 240,
  act: async (stand) => {
    await stand.deploy(good(2));
    await stand.untilRolling('v2');
    let refusals = 0;
    await stand.until('the third version is taken', 120_000, async () => {
      const isTaken = await stand.deploy(good(3)).then(
        () => true,
        () => false,
      );
      if (!isTaken) refusals += 1;
      return isTaken;
    });
    stand.note('times it was refused', refusals);
    await stand.untilStable('v3');
    await servesOnly(stand, 'v3');
  },
};

const reverted: Scenario = {
  name: 'reverted',
  claim: 'git reverts in the middle of a release: it ends, and nothing is held any more',
  seconds: 120,
  act: async (stand) => {
    await stand.deploy(good(2));
    await stand.untilStage('v2', 25);
    await stand.deploy(good(1));
    await stand.untilStable('v1');
    await servesOnly(stand, 'v1');
    await stand.until('nothing is held', 30_000, async () => (await stand.deployment())?.spec.paused !== true);
  },
};

const meddled: Scenario = {
  name: 'meddled',
  claim:
    'the Service gets another port and the canary loses its labels, and an abort takes everything back all the same',
  seconds: 120,
  act: async (stand) => {
    const { cluster, namespace } = stand;
    await stand.deploy(good(2));
    await stand.untilStage('v2', 25);
    const ports = [
      { name: 'http', port: 80, targetPort: 8080 },
      { name: 'metrics', port: 9100, targetPort: 9100 },
    ];
    await cluster.api.patch(SERVICES, { namespace, name: 'shop' }, { type: 'merge', body: { spec: { ports } } });
    const labels = { [LABEL.policy]: null, [LABEL.role]: null, [LABEL.revision]: null };
    const canary = { namespace, name: canaryName('shop') };
    await cluster.api.patch(DEPLOYMENTS, canary, { type: 'merge', body: { metadata: { labels } } });
    await stand.wait(3_000);
    await takenBackByHand(stand, 'v2');
    await servesOnly(stand, 'v1');
  },
};

/** Another field manager writes all it knows, by force, every second. */
async function writingOver(stand: Stand, act: () => Promise<void>): Promise<void> {
  let isOver = false;
  const counts = { writes: 0, refused: 0 };
  const loop = (async () => {
    while (!isOver) {
      await stand.deploy(good(2), { manager: 'delivery-tool', force: true }).then(
        () => {
          counts.writes += 1;
        },
        () => {
          counts.refused += 1;
        },
      );
      await stand.wait(1_000);
    }
  })();
  try {
    await act();
  } finally {
    isOver = true;
    await loop;
  }
  stand.note('forced writes', counts.writes);
  stand.note('refused while rolling', counts.refused);
}

const forcedLoop: Scenario = {
  name: 'forced-loop',
  claim: 'another field manager writes the Deployment by force every second, through an abort and a promotion',
  seconds: 240,
  act: async (stand) => {
    await writingOver(stand, async () => {
      await stand.untilStage('v2', 25);
      await takenBackByHand(stand, 'v2');
      await stand.obeyed('retry');
      await stand.untilStable('v2');
    });
    await stand.deploy(good(2), { manager: 'delivery-tool' });
    await servesOnly(stand, 'v2');
  },
};

const scaled: Scenario = {
  name: 'scaled',
  claim: 'what waits does not start when the Deployment is scaled while it is held; to 0 it is not let go',
  seconds: 170,
  act: async (stand) => {
    await stand.deploy(good(2));
    await stand.untilStage('v2', 25);
    await scale(stand, 0);
    const kept = (await stand.deployment())?.spec.replicas ?? 0;
    if (kept === 0) throw new NotSo('stable was scaled to nothing under a canary with weight');
    stand.note('replicas left when 0 was asked', kept);
    await takenBackByHand(stand, 'v2');
    await scale(stand, REPLICAS + 2);
    await stand.until('stable has the replicas asked', 60_000, async () => {
      const { status } = (await stand.deployment()) ?? {};
      return status?.readyReplicas === REPLICAS + 2;
    });
    await servesOnly(stand, 'v1');
  },
};

const scaledToNothing: Scenario = {
  name: 'scaled-to-nothing',
  claim: 'a Deployment scaled to 0 and back while a version is held starts stable again, not what was aborted',
  seconds: 150,
  users: { pace: 0 },
  act: async (stand) => {
    await stand.deploy(good(2));
    await stand.untilStage('v2', 5).catch(() => undefined);
    await takenBackByHand(stand, 'v2');
    await scale(stand, 0);
    await stand.until('nothing runs', 60_000, async () => (await stand.pods()).length === 0);
    await scale(stand, REPLICAS);
    await stand.until('it is back', 60_000, async () => {
      const { status } = (await stand.deployment()) ?? {};
      return status?.readyReplicas === REPLICAS;
    });
    await servesOnly(stand, 'v1');
  },
};

const breakGlass: Scenario = {
  name: 'break-glass',
  claim: 'past all testing: a version promoted without analysis in mid-release; while suspended a deploy just rolls',
  seconds: 200,
  act: async (stand) => {
    await stand.deploy(good(2));
    await stand.untilStage('v2', 5);
    await stand.obeyed('promote', { skipAnalysis: true });
    await stand.untilStable('v2');
    await stand.obeyed('suspend');
    await stand.deploy(good(3));
    await servesOnly(stand, 'v3');
    await stand.obeyed('unsuspend');
    await stand.untilStable('v3');
    await stand.deploy(good(4));
    await stand.untilStage('v4', 5);
    await stand.untilStable('v4');
    await servesOnly(stand, 'v4');
  },
};

async function scale(stand: Stand, replicas: number): Promise<void> {
  const at = { namespace: stand.namespace, name: 'shop' };
  const resource = { group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment', namespaced: true };
  await stand.cluster.api.patch(
    resource,
    at,
    { type: 'merge', body: { spec: { replicas } } },
    { subresource: 'scale' },
  );
}

/** What Haldane never does: stable loses its endpoints, and the canary its pods, under their traffic. */
const sabotage: Scenario = {
  name: 'sabotage',
  claim: "control: a canary at 25 % is deleted under its traffic, and users' Service selects nobody for two seconds",
  seconds: 90,
  mustLose: true,
  act: async (stand) => {
    const at = { namespace: stand.namespace, name: 'shop' };
    await stand.deploy(good(2));
    await stand.untilStage('v2', 25);
    const { api } = stand.cluster;
    const deployments = { group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment', namespaced: true };
    const pods = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };
    await api.delete(deployments, { ...at, name: 'shop-canary' });
    for (const pod of (await stand.pods()).filter(({ metadata }) => metadata.name.startsWith('shop-canary'))) {
      await api.delete(pods, { ...at, name: pod.metadata.name }, { gracePeriodSeconds: 0 });
    }
    await stand.wait(2_000);
    await api.patch(SERVICES, at, { type: 'merge', body: { spec: { selector: { app: 'nobody' } } } });
    await stand.wait(2_000);
    await api.patch(SERVICES, at, { type: 'merge', body: { spec: { selector: { app: 'shop' } } } });
    await stand.wait(3_000);
  },
};

export const PEOPLE: readonly Scenario[] = [
  abortAtEachStage,
  abortInPromotion,
  rollback,
  superseded,
  supersededInPromotion,
  reverted,
  forcedLoop,
  scaled,
  scaledToNothing,
  breakGlass,
  meddled,
];

export const CONTROL: readonly Scenario[] = [{ ...sabotage, isQuick: true }];
