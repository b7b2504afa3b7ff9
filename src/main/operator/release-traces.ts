// Keeps evidence over time for the pictures of reports, in the Release it is about: rarely while the release goes, and once
// when it has ended. It refuses to matter: what cannot be written or read costs a picture, never a decision.
import { FIELD_MANAGER, policyKey } from '../../cluster/names.ts';
import type { PolicyView } from '../../controller/index.ts';
import { grownTrace, type KeptTrace, keptTrace, readTrace, wallSpanMs } from '../../core/views/index.ts';
import { type CacheReader, type KubeApi, type KubeObject, RELEASES } from '../../kubernetes/index.ts';
import type { Log } from '../../lib/log.ts';
import type { Clock } from '../../ports/index.ts';

export interface ReleaseTracesDeps {
  readonly api: KubeApi;
  readonly releases: CacheReader;
  readonly clock: Clock;
  readonly log: Log;
}

interface Entry {
  release: string;
  trace: KeptTrace;
  writtenMs: number;
  /** One after the other, so that the newest stays. */
  writing: Promise<void>;
}

const MOST_POINTS = 120;
/** A Release holds its document and its journal, too, and etcd takes no object of more than 1.5 MB. */
const MOST_CHARACTERS = 150_000;
const EVERY_MS = 60_000;

export class ReleaseTraces {
  readonly #deps: ReleaseTracesDeps;
  /** Of each policy, that of its last release. */
  readonly #entries = new Map<string, Entry>();

  constructor(deps: ReleaseTracesDeps) {
    this.#deps = deps;
  }

  take({ name, policy, state, wallTime }: PolicyView): void {
    const release = state?.release;
    if (policy === null || release == null) {
      this.#entries.delete(name);
      return;
    }
    const isOver = release.phase.kind === 'ended';
    const known = this.#entries.get(name);
    // One that ended before this program started is written already.
    if (isOver && known?.release !== release.id) return;
    const entry = known?.release === release.id ? known : this.#begun(release.id);
    this.#entries.set(name, entry);
    const atMs = wallSpanMs(release.startedAt, release.endedAt ?? wallTime);
    const grown = grownTrace(entry.trace, release, { atMs, most: MOST_POINTS });
    if (grown === null) return;
    entry.trace = grown;
    const isDue = isOver || this.#nowMs() - entry.writtenMs >= EVERY_MS;
    if (!isDue) return;
    entry.writtenMs = this.#nowMs();
    entry.writing = entry.writing.then(() => this.#write(entry));
  }

  /** What an instance before this one has written is gone on with. */
  #begun(release: string): Entry {
    const { namespace, name } = policyKey(release);
    const found = this.#deps.releases.get(namespace, name) as TracedRelease | undefined;
    const trace = keptTrace(readTrace(found?.status?.trace), MOST_POINTS);
    return { release, trace, writtenMs: this.#nowMs(), writing: Promise.resolve() };
  }

  async #write({ release, trace }: Entry): Promise<void> {
    const { api, releases, log } = this.#deps;
    try {
      const body = { status: { trace: textOf(trace) } };
      const options = { subresource: 'status', fieldManager: FIELD_MANAGER } as const;
      releases.noteWritten(await api.patch(RELEASES, policyKey(release), { type: 'merge', body }, options));
    } catch (error) {
      log.warn('evidence over time is not kept', { release, error });
    }
  }

  #nowMs(): number {
    return this.#deps.clock.now().monotonicMs;
  }
}

interface TracedRelease extends KubeObject {
  readonly status?: { readonly trace?: string };
}

function textOf(trace: KeptTrace): string {
  let { points } = trace;
  let text = JSON.stringify(points);
  while (text.length > MOST_CHARACTERS && points.length > 2) {
    ({ points } = keptTrace(points, Math.floor(points.length / 2)));
    text = JSON.stringify(points);
  }
  return text;
}
