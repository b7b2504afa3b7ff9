// One seeded run from beginning to end: faults, then calm; then every release must have ended or wait for a named
// thing; then a person takes back whatever is still under way, and stable must serve everyone (I3).
import { type Release, type ReleaseOutcome, type State, underWay } from '../core/engine/state.ts';
import { drawScenario, natureOf } from './draw.ts';
import { phaseOf } from './events.ts';
import type { Book, Violation } from './invariants/book.ts';
import type { Scenario } from './scenario.ts';
import { createSimulation, type Simulation, type SimulationOptions } from './simulation.ts';

export interface EndedRelease {
  readonly nature: string | null;
  readonly outcome: string;
  readonly by: string | null;
  readonly unanalysed: boolean;
  /** Nothing but the versions themselves told them apart: no crash by the world, no hand at the split. */
  readonly isFair: boolean;
}

export interface RunReport {
  readonly seed: number;
  readonly hash: string;
  readonly violation: Violation | null;
  readonly releases: readonly EndedRelease[];
  /** "phase|verb|accepted" -> count; "phase|fault" -> count. */
  readonly commands: ReadonlyMap<string, number>;
  readonly faults: ReadonlyMap<string, number>;
  readonly steps: number;
  readonly lives: number;
  readonly requests: number;
  readonly waits: readonly string[];
  readonly trace: readonly string[];
}

const POLL_MS = 30_000;
/** In a row, before a run counts as settled: a next release would have started by then. */
const POLLS = 4;
const ABORT_BOUND_MS = 15 * 60_000;

export async function runSeed(seed: number, options: Partial<SimulationOptions> = {}): Promise<RunReport> {
  return runScenario(drawScenario(seed), seed, options);
}

export async function runScenario(
  scenario: Scenario,
  seed: number,
  options: Partial<SimulationOptions> = {},
): Promise<RunReport> {
  const simulation = createSimulation(scenario, { ...options, seed });
  const { monitor, scheduler } = simulation;
  await simulation.runUntil(scenario.faultsEndMs, () => spins(simulation));
  if (monitor.violations.length === 0) endFaults(simulation);
  await settle(simulation, scenario.endMs, isSettled);
  if (monitor.violations.length === 0) {
    for (const book of monitor.books.values()) {
      if (!isSettled(book)) monitor.accuse('live', `${book.scenario.policy.name} ${unsettledBecause(book)}`);
    }
  }
  const waits = [...monitor.books.values()].map((book) => waitsFor(book.state) ?? 'at rest');
  if (monitor.violations.length === 0) await takeBack(simulation);
  if (monitor.violations.length === 0) {
    monitor.atRest();
    checkAnswered(simulation);
  }
  return {
    seed,
    hash: simulation.trace.hash,
    violation: monitor.violations[0] ?? null,
    releases: endedReleases(simulation),
    commands: commandsOf(simulation),
    faults: simulation.events.struckIn,
    steps: scheduler.steps,
    lives: simulation.lives,
    requests: simulation.services.reduce((sum, { plane }) => sum + plane.ledger.served, 0),
    waits,
    trace: simulation.trace.lines,
  };
}

/** Far more than any honest run takes: a controller that never rests is a violation, not a long wait. */
const MOST_STEPS = 1_500_000;

function spins({ scheduler, monitor }: Simulation): boolean {
  if (scheduler.steps < MOST_STEPS) return false;
  monitor.accuse('live', `${scheduler.steps} steps and no end: it spins`);
  return true;
}

/** Whatever was switched on is switched off, in case its end was planned for later; and somebody starts the controller. */
function endFaults(simulation: Simulation): void {
  simulation.events.calm();
  simulation.revive();
  simulation.store.full = false;
  for (const service of simulation.services) {
    service.metricTrouble = 'none';
    service.refusesSplits = false;
  }
}

async function settle(simulation: Simulation, endMs: number, isDone: (book: Book) => boolean): Promise<void> {
  const { monitor, scheduler } = simulation;
  let good = 0;
  while (scheduler.nowMs < endMs && good < POLLS && monitor.violations.length === 0) {
    await simulation.runUntil(Math.min(endMs, scheduler.nowMs + POLL_MS), () => spins(simulation));
    if (!simulation.alive || hasPending(simulation)) {
      good = 0;
      continue;
    }
    // A release that flickers between a named wait and a look of its own waits all the same.
    good = [...monitor.books.values()].every(isDone) ? good + 1 : Math.max(0, good - 0.5);
  }
}

function hasPending(simulation: Simulation): boolean {
  for (const { answer } of simulation.store.commands.values()) if (answer === null) return true;
  return false;
}

/** The named thing a release waits for; null if it waits for none. */
function waitsFor(state: State | null): string | null {
  const release = state === null ? null : underWay(state);
  if (release == null) return null;
  if (release.paused !== null) return `paused by ${release.paused.actor}`;
  return release.awaiting;
}

function isSettled(book: Book): boolean {
  const { state } = book;
  // Withdrawn before anybody looked: there is nothing to do and nothing to record.
  if (state === null) return book.withdrawn;
  return underWay(state) === null ? isServed(book) : waitsFor(state) !== null;
}

function unsettledBecause(book: Book): string {
  const { state } = book;
  if (state === null) return 'was never looked at';
  const release = underWay(state);
  if (release === null) return 'is at rest, but the data plane does not give everything to stable';
  return `${release.id} neither ended nor waits for a named thing (${phaseOf(state)}, ${JSON.stringify(release.phase)})`;
}

/** The data plane gives everything to stable, or there is none and nothing serves. */
function isServed(book: Book): boolean {
  if (book.withdrawn) return true;
  const stable = book.state?.stable?.revision;
  if (stable === undefined) return true;
  return book.service.plane.instances.every(({ applied, pending }) => {
    const weights = applied?.split.weights.filter((entry) => entry.weightPercent > 0) ?? [];
    return pending.length === 0 && weights.length === 1 && weights[0]?.revision === stable;
  });
}

/** I3: whatever still is under way, an abort brings everyone back to stable. */
async function takeBack(simulation: Simulation): Promise<void> {
  const { monitor, scheduler } = simulation;
  simulation.events.end();
  const isOpen = (book: Book): boolean => book.state !== null && underWay(book.state) !== null;
  let any = false;
  for (const [index, book] of [...monitor.books.values()].entries()) {
    if (!isOpen(book) || book.state?.stable === null) continue;
    any = true;
    simulation.events.happen(index, { kind: 'command', verb: 'abort', actor: 'ada' });
  }
  if (!any) return;
  const isBack = (book: Book): boolean => !isOpen(book) && isServed(book);
  await settle(simulation, scheduler.nowMs + ABORT_BOUND_MS, isBack);
  for (const book of monitor.books.values()) {
    if (book.state?.stable === null || isBack(book) || waitsForNew(book)) continue;
    monitor.accuse(
      'I3',
      `${book.scenario.policy.name} was aborted, and is not back on stable (${phaseOf(book.state)})`,
    );
  }
}

/** After the abort another version may have had its turn: that is a new release, not a failed abort. */
function waitsForNew(book: Book): boolean {
  const last = book.answered.at(-1);
  return last?.command.verb === 'abort' && last.answer.accepted && last.release !== book.state?.release?.id;
}

function checkAnswered(simulation: Simulation): void {
  for (const { id, answer, policy } of simulation.store.commands.values()) {
    if (answer === null) simulation.monitor.accuse('live', `command ${id} of ${policy} was never answered`);
  }
}

function endedReleases(simulation: Simulation): EndedRelease[] {
  const isFair = !simulation.scenario.plan.some(
    ({ what }) => what.kind === 'crash-replicas' || what.kind === 'edit-split',
  );
  const documents = [...simulation.store.allReleases.values()].flatMap((own) => [...own.values()]);
  return documents.flatMap((document) => {
    const { release } = JSON.parse(document) as { release: Release };
    return release.phase.kind === 'ended' ? [endedRelease(release, release.phase.outcome, isFair)] : [];
  });
}

function endedRelease(release: Release, outcome: ReleaseOutcome, isFair: boolean): EndedRelease {
  // A comparison with a stable that is itself not the first version says nothing about the nature's label.
  const fromFirst = release.from !== null && natureOf(release.from.revision) === null;
  return {
    nature: natureOf(release.to.revision),
    outcome: outcome.kind,
    by: outcome.kind === 'promoted' ? null : outcome.by === 'verdict' && outcome.check === null ? 'gate' : outcome.by,
    unanalysed: release.unanalysed !== null,
    isFair: isFair && fromFirst,
  };
}

function commandsOf(simulation: Simulation): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const book of simulation.monitor.books.values()) {
    for (const { phase, command, answer } of book.answered) {
      const key = `${phase}|${command.verb}|${answer.accepted ? 'accepted' : 'refused'}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return counts;
}
