// Gauges of replicas (memory, CPU): guardrails with a line, and two honest looks beside it. Where the canary's worst replica
// stands among stable's, in blocks; and when a rise would reach the line (statistics 2.9). Refuses to speak of confidence:
// readings of one replica depend on each other, and one replica is one draw however long it is watched.
import type { Check } from '../model/check.ts';
import { projectLeak, rankBlocks } from '../statistics/index.ts';

export interface GaugeBlock {
  /** Means over the block: the canary's worst replica, and each of stable's. */
  readonly canary: number;
  readonly stable: readonly number[];
}

export interface GaugeEvidence {
  /** The worst replica's last value, in the gauge's unit. */
  readonly worst: number;
  /** Readings in a row on the wrong side of the limit. */
  readonly over: number;
  readonly readings: number;
  /** Sums of the block that is being filled, and of how many readings. */
  readonly open: GaugeBlock & { readonly readings: number };
  /** The last twelve, oldest first. */
  readonly blocks: readonly GaugeBlock[];
}

/** Readings per block: longer than a garbage collection's rhythm, so that blocks hardly depend on each other. */
const BLOCK_READINGS = 6;
const MOST_BLOCKS = 12;
/** A rise that reaches the line within this time holds a promotion. */
const LEAK_HORIZON_MS = 3_600_000;

const EMPTY = { canary: 0, stable: [], readings: 0 } as const;

export const NO_GAUGE: GaugeEvidence = { worst: 0, over: 0, readings: 0, open: EMPTY, blocks: [] };

export interface GaugeReading {
  readonly canary: readonly number[];
  readonly stable: readonly number[];
}

export function addGauge(check: Check, before: GaugeEvidence, { canary, stable }: GaugeReading): GaugeEvidence {
  const worst = worstOf(check, canary);
  const over = isOver(check, worst) ? before.over + 1 : 0;
  return { ...addToBlock(before, worst, stable), worst, over, readings: before.readings + 1 };
}

export function worstOf(check: Check, values: readonly number[]): number {
  return check.limit?.bound === 'below' ? Math.min(...values) : Math.max(...values);
}

function isOver({ limit }: Check, worst: number): boolean {
  return limit?.bound === 'below' ? worst < limit.value : worst > (limit?.value ?? 0);
}

/** Replicas that come or go begin a new row of blocks: a rank among others is another question. */
function addToBlock(before: GaugeEvidence, worst: number, stable: readonly number[]): GaugeEvidence {
  const { open, blocks } = before;
  const isSame = open.readings === 0 || open.stable.length === stable.length;
  const sums = isSame && open.readings > 0 ? open : { canary: 0, stable: stable.map(() => 0), readings: 0 };
  const kept = isSame && (blocks.at(-1)?.stable.length ?? stable.length) === stable.length ? blocks : [];
  const grown = {
    canary: sums.canary + worst,
    stable: sums.stable.map((sum, i) => sum + (stable[i] ?? 0)),
    readings: sums.readings + 1,
  };
  if (grown.readings < BLOCK_READINGS) return { ...before, open: grown, blocks: kept };
  const block = { canary: grown.canary / BLOCK_READINGS, stable: grown.stable.map((sum) => sum / BLOCK_READINGS) };
  return { ...before, open: EMPTY, blocks: [...kept, block].slice(-MOST_BLOCKS) };
}

/** Milliseconds until the rise reaches the line; null if it does not rise, or nobody can say. */
export function msToLimit({ limit }: Check, { blocks }: GaugeEvidence, intervalMs: number): number | null {
  if (limit === null) return null;
  const sign = limit.bound === 'below' ? -1 : 1;
  const points = blocks.map(({ canary }, i) => ({ atMs: i * BLOCK_READINGS * intervalMs, value: sign * canary }));
  const leak = projectLeak(points, sign * limit.value);
  if (leak === undefined || leak.lowerSlopePerHour <= 0) return null;
  return leak.timeToLimitMs ?? null;
}

export function isLeaking(check: Check, evidence: GaugeEvidence, intervalMs: number): boolean {
  const ms = msToLimit(check, evidence, intervalMs);
  return ms !== null && ms < LEAK_HORIZON_MS;
}

/** "the worst of 9 replicas in 6 of 6 blocks"; null before there is a block, or without replicas of stable. */
export function rankText({ direction }: Check, { blocks }: GaugeEvidence): string | null {
  const [first] = blocks;
  if (first === undefined || first.stable.length === 0) return null;
  const stable = first.stable.map((_, replica) => blocks.map((block) => block.stable[replica] ?? 0));
  const worse = direction === 'decrease' ? 'lower' : 'higher';
  const rank = rankBlocks(
    blocks.map(({ canary }) => canary),
    stable,
    worse,
  );
  return rank === undefined ? null : `the worst of ${rank.replicas} replicas in ${rank.worst} of ${rank.blocks} blocks`;
}
