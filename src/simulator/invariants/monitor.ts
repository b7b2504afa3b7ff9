// Watches one run: takes every ask, window, record and step, and accuses. It stops at the first violation; it changes
// nothing in the world.
import type { Release, State } from '../../core/engine/state.ts';
import type { Command, CommandAnswer } from '../../core/model/command.ts';
import type { StateChange } from '../../ports/store.ts';
import type { ServiceScenario } from '../scenario.ts';
import type { Service, ServiceWatcher } from '../world/service.ts';
import { addDelivered, type Book, openBook, releaseBook, type Violation } from './book.ts';
import { checkAbortKept, checkExposure, checkFairEnd, checkNotRestarted, checkPlainHarm, noteEnd } from './conduct.ts';
import { checkPromotion, checkPromotionDecided } from './promotion.ts';
import { checkAtRest, checkEvidenceCounted, checkOutcome } from './status.ts';
import {
  type Accuse,
  canaryWeight,
  checkCapacity,
  checkEndpoints,
  checkLedger,
  checkOwned,
  checkRetired,
  checkSizes,
} from './traffic.ts';
import { checkRise, checkRiseDecided } from './weight.ts';

export interface Monitor {
  readonly watcher: ServiceWatcher;
  readonly violations: readonly Violation[];
  readonly books: ReadonlyMap<string, Book>;
  open(service: Service, scenario: ServiceScenario): void;
  recorded(change: StateChange): void;
  /** Something of this policy's world changed. */
  changed(policy: string): void;
  /** Reads the records that were passed over, so that the books are up to date. */
  readAll(): void;
  /** After every step. */
  step(): void;
  /** Once everything is over and the world is well. */
  atRest(): void;
  accuse: Accuse;
}

export interface MonitorOptions {
  readonly nowMs: () => number;
  readonly gateRuns: Book['gateRuns'];
  readonly slackMs: number;
  readonly isCalm: boolean;
  /** Of the records that say nothing happened, one in so many is read. */
  readonly readQuietRecords: number;
  readonly commandOf: (id: string) => Command | null;
  readonly answeredTwice: () => readonly string[];
  /** Told of each recorded state; scenarios wait for phases with it. */
  readonly seen: (policy: string, state: State) => void;
}

export function createMonitor(options: MonitorOptions): Monitor {
  const { nowMs } = options;
  const books = new Map<string, Book>();
  const violations: Violation[] = [];
  const accuse: Accuse = (invariant, message) => {
    violations.push({ invariant, atMs: nowMs(), message });
  };
  let isDirty = true;
  let records = 0;
  const bookOf = (policy: string): Book => {
    const book = books.get(policy);
    if (book === undefined) throw new Error(`no book of ${policy}`);
    return book;
  };

  const watcher: ServiceWatcher = {
    sizeAsked(service, wanted) {
      const book = bookOf(service.spec.policy);
      checkOwned(
        book,
        wanted.map(({ version }) => version.revision),
        accuse,
      );
      checkSizes(book, wanted, accuse);
    },
    splitAsked(service, split, backends) {
      const book = bookOf(service.spec.policy);
      checkOwned(
        book,
        split.weights.map((entry) => entry.revision),
        accuse,
      );
      checkEndpoints(book, split, backends, accuse);
      checkCapacity(book, split, backends, accuse);
      const canary = canaryWeight(book, split);
      const release = book.state?.release;
      if (canary === null) return;
      if (release == null || release.to.revision !== canary.revision) {
        accuse('I4', `${canary.revision} is to get ${canary.weight} %, and no recorded release is about it`);
        return;
      }
      if (canary.weight === 100 && book.state?.stable !== null) checkPromotion(book, release, nowMs(), accuse);
      checkRise(book, { release, weight: canary.weight, nowMs: nowMs() }, accuse);
    },
    retireAsked(service, revisions) {
      const book = bookOf(service.spec.policy);
      checkOwned(book, revisions, accuse);
      checkRetired(book, revisions, nowMs(), accuse);
    },
    measured(service, query, result) {
      const book = bookOf(service.spec.policy);
      const atMs = nowMs();
      if (result.kind === 'none') return;
      if (result.kind === 'error') book.lastMeasured = { atMs, kind: 'error' };
      // The opening reading holds no window: it says nothing, good or bad.
      else if (query.cursor === null) {
        if (book.lastMeasured !== null) book.lastMeasured = { atMs, kind: 'none' };
      } else if (Object.values(result.measurement.readings).some((reading) => reading.kind === 'error')) {
        book.lastMeasured = { atMs, kind: 'unusable' };
      } else book.lastMeasured = { atMs, kind: 'usable' };
    },
    delivered(service, window) {
      const book = bookOf(service.spec.policy);
      addDelivered(book, window);
      checkPlainHarm(book, window, accuse);
      if (window.usable && window.canaryTotal > 0 && window.stableTotal > 0) book.lastUsableMs = nowMs();
    },
  };

  return {
    watcher,
    violations,
    books,
    accuse,
    open(service, scenario) {
      books.set(scenario.policy.name, openBook(service, scenario, options));
    },
    changed(policy) {
      const book = books.get(policy);
      if (book !== undefined) book.isDirty = true;
      isDirty = true;
    },
    recorded(change) {
      const book = books.get(change.policy);
      if (book === undefined) {
        accuse('I5', `the state of ${change.policy} is written, which is no policy of this world`);
        return;
      }
      book.isDirty = true;
      isDirty = true;
      records += 1;
      // Most records only add a window: nothing but evidence and clocks can have changed, and a sample of them is read.
      const isQuiet = change.journal.length + change.answers.length + change.releases.length === 0;
      if (isQuiet && book.state !== null && records % options.readQuietRecords !== 0) {
        book.unread = change;
        return;
      }
      book.unread = null;
      noteRecord(book, change, options, accuse);
    },
    readAll() {
      for (const book of books.values()) {
        if (book.unread !== null) noteRecord(book, book.unread, options, accuse);
        book.unread = null;
      }
    },
    step() {
      if (!isDirty) return;
      isDirty = false;
      for (const book of books.values()) {
        if (!book.isDirty) continue;
        book.isDirty = false;
        checkLedger(book, accuse);
        noteStagesInUse(book, nowMs());
      }
    },
    atRest() {
      for (const book of books.values()) checkAtRest(book, accuse);
      const twice = options.answeredTwice();
      if (twice.length > 0) accuse('I6', `commands answered twice: ${twice.join(', ')}`);
    },
  };
}

function noteRecord(book: Book, change: StateChange, options: MonitorOptions, accuse: Accuse): void {
  const nowMs = options.nowMs();
  const before = book.state;
  const state = JSON.parse(change.state) as State;
  for (const { id, document } of change.answers) {
    const command = options.commandOf(id);
    if (command === null) continue;
    const answer = JSON.parse(document) as CommandAnswer;
    const underWay = before?.release != null && before.release.phase.kind !== 'ended' ? before.release : state.release;
    const phase =
      before?.release == null || before.release.phase.kind === 'ended' ? 'at rest' : before.release.phase.kind;
    const stage = before?.release?.phase.kind === 'testing' ? before.release.phase.stage : null;
    book.answered.push({ command, answer, atMs: nowMs, release: underWay?.id ?? null, phase, stage });
    if (answer.accepted) notePause(book, command, nowMs);
  }
  book.state = state;
  const { release } = state;
  if (release !== null) noteRelease(book, release, nowMs, accuse);
  if (state.stable !== null && state.stable.revision !== before?.stable?.revision) {
    checkNewStable(book, state, accuse);
    book.promoted.add(state.stable.revision);
  }
  checkOutcome(state, accuse);
  options.seen(change.policy, state);
}

function noteRelease(book: Book, release: Release, nowMs: number, accuse: Accuse): void {
  checkNotRestarted(book, release, nowMs, accuse);
  const entry = releaseBook(book, release, nowMs);
  checkAbortKept(book, release, accuse);
  checkExposure(book, release, accuse);
  checkFairEnd(book, release, accuse);
  noteEnd(book, release, nowMs);
  const { phase } = release;
  if (phase.kind === 'promoting' && !entry.phasesSeen.has('promoting')) {
    checkPromotionDecided(book, release, nowMs, accuse);
  }
  if (release.weightPercent > entry.decidedWeight) {
    checkRiseDecided(book, { release, weight: release.weightPercent, nowMs }, accuse);
  }
  entry.phasesSeen.add(phase.kind === 'testing' ? `testing ${phase.stage}` : phase.kind);
  checkEvidenceCounted(book, release, accuse);
  const isOver = phase.kind !== 'starting' && phase.kind !== 'testing';
  const pause = book.pauses.at(-1);
  if (isOver && pause !== undefined && pause.toMs === null) pause.toMs = nowMs;
}

/** Stable changes only to what really has all traffic, in every instance of the data plane. */
function checkNewStable(book: Book, state: State, accuse: Accuse): void {
  const revision = state.stable?.revision;
  for (const { applied } of book.service.plane.instances) {
    if (applied?.source === 'hand') continue;
    const weight = applied?.split.weights.find((entry) => entry.revision === revision)?.weightPercent ?? 0;
    if (weight !== 100) accuse('status', `${revision} is called stable, and the data plane gives it ${weight} %`);
  }
}

function notePause(book: Book, command: Command, nowMs: number): void {
  const open = book.pauses.at(-1);
  if (command.verb === 'pause') book.pauses.push({ fromMs: nowMs, toMs: null });
  else if (open?.toMs === null && ['resume', 'abort', 'promote'].includes(command.verb)) open.toMs = nowMs;
}

function noteStagesInUse(book: Book, nowMs: number): void {
  const release = book.state?.release;
  if (release?.phase.kind !== 'testing') return;
  const entry = book.releases.get(release.id);
  const { stage } = release.phase;
  if (entry === undefined || entry.stageInUseMs.has(stage)) return;
  const { instances } = book.service.plane;
  const inUse = instances.every(
    ({ applied }) =>
      applied?.split.weights.find(({ revision }) => revision === release.to.revision)?.weightPercent ===
      release.weightPercent,
  );
  if (inUse) entry.stageInUseMs.set(stage, nowMs);
}
