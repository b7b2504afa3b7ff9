// Keeps evidence over time for the pictures of reports: one small file a release, a line a window, thinned as it grows.
// It refuses to matter: a file that cannot be written or read costs a picture, never a decision.
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Controller, PolicyView } from '../controller/index.ts';
import { grownTrace, type KeptTrace, keptTrace, type TracePoint, wallSpanMs } from '../core/views/index.ts';
import type { Log } from '../lib/log.ts';

const MOST_POINTS = 1_000;
const MOST_FILES = 500;

export class Traces {
  readonly #folder: string;
  readonly #log: Log;
  readonly #traces = new Map<string, KeptTrace>();
  #stop: () => void = () => {};

  constructor(folder: string, log: Log) {
    this.#folder = folder;
    this.#log = log;
  }

  start(controller: Controller): void {
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      this.#prune();
    } catch (error) {
      this.#log.warn('evidence over time cannot be kept', { error });
    }
    this.#stop = controller.subscribe((view) => this.#onView(view));
  }

  stop(): void {
    this.#stop();
  }

  /** Oldest first; empty where nothing was kept. */
  points(releaseId: string): readonly TracePoint[] {
    return this.#trace(releaseId).points;
  }

  #onView({ state, wallTime }: PolicyView): void {
    const release = state?.release;
    if (release == null) return;
    const isOver = release.phase.kind === 'ended';
    if (isOver && !this.#traces.has(release.id)) return;
    const atMs = wallSpanMs(release.startedAt, release.endedAt ?? wallTime);
    const grown = grownTrace(this.#trace(release.id), release, { atMs, most: MOST_POINTS });
    if (grown === null) return;
    this.#traces.set(release.id, grown);
    try {
      appendFileSync(this.#path(release.id), `${JSON.stringify(grown.points.at(-1))}\n`, { mode: 0o600 });
    } catch {
      // The picture of this release misses a point; the release does not.
    }
  }

  #trace(releaseId: string): KeptTrace {
    const trace = this.#traces.get(releaseId) ?? keptTrace(readPoints(this.#path(releaseId)), MOST_POINTS);
    this.#traces.set(releaseId, trace);
    return trace;
  }

  #path(releaseId: string): string {
    return join(this.#folder, `${encodeURIComponent(releaseId).replaceAll('.', '%2E')}.jsonl`);
  }

  /** Releases are forgotten by the store; their pictures go with the oldest. */
  #prune(): void {
    const names = readdirSync(this.#folder).filter((name) => name.endsWith('.jsonl'));
    const number = (name: string) => Number(/-(\d+)\.jsonl$/.exec(name)?.[1] ?? 0);
    const doomed = names.sort((a, b) => number(b) - number(a)).slice(MOST_FILES);
    for (const name of doomed) rmSync(join(this.#folder, name), { force: true });
  }
}

function readPoints(path: string): TracePoint[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  const points: TracePoint[] = [];
  for (const line of text.split('\n')) {
    try {
      if (line !== '') points.push(JSON.parse(line) as TracePoint);
    } catch {
      // A line cut short by a crash.
    }
  }
  return points;
}
