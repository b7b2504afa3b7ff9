// One run: a version that stable is, then a new one with the drawn harm, released by the agent as any other. The users
// never stop; the same agent and gateway serve all runs.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReleaseView } from '../../src/core/views/index.ts';
import type { Stand } from '../../src/main/demo/stand.ts';
import type { UsersProcess } from '../../src/main/demo/users-process.ts';
import { type Draw, drawRun, type Tolerances, truthOf } from './draw.ts';
import type { Row } from './row.ts';

/** As in policy.yaml, which is the one the agent reads. */
export const TOLERANCES: Tolerances = {
  errors: { ratio: 1.1, margin: 0.005 },
  latency: { ratio: 1.2, margin: 0.01 },
};

/** A verdict after this is too late: a harmful version counts as missed, a healthy one as not promoted. */
export const IN_TIME_MS = 120_000;
/** Stable serves for a while before anything is released: its past says what slow is. */
const SETTLE_MS = 8_000;
const ENDED_WITHIN_MS = 60_000;

export interface Place {
  readonly stand: Stand;
  readonly users: UsersProcess;
}

export async function runOnce({ stand, users }: Place, seed: string, run: number): Promise<Row> {
  const draw = drawRun(seed, run);
  const truth = truthOf(draw, TOLERANCES);
  await becomeStable(stand, draw);
  users.setRate(draw.requestsPerSecond);
  await sleep(SETTLE_MS);
  const label = `c${run}`;
  await stand.apply({ label, env: { ...environment(draw, 'new'), ...faultsOf(draw) } });
  const view = await untilDecided(stand, label);
  const report = await stand.report(view.release?.id ?? '');
  const outcome = report.release.outcome;
  const isLate = outcome?.by === 'person';
  const blamed = report.evidence.find((line) => line.check === (outcome?.check ?? 'errors'));
  return {
    draw,
    truth,
    ended: isLate ? 'undecided' : (outcome?.kind ?? 'undecided'),
    by: isLate ? null : (outcome?.by ?? null),
    check: outcome?.check ?? null,
    seconds: report.exposed.ms / 1_000,
    exposed: { requests: report.exposed.requests, bad: blamed?.canary.bad ?? 0 },
    sentence: outcome?.sentence ?? '',
  };
}

/** The version with the drawn truths of stable goes in without analysis: it is what is compared with, not what is asked. */
async function becomeStable(stand: Stand, draw: Draw): Promise<void> {
  const label = `s${draw.run}`;
  await stand.apply({ label, env: environment(draw, 'stable') });
  const view = await stand.until(({ release }) => release?.to === label, ENDED_WITHIN_MS);
  if (view.release?.from != null && view.release.phase !== 'ended') {
    await stand.command('promote', 'the next run starts here', { skipAnalysis: true });
  }
  await stand.untilEnded(label, ENDED_WITHIN_MS);
}

async function untilDecided(stand: Stand, label: string): Promise<ReleaseView> {
  const startedAt = performance.now();
  const isOver = ({ release }: ReleaseView) => release?.to === label && release.phase === 'ended';
  const view = await stand.until(
    (each) => isOver(each) || performance.now() - startedAt > IN_TIME_MS,
    IN_TIME_MS + 30_000,
  );
  if (isOver(view)) return view;
  await stand.command('abort', 'no verdict in time').catch(() => undefined);
  return stand.untilEnded(label, ENDED_WITHIN_MS);
}

function environment(draw: Draw, arm: 'stable' | 'new'): Record<string, string> {
  return {
    SEED: `${draw.seed}/${arm}`,
    BASE_ERRORS: String(draw.baseErrors),
    LATENCY_SPREAD: String(draw.latencySpread),
  };
}

function faultsOf({ harm, baseErrors }: Draw): Record<string, string> {
  switch (harm.kind) {
    case 'healthy':
      return {};
    case 'errors':
      return { EXTRA_ERRORS: `all=${(baseErrors * (harm.ratio - 1)).toFixed(6)}` };
    case 'latency':
      return { LATENCY_TAIL: String(harm.factor) };
  }
}
