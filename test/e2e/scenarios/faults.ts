// What breaks around a release: the controller, the API server, Prometheus, the data plane, or the policy itself is taken
// away. Users miss nothing, and the release ends as it should.
import { NotSo } from '../cluster.ts';
import { PROMETHEUS, prometheusMetrics } from '../routers.ts';
import type { Scenario } from '../scenario.ts';
import type { Stand } from '../stand.ts';
import { failing, good } from '../world.ts';
import { servesOnly, waits } from './endings.ts';

/** The interval of the scenarios' policy. */
const TICK_SECONDS = 5;
/** Until proxies of a Service have begun their watches anew. */
const LATE_MS = 40_000;

const killed: Scenario = {
  name: 'killed',
  claim: 'the controller is killed (SIGKILL) at random while a version is promoted and another is taken back',
  seconds: 300,
  act: async (stand) => {
    const kills = await killingAtRandom(stand, async () => {
      await stand.deploy(good(2));
      await stand.untilStable('v2', 300_000);
      await stand.deploy(failing(3, 0.03));
      await stand.untilAborted('v3', 300_000);
      await stand.untilStable('v2');
    });
    stand.note('kills', kills);
    await waits(stand, 'v3');
    await servesOnly(stand, 'v2');
  },
};

async function killingAtRandom(stand: Stand, act: () => Promise<void>): Promise<number> {
  let [kills, isOver] = [0, false];
  const loop = (async () => {
    while (!isOver) {
      // Long enough for its successor to wait for the lease, and to lead for a while.
      await stand.wait(20_000 + 25_000 * Math.random());
      if (isOver) return;
      const [operator] = stand.operators;
      if (operator === undefined) continue;
      await stand.kill(operator);
      kills += 1;
      await stand.wait(3_000 * Math.random());
      await stand.startOperator();
    }
  })();
  try {
    await act();
  } finally {
    isOver = true;
    await loop;
  }
  return kills;
}

const failover: Scenario = {
  name: 'failover',
  claim:
    'the leader stands still (SIGSTOP) in mid-release, another goes on, and the first writes nothing when it wakes up',
  seconds: 220,
  act: async (stand) => {
    const [first] = stand.operators;
    const second = await stand.startOperator();
    await stand.deploy(good(2));
    await stand.untilStage('v2', 5);
    first?.freeze();
    const startedAt = performance.now();
    await stand.until('the second leads', 90_000, async () => /^haldane_leader 1$/m.test(await second.metrics()));
    stand.note('seconds without a leader', Math.round((performance.now() - startedAt) / 1_000));
    await stand.untilStage('v2', 50);
    first?.thaw();
    await stand.untilStable('v2');
    await servesOnly(stand, 'v2');
  },
};

const apiServer: Scenario = {
  name: 'api-server',
  claim:
    'the API server is down for two minutes; an abort that is asked for meanwhile is done within a tick of its return',
  seconds: 250,
  needs: () => ({ fault: 'hold', part: 'kube-apiserver' }),
  act: async (stand) => {
    // Two, as they are installed: whichever has the lease in the end goes on, and the other may end.
    const [first] = stand.operators;
    await stand.startOperator();
    await stand.deploy(good(2));
    await stand.untilStage('v2', 25);
    await stand.wait(2_000);
    first?.mayEnd();
    await stand.hooks.break('hold', 'kube-apiserver');
    // Asked again and again, as a person would, until the API server takes it.
    const asking = stand.until('the abort is taken', 300_000, async () => stand.ask('abort'));
    await stand.wait(stand.isQuick ? 30_000 : 120_000);
    await stand.hooks.mend('kube-apiserver');
    stand.unsureFor(LATE_MS);
    await stand.until('the API server answers', 60_000, async () => (await stand.deployment()) !== null);
    const backAt = performance.now();
    const since = (fromMs: number) => Number(((performance.now() - fromMs) / 1_000).toFixed(1));
    const seconds = () => since(backAt);
    await asking;
    const askedAt = performance.now();
    stand.note('seconds from its return until it took the command', seconds());
    await stand.until('all is asked of stable', 60_000, async () => (await stand.isAllOnStable()).isAsked);
    stand.note('seconds from then until all was asked of stable', since(askedAt));
    if (since(askedAt) > TICK_SECONDS) throw new NotSo(`the abort took ${since(askedAt)} s, more than a tick`);
    await stand.until('the data plane does so', 180_000, async () => (await stand.isAllOnStable()).isObeyed);
    stand.note('seconds from its return until the data plane goes by it', seconds());
    await stand.untilAborted('v2');
    await stand.untilStable('v1');
    await waits(stand, 'v2');
    // And after that nobody meets the canary.
    await stand.wait(LATE_MS);
  },
};

const prometheus: Scenario = {
  name: 'prometheus',
  claim:
    'Prometheus does not answer for five minutes: no weight rises, nothing is promoted or aborted, then it goes on',
  seconds: 460,
  needs: () => (PROMETHEUS === null ? 'prometheus' : { fault: 'freeze', part: 'prometheus' }),
  prepare: (stand) => stand.governed({ spec: { metrics: prometheusMetrics() } }),
  act: async (stand) => {
    await stand.deploy(good(2));
    await stand.untilStage('v2', 5);
    await stand.hooks.break('freeze', 'prometheus');
    await stand.wait(10_000);
    const before = (await stand.status()).weight;
    await stand.wait(stand.isQuick ? 60_000 : 290_000);
    const { weight: after, phase } = await stand.status();
    if (after !== before || phase !== 'testing') {
      throw new NotSo(`without measurements it went from ${before} to ${after}, ${phase}`);
    }
    await stand.hooks.mend('prometheus');
    await stand.untilStable('v2', 300_000);
    await servesOnly(stand, 'v2');
  },
};

const dataPlane: Scenario = {
  name: 'data-plane',
  claim: 'the data plane stands still: nothing is promoted, aborted or removed; then it goes on, and all are answered',
  seconds: 200,
  users: { patienceMs: 60_000, pace: 0.25 },
  needs: ({ dataPlane: part }) =>
    part === null ? { missing: 'a Service has no data plane that stands apart' } : { fault: 'freeze', part },
  act: async (stand) => {
    await stand.deploy(good(2));
    await stand.untilStage('v2', 25);
    await stand.wait(2_000);
    const part = stand.router.dataPlane ?? '';
    await stand.hooks.break('freeze', part);
    await stand.wait(30_000);
    const { phase } = await stand.status();
    const canary = await stand.deployment('shop-canary');
    if (phase !== 'testing' || canary === null) throw new NotSo(`behind a frozen data plane it went on to ${phase}`);
    await stand.hooks.mend(part);
    await stand.untilStable('v2', 300_000);
    await servesOnly(stand, 'v2');
  },
};

const policyDeleted: Scenario = {
  name: 'policy-deleted',
  claim: 'the policy is deleted in mid-release: stable serves everyone, and the next ordinary deploy rolls',
  seconds: 150,
  act: async (stand) => {
    await stand.deploy(good(2));
    await stand.untilStage('v2', 50);
    await stand.deletePolicy();
    await stand.untilGone();
    await servesOnly(stand, 'v1');
    await rolls(stand);
  },
};

const uninstalled: Scenario = {
  name: 'uninstalled',
  claim: 'Haldane is uninstalled in mid-release by its hook: it gives back, goes, and the next ordinary deploy rolls',
  seconds: 150,
  act: async (stand) => {
    await stand.deploy(good(2));
    await stand.untilStage('v2', 25);
    const said = await stand.handBackAll();
    stand.note('said', said);
    for (const operator of [...stand.operators]) {
      await operator.stop();
      stand.operators.splice(stand.operators.indexOf(operator), 1);
    }
    await servesOnly(stand, 'v1');
    await rolls(stand);
  },
};

async function rolls(stand: Stand): Promise<void> {
  await stand.deploy(good(3));
  await stand.until('the next ordinary deploy rolls', 90_000, async () => {
    const { status, spec } = (await stand.deployment()) ?? {};
    return spec?.paused !== true && status?.updatedReplicas === spec?.replicas && status?.replicas === spec?.replicas;
  });
  await servesOnly(stand, 'v3');
}

export const FAULTS: readonly Scenario[] = [
  killed,
  failover,
  apiServer,
  prometheus,
  dataPlane,
  policyDeleted,
  uninstalled,
];
