// What the invariants remember of one service: what the controller recorded, what people were answered, which windows
// were really delivered, and how weights went. The record names things (which release, which revision); whether what
// it names is true is always asked of the world.
import type { Release, State } from '../../core/engine/state.ts';
import type { Command, CommandAnswer } from '../../core/model/command.ts';
import type { GateRequest } from '../../core/model/effect.ts';
import type { GateAnswer } from '../../core/model/observed.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import type { StateChange } from '../../ports/store.ts';
import type { ServiceScenario } from '../scenario.ts';
import type { Delivered } from '../world/metrics.ts';
import type { Service } from '../world/service.ts';

export interface Violation {
  readonly invariant: string;
  readonly atMs: number;
  readonly message: string;
}

export interface AnsweredCommand {
  readonly command: Command;
  readonly answer: CommandAnswer;
  readonly atMs: number;
  /** Of the release under way when it was answered. */
  readonly release: string | null;
  readonly phase: string;
  /** Of the release then, if it was testing. */
  readonly stage: number | null;
}

/** A window without its cursors: days of them are kept. */
export type Window = Omit<Delivered, 'from' | 'to' | 'canary'>;

/** Windows of one revision in the chain of their cursors: only the last delivered from each cursor can count. */
export interface Chain {
  readonly accepted: Window[];
  last: Delivered | null;
  /** Requests of the canary in all accepted windows: those that checks count, and all of them. */
  acceptedTotal: number;
  acceptedRequests: number;
}

export interface ReleaseBook {
  readonly id: string;
  readonly firstSeenMs: number;
  /** Highest canary weight asked of the data plane so far. */
  mostWeight: number;
  /** Highest canary weight recorded so far. */
  decidedWeight: number;
  /** First time every data plane instance used the stage's weight. */
  readonly stageInUseMs: Map<number, number>;
  readonly phasesSeen: Set<string>;
  promotionChecked: boolean;
  plainHarmWindows: number;
  /** Requests the canary had got when the release began. */
  readonly exposedBefore: number;
}

export interface Book {
  readonly service: Service;
  readonly scenario: ServiceScenario;
  /** As people declared it last. */
  policyNow: ReleasePolicy;
  /** Hands off: nobody declares it any more. */
  withdrawn: boolean;
  state: State | null;
  /** The newest record, if it was passed over. */
  unread: StateChange | null;
  /** Something changed that a step is to look at. */
  isDirty: boolean;
  readonly answered: AnsweredCommand[];
  readonly chains: Map<string, Chain>;
  readonly releases: Map<string, ReleaseBook>;
  readonly promoted: Set<string>;
  lastMeasured: { readonly atMs: number; readonly kind: 'usable' | 'unusable' | 'none' | 'error' } | null;
  lastUsableMs: number;
  /** Unpaused time is asked of this: spans in which people had it paused, by their answered commands. */
  readonly pauses: { fromMs: number; toMs: number | null }[];
  lastEnd: { readonly id: string; readonly revision: string; readonly by: string; readonly atMs: number } | null;
  /** Nothing goes wrong in this world but the versions themselves. */
  readonly isCalm: boolean;
  /** All runs of gates in this world. */
  readonly gateRuns: () => Iterable<{ readonly request: GateRequest; readonly answer: GateAnswer }>;
  /** How much later than decided an effect may land in this world (slow calls, restarts). */
  readonly slackMs: number;
}

export function openBook(
  service: Service,
  scenario: ServiceScenario,
  around: Pick<Book, 'gateRuns' | 'slackMs' | 'isCalm'>,
): Book {
  return {
    service,
    scenario,
    policyNow: scenario.policy,
    withdrawn: false,
    state: null,
    unread: null,
    isDirty: true,
    answered: [],
    chains: new Map(),
    releases: new Map(),
    promoted: new Set(),
    lastMeasured: null,
    lastUsableMs: -1,
    pauses: [],
    lastEnd: null,
    isCalm: around.isCalm,
    gateRuns: around.gateRuns,
    slackMs: around.slackMs,
  };
}

export function addDelivered(book: Book, window: Delivered): void {
  let chain = book.chains.get(window.canary);
  if (chain === undefined) {
    chain = { accepted: [], last: null, acceptedTotal: 0, acceptedRequests: 0 };
    book.chains.set(window.canary, chain);
  }
  // Asked again from the same cursor: the longer window replaces the one before. Asked from anywhere else: it counted.
  if (chain.last !== null && chain.last.from !== window.from) {
    const { from: _from, to: _to, canary: _canary, ...counts } = chain.last;
    chain.accepted.push(counts);
    chain.acceptedTotal += chain.last.canaryTotal;
    chain.acceptedRequests += chain.last.canaryRequests;
  }
  chain.last = window;
}

export function windowsOf(book: Book, revision: string): readonly Window[] {
  const chain = book.chains.get(revision);
  if (chain === undefined) return [];
  return chain.last === null ? chain.accepted : [...chain.accepted, chain.last];
}

/** Requests of the revision that were delivered in windows for checks to count, each window once. */
export function deliveredTotal(book: Book, revision: string): number {
  const chain = book.chains.get(revision);
  return chain === undefined ? 0 : chain.acceptedTotal + (chain.last?.canaryTotal ?? 0);
}

/** As many, with those that rules sent: exposure. */
export function deliveredRequests(book: Book, revision: string): number {
  const chain = book.chains.get(revision);
  return chain === undefined ? 0 : chain.acceptedRequests + (chain.last?.canaryRequests ?? 0);
}

export function releaseBook(book: Book, release: Release, nowMs: number): ReleaseBook {
  let entry = book.releases.get(release.id);
  if (entry === undefined) {
    entry = {
      id: release.id,
      firstSeenMs: nowMs,
      mostWeight: 0,
      decidedWeight: 0,
      stageInUseMs: new Map(),
      phasesSeen: new Set(),
      promotionChecked: false,
      plainHarmWindows: 0,
      exposedBefore: book.service.plane.exposed.get(release.to.revision) ?? 0,
    };
    book.releases.set(release.id, entry);
  }
  return entry;
}

/** Milliseconds of a span in which people had it paused. */
export function pausedMs(book: Book, fromMs: number, toMs: number): number {
  let sum = 0;
  for (const pause of book.pauses) {
    sum += Math.max(0, Math.min(toMs, pause.toMs ?? toMs) - Math.max(fromMs, pause.fromMs));
  }
  return sum;
}

export function isPausedNow(book: Book): boolean {
  return book.pauses.at(-1)?.toMs === null;
}

export function accepted(book: Book, release: string, verb: string): readonly AnsweredCommand[] {
  return book.answered.filter(
    (entry) => entry.answer.accepted && entry.command.verb === verb && entry.release === release,
  );
}
