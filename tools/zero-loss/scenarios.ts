// What is done to a service while its users go on asking. Each scenario ends where it began: one version serves
// everyone, and nothing is under way. The last one is sabotaged on purpose: a harness that cannot see a loss proves
// nothing.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src/core/statistics/index.ts';
import type { Stand } from '../../src/main/demo/stand.ts';
import { replicasOf } from '../../src/main/demo/take-down.ts';
import type { NewerProgram } from './newer-program.ts';

export interface Setting {
  readonly stand: Stand;
  readonly random: Random;
  readonly newer: NewerProgram;
  /** 1 for the full set, less for the quick one. */
  readonly scale: number;
}

export interface Scenario {
  readonly name: string;
  /** Of the full set: the scenario is repeated until it has lasted this long. */
  readonly leastSeconds: number;
  readonly mayLose: boolean;
  /** Does it once; what it says is counted up into the table ("changes", "kills"). */
  readonly act: (setting: Setting) => Promise<number>;
  /** What `act` counts. */
  readonly counts: string;
}

const CHANGES = 100;
const ENDED_WITHIN_MS = 120_000;
let versions = 0;

/** A version nobody has seen, as good as all others. */
function nextVersion(): { label: string; env: Record<string, string> } {
  versions += 1;
  return { label: `v${versions}`, env: { SEED: String(versions), BASE_ERRORS: '0.002' } };
}

export async function firstVersion(stand: Stand): Promise<void> {
  const version = nextVersion();
  await stand.apply(version);
  await stand.untilEnded(version.label, ENDED_WITHIN_MS);
}

const quiet: Scenario = {
  name: 'nothing happens',
  leastSeconds: 10,
  mayLose: false,
  counts: 'looks',
  act: async ({ scale }) => {
    await sleep(10_000 * scale);
    return 1;
  },
};

const weightChanges: Scenario = {
  name: 'weight changes',
  leastSeconds: 0,
  mayLose: false,
  counts: 'changes',
  act: async ({ stand, scale }) => {
    const changes = Math.round(CHANGES * Math.min(1, 2 * scale));
    const stages = Array.from({ length: changes }, (_, index) => ({
      weight: Number((((index + 1) * 95) / changes).toFixed(2)),
      bake: '100ms',
    }));
    const version = nextVersion();
    await stand.apply(version, [[['stages'], stages]]);
    await stand.untilEnded(version.label, ENDED_WITHIN_MS);
    return changes;
  },
};

const promotion: Scenario = {
  name: 'a version is promoted, the one before drains and ends',
  leastSeconds: 30,
  mayLose: false,
  counts: 'promotions',
  act: async ({ stand }) => {
    const version = nextVersion();
    await stand.apply(version);
    await stand.untilEnded(version.label, ENDED_WITHIN_MS);
    await untilAlone(stand);
    return 1;
  },
};

const abort: Scenario = {
  name: 'a version at half the traffic is aborted, drains and ends',
  leastSeconds: 30,
  mayLose: false,
  counts: 'aborts',
  act: async ({ stand }) => {
    const version = nextVersion();
    await stand.apply(version, [[['stages'], [{ weight: 50, bake: '30s' }]]]);
    await stand.until((view) => view.release?.to === version.label && view.release.weightPercent === 50, 60_000);
    await sleep(1_000);
    await stand.command('abort', 'the scenario says so');
    await stand.untilEnded(version.label, ENDED_WITHIN_MS);
    await untilAlone(stand);
    return 1;
  },
};

/** One release, promoted or aborted, while the agent is killed again and again. */
const agentKilled: Scenario = {
  name: 'the agent is killed (SIGKILL) and started again, in the middle of promotions and aborts',
  leastSeconds: 60,
  mayLose: false,
  counts: 'kills',
  act: async ({ stand, random }) => {
    const version = nextVersion();
    const isAborted = random.uniform() < 0.5;
    let kills = 0;
    let isOver = false;
    const release = (async () => {
      await stand.apply(version, isAborted ? [[['stages'], [{ weight: 50, bake: '20s' }]]] : []);
      if (isAborted) {
        await stand.until((view) => view.release?.to === version.label && view.release.weightPercent === 50, 60_000);
        await stand.command('abort', 'the scenario says so');
      }
      await stand.untilEnded(version.label, ENDED_WITHIN_MS);
    })().finally(() => {
      isOver = true;
    });
    release.catch(() => undefined);
    while (!isOver) {
      await sleep(200 + 1_600 * random.uniform());
      if (isOver) break;
      await stand.killAgent();
      kills += 1;
      await sleep(500 * random.uniform());
      await stand.startAgent();
    }
    await release;
    return kills;
  },
};

const gatewayReplaced: Scenario = {
  name: 'the gateway program is replaced by a newer one',
  leastSeconds: 20,
  mayLose: false,
  counts: 'takeovers',
  act: async ({ stand, newer }) => {
    const before = stand.gatewayPids();
    await stand.stopAgent();
    await stand.startAgent(await newer.next());
    // The agent looks at the gateway as soon as it acts on the split.
    const version = nextVersion();
    await stand.apply(version);
    await stand.untilEnded(version.label, ENDED_WITHIN_MS);
    for (let waits = 0; stand.gatewayPids().some((pid) => before.includes(pid)); waits++) {
      if (waits > 400) throw new Error('the gateway before still runs: it was not replaced');
      await sleep(100);
    }
    return 1;
  },
};

/** The order that Haldane never takes: the version is killed first, and its traffic is taken away afterwards. */
const sabotage: Scenario = {
  name: 'sabotaged control: a version at half the traffic is killed before it is drained',
  leastSeconds: 0,
  mayLose: true,
  counts: 'kills',
  act: async ({ stand }) => {
    const stable = new Set(replicasOf(stand.stateDir).map(({ pid }) => pid));
    const version = nextVersion();
    await stand.apply(version, [[['stages'], [{ weight: 50, bake: '30s' }]]]);
    await stand.until((view) => view.release?.to === version.label && view.release.weightPercent === 50, 60_000);
    await sleep(1_000);
    const doomed = replicasOf(stand.stateDir).filter(({ pid }) => !stable.has(pid));
    for (const { pid } of doomed) process.kill(pid, 'SIGKILL');
    await stand.command('abort', 'the scenario says so');
    await stand.untilEnded(version.label, ENDED_WITHIN_MS);
    await untilAlone(stand);
    return doomed.length;
  },
};

async function untilAlone(stand: Stand): Promise<void> {
  await stand.until((view) => view.versions.length === 1, 60_000);
}

export const SCENARIOS: readonly Scenario[] = [
  quiet,
  weightChanges,
  promotion,
  abort,
  agentKilled,
  gatewayReplaced,
  sabotage,
];
