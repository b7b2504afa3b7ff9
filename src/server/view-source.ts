// Views for every face: the controller's last look, the journal's last lines and the data plane's last seconds, joined.
import { type Controller, decodeState, type PolicyView } from '../controller/index.ts';
import type { ReleasePolicy } from '../core/model/policy.ts';
import type { Version } from '../core/model/version.ts';
import { buildView, type LogLine, logLine, type ReleaseView, wallSpanMs } from '../core/views/index.ts';
import type { Clock, Store } from '../ports/index.ts';
import type { LiveTraffics } from './live-traffic.ts';

const LOG_LINES = 30;
const PAGE = 500;

interface KeptLog {
  after: number;
  /** Of the last entry that was read. */
  hash: string;
  lines: LogLine[];
}

export class ViewSource {
  readonly #store: Store;
  readonly #controller: Controller;
  readonly #clock: Clock;
  readonly #live: Pick<LiveTraffics, 'of'>;
  readonly #logs = new Map<string, KeptLog>();

  constructor(deps: { store: Store; controller: Controller; clock: Clock; live: Pick<LiveTraffics, 'of'> }) {
    this.#store = deps.store;
    this.#controller = deps.controller;
    this.#clock = deps.clock;
    this.#live = deps.live;
  }

  /** null if nothing of that name was ever declared. */
  async view(name: string): Promise<ReleaseView | null> {
    const view = this.#controller.view(name) ?? (await this.#stored(name));
    if (view === null) return null;
    const live = await this.#live.of(name, splitOf(view));
    const wallTime = this.#clock.now().wallTime;
    const log = await this.#log(name);
    return buildView({ ...view, decision: onTime(view, wallTime), wallTime, log, live });
  }

  async names(): Promise<readonly string[]> {
    const declared = await this.#store.declarations();
    return declared.map(({ policy }) => policy).sort();
  }

  async views(): Promise<ReleaseView[]> {
    const views = await Promise.all((await this.names()).map((name) => this.view(name)));
    return views.filter((view) => view !== null);
  }

  /** Before the controller's first look: what the store has. */
  async #stored(name: string): Promise<PolicyView | null> {
    const declaration = await this.#store.declaration(name);
    if (declaration === null) return null;
    const document = JSON.parse(declaration.document) as { policy: ReleasePolicy; version: Version };
    const stored = await this.#store.readState(name);
    return {
      name,
      generation: declaration.generation,
      policy: document.policy,
      declared: declaration.removed ? null : document.version,
      state: stored === null ? null : decodeState(name, stored.state),
      decision: null,
      seen: null,
      trouble: null,
      owed: [],
      wallTime: this.#clock.now().wallTime,
      looks: 0,
    };
  }

  /** What a policy of this name before this one did is not its log: then the last entry is not there any more. */
  async #keptLog(name: string): Promise<KeptLog> {
    const kept = this.#logs.get(name);
    if (kept !== undefined) {
      const [last] = await this.#store.journal({ policy: name, after: kept.after - 1, limit: 1 });
      if (kept.after === 0 || last?.hash === kept.hash) return kept;
    }
    const fresh: KeptLog = { after: 0, hash: '', lines: [] };
    this.#logs.set(name, fresh);
    return fresh;
  }

  async #log(name: string): Promise<readonly LogLine[]> {
    const kept = await this.#keptLog(name);
    for (;;) {
      const entries = await this.#store.journal({ policy: name, after: kept.after, limit: PAGE });
      for (const entry of entries) {
        // Two views asked for at once read the same page; each line is kept once.
        if (entry.sequence <= kept.after) continue;
        kept.after = entry.sequence;
        kept.hash = entry.hash;
        kept.lines.push(logLine(entry));
      }
      kept.lines.splice(0, Math.max(0, kept.lines.length - LOG_LINES));
      if (entries.length < PAGE) return [...kept.lines];
    }
  }
}

/** Names the split the data plane was last seen to use. */
export function splitOf({ seen }: PolicyView): string {
  const router = seen?.router;
  return router?.kind === 'seen' ? JSON.stringify(router.value.split?.weights ?? null) : 'unseen';
}

/** What is said to come in a minute comes sooner when the look was half a minute ago. */
function onTime(view: PolicyView, now: string): PolicyView['decision'] {
  const { decision } = view;
  if (decision === null || decision.next.inMs === null) return decision;
  const ageMs = wallSpanMs(view.wallTime, now);
  return { ...decision, next: { ...decision.next, inMs: Math.max(0, decision.next.inMs - ageMs) } };
}
