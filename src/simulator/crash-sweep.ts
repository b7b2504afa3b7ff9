// Crash sweeps: a named scenario is run once undisturbed, then once per await and way with the controller dying right
// there. The end must be the same (I6): outcomes, objects, weights; and no effect is done more than once more.
import { underWay } from '../core/engine/state.ts';
import { crashOnceAt } from './faults.ts';
import type { Scenario } from './scenario.ts';
import { createSimulation, type Simulation } from './simulation.ts';

export interface End {
  /** Of every release, in order: version and how it ended or what it waits for. */
  readonly releases: readonly string[];
  /** Versions with their wanted replicas. */
  readonly objects: readonly string[];
  /** What every data plane instance uses. */
  readonly weights: readonly string[];
  readonly answers: readonly string[];
  readonly violations: readonly string[];
}

export interface SweepRun {
  readonly end: End;
  /** What was done to the world, by what: starts and stops of versions, splits taken up, gates run, people told. */
  readonly effects: ReadonlyMap<string, number>;
  readonly awaits: number;
}

export interface SweepFailure {
  readonly scenario: string;
  readonly crash: string;
  readonly message: string;
}

export interface SweepReport {
  readonly scenario: string;
  readonly awaits: number;
  readonly runs: number;
  readonly end: End;
  readonly failures: readonly SweepFailure[];
}

const LATENCY_MS = 20;
const SEED = 7;

async function runOnce(scenario: Scenario, crash: { at: number; when: 'before' | 'after' } | null): Promise<SweepRun> {
  const plan = crashOnceAt(crash?.at ?? -1, crash?.when ?? 'before', LATENCY_MS);
  const simulation = createSimulation(scenario, { seed: SEED, plan });
  await simulation.runUntil(scenario.endMs);
  return { end: endOf(simulation), effects: simulation.effects, awaits: simulation.awaits };
}

function endOf(simulation: Simulation): End {
  const releases: string[] = [];
  const objects: string[] = [];
  const weights: string[] = [];
  for (const service of simulation.services) {
    const state = simulation.state(service.spec.policy);
    for (const document of simulation.store.allReleases.get(service.spec.policy)?.values() ?? []) {
      const { release } = JSON.parse(document) as { release: { to: { revision: string }; phase: PhaseText } };
      releases.push(`${release.to.revision} ${phaseText(release.phase)}`);
    }
    const open = state === null ? null : underWay(state);
    if (open !== null)
      releases.push(`under way: ${open.to.revision} at ${open.weightPercent} %, ${open.awaiting ?? 'waits'}`);
    if (state?.waiting != null) releases.push(`waiting: ${state.waiting.version.revision}, ${state.waiting.why}`);
    if (state?.suspended != null) releases.push('suspended');
    for (const { revision, wanted } of service.replicas.versions.values()) objects.push(`${revision} x ${wanted}`);
    for (const { applied } of service.plane.instances) {
      weights.push(
        (applied?.split.weights ?? []).map((entry) => `${entry.revision} ${entry.weightPercent}`).join(' / '),
      );
    }
  }
  const answers = [...simulation.store.commands.values()].map(({ id, answer }) => {
    const accepted = answer === null ? null : (JSON.parse(answer) as { accepted: boolean }).accepted;
    return `${id} ${accepted === null ? 'unanswered' : accepted ? 'accepted' : 'refused'}`;
  });
  const violations = simulation.monitor.violations.map(({ invariant, message }) => `${invariant}: ${message}`);
  return { releases, objects: objects.sort(), weights, answers, violations };
}

interface PhaseText {
  readonly kind: string;
  readonly outcome?: { readonly kind: string; readonly by?: string };
}

function phaseText({ kind, outcome }: PhaseText): string {
  return outcome === undefined ? kind : `${outcome.kind}${outcome.by === undefined ? '' : ` by ${outcome.by}`}`;
}

/** What differs from the undisturbed run, in words; null if nothing that may not. */
export function compareRuns(undisturbed: SweepRun, crashed: SweepRun): string | null {
  if (crashed.end.violations.length > 0) return crashed.end.violations.join('; ');
  for (const part of ['releases', 'objects', 'weights', 'answers'] as const) {
    const [wanted, found] = [undisturbed.end[part].join(', '), crashed.end[part].join(', ')];
    if (wanted !== found) return `${part} differ: "${found}" instead of "${wanted}"`;
  }
  for (const [effect, count] of crashed.effects) {
    const before = undisturbed.effects.get(effect) ?? 0;
    if (count > before + 1) return `"${effect}" was done ${count} times, ${before} times without the crash`;
  }
  return null;
}

/** `every` n-th await only, for a quick look; 1 for all. */
export async function sweep(scenario: Scenario, every = 1): Promise<SweepReport> {
  const undisturbed = await runOnce(scenario, null);
  const failures: SweepFailure[] = [];
  let runs = 1;
  if (undisturbed.end.violations.length > 0) {
    failures.push({ scenario: scenario.name, crash: 'none', message: undisturbed.end.violations.join('; ') });
  }
  for (let at = 1; at <= undisturbed.awaits; at += every) {
    for (const when of ['before', 'after'] as const) {
      const crashed = await runOnce(scenario, { at, when });
      runs += 1;
      const message = compareRuns(undisturbed, crashed);
      if (message !== null) failures.push({ scenario: scenario.name, crash: `${when} await ${at}`, message });
    }
  }
  return { scenario: scenario.name, awaits: undisturbed.awaits, runs, end: undisturbed.end, failures };
}
