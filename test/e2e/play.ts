// Plays one scenario and judges it: what its own claim says, and what holds for all of them. It refuses to call a run good
// in which users were not there.
import { mkdir } from 'node:fs/promises';
import { describeError } from '../../src/lib/errors.ts';
import type { Cluster } from './cluster.ts';
import type { Hooks } from './hooks.ts';
import { type Slice, totalOf } from './load/account.ts';
import { PROMETHEUS, type RouterUnderTest } from './routers.ts';
import type { Scenario } from './scenario.ts';
import { Stand } from './stand.ts';
import { plateausOf, type Seen, seenOn, weightFaults } from './weights/plateaus.ts';

export interface Result {
  readonly scenario: string;
  readonly router: string;
  readonly claim: string;
  readonly commit: string;
  readonly date: string;
  /** Why it was not played; null if it was. */
  readonly skipped: string | null;
  readonly faults: readonly string[];
  readonly seconds: number;
  readonly mustLose: boolean;
  readonly users: readonly UsersResult[];
  readonly plateaus: readonly Seen[];
  readonly facts: Readonly<Record<string, string | number>>;
}

export interface UsersResult {
  readonly connections: string;
  readonly sent: number;
  readonly answered: number;
  readonly bad: number;
  readonly lost: number;
  readonly causes: Readonly<Record<string, number>>;
  readonly firstLost: number | null;
  readonly lastLost: number | null;
}

export interface Setting {
  readonly cluster: Cluster;
  readonly router: RouterUnderTest;
  readonly hooks: Hooks;
  readonly commit: string;
  readonly folder: string;
  readonly isQuick: boolean;
}

export async function play(scenario: Scenario, setting: Setting): Promise<Result> {
  const skipped = whyNot(scenario, setting);
  if (skipped !== null) return resultOf(scenario, setting, { skipped });
  const { cluster, router, hooks, isQuick } = setting;
  const folder = `${setting.folder}/${scenario.name}`;
  await mkdir(folder, { recursive: true });
  const namespace = `e2e-${router.name}-${scenario.name}`.slice(0, 60);
  const stand = new Stand({ cluster, router, namespace, folder, hooks, isQuick });
  const startedAt = performance.now();
  const faults: string[] = [];
  let accounts: ReadonlyMap<string, readonly Slice[]> = new Map();
  try {
    await (scenario.prepare?.(stand) ?? stand.governed());
    await stand.startUsers(scenario.users);
    await scenario.act(stand);
    await stand.wait(3_000);
  } catch (error) {
    faults.push(describeError(error));
  }
  try {
    await hooks.mendAll();
    accounts = await stand.stopUsers();
    faults.push(...stand.operators.flatMap(({ ended }) => ended ?? []));
    faults.push(...(await leftovers(stand)));
  } catch (error) {
    faults.push(describeError(error));
  }
  await stand.close().catch((error: unknown) => faults.push(`it could not be cleaned up: ${describeError(error)}`));
  const plateaus = plateausSeen(stand, accounts);
  const users = [...accounts].map(([connections, slices]) => ({ connections, ...totalOf(slices) }));
  faults.push(...usersFaults(scenario, users), ...(scenario.mustLose === true ? [] : weightFaults(plateaus)));
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  return resultOf(scenario, setting, { faults, seconds, users, plateaus, facts: stand.facts });
}

function resultOf(scenario: Scenario, { router, commit }: Setting, parts: Partial<Result>): Result {
  return {
    scenario: scenario.name,
    router: router.name,
    claim: scenario.claim,
    commit,
    date: new Date().toISOString().slice(0, 10),
    skipped: null,
    faults: [],
    seconds: 0,
    mustLose: scenario.mustLose === true,
    users: [],
    plateaus: [],
    facts: {},
    ...parts,
  };
}

function whyNot({ needs }: Scenario, { router, hooks }: Setting): string | null {
  const need = needs?.(router) ?? null;
  if (need === null) return null;
  if (need === 'prometheus') return PROMETHEUS === null ? 'HALDANE_E2E_PROMETHEUS is not set' : null;
  if ('missing' in need) return need.missing;
  return hooks.isThere ? null : `HALDANE_E2E_HOOKS is not set: nothing can ${need.fault} ${need.part}`;
}

function plateausSeen(stand: Stand, accounts: ReadonlyMap<string, readonly Slice[]>): readonly Seen[] {
  const plateaus = plateausOf(stand.looks);
  const { connectionsOnly, settleMs } = stand.router;
  return [...accounts.values()].flatMap((slices) => seenOn(plateaus, slices, { connectionsOnly, settleMs }));
}

function usersFaults({ mustLose, users: wish }: Scenario, users: readonly UsersResult[]): string[] {
  const lost = users.reduce((sum, each) => sum + each.lost, 0);
  const answered = users.reduce((sum, each) => sum + each.answered, 0);
  const causes = users.map(({ connections, causes: own }) => `${connections} ${JSON.stringify(own)}`).join(', ');
  if (wish?.pace === 0) return [];
  if (answered === 0) return ['no user was ever answered'];
  if (mustLose === true) return lost > 0 ? [] : ['the control lost nothing: the harness cannot see a loss'];
  if (lost === 0) return [];
  const at = (second: number) => new Date(second * 1_000).toISOString().slice(11, 19);
  const first = Math.min(...users.flatMap(({ firstLost }) => firstLost ?? []));
  const last = Math.max(...users.flatMap(({ lastLost }) => lastLost ?? []));
  return [`${lost} requests were lost, from ${at(first)} to ${at(last)}: ${causes}`];
}

/** What should never be there in the end, whatever was done. */
async function leftovers(stand: Stand): Promise<string[]> {
  const faults: string[] = [];
  const deployment = await stand.deployment();
  if (deployment === null) return ['the Deployment is gone'];
  if ((deployment.metadata.ownerReferences ?? []).length > 0) faults.push('the Deployment is owned by something');
  if (deployment.metadata.annotations?.['haldane.dev/lock'] !== undefined)
    faults.push('the Deployment is still locked');
  return faults;
}
