// Reports from what is recorded: the release's own record, the journal, the evidence over time.
import { decodeRelease } from '../controller/index.ts';
import type { Release } from '../core/engine/index.ts';
import { diffPolicies } from '../core/policy/index.ts';
import { buildReport, type LogLine, logLine, type ReleaseReport } from '../core/views/index.ts';
import type { Clock, Store } from '../ports/index.ts';
import { unknownRelease } from './problems.ts';
import type { Traces } from './traces.ts';

const MOST_LOG_LINES = 2_000;
const PAGE = 500;

export interface ReportDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly traces: Traces;
  readonly version: string;
}

export async function reportOf(deps: ReportDeps, id: string): Promise<ReleaseReport> {
  const release = await readRelease(deps.store, id);
  const releases = await deps.store.releases(release.policy.name);
  const before = releases
    .map(({ id: other, document }) => decodeRelease(other, document))
    .findLast((other) => other.number < release.number);
  return buildReport({
    release,
    log: await releaseLog(deps.store, id),
    trace: deps.traces.points(id),
    now: deps.clock.now().wallTime,
    haldane: deps.version,
    changes: before === undefined ? null : diffPolicies(before.policy, release.policy),
  });
}

export async function readRelease(store: Store, id: string): Promise<Release> {
  const stored = await store.release(id);
  if (stored === null) throw unknownRelease(id);
  return decodeRelease(id, stored.document);
}

async function releaseLog(store: Store, release: string): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for (let after = 0; lines.length < MOST_LOG_LINES; ) {
    const entries = await store.journal({ release, after, limit: PAGE });
    lines.push(...entries.map(logLine));
    if (entries.length < PAGE) break;
    after = entries.at(-1)?.sequence ?? after;
  }
  return lines;
}
