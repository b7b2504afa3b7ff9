// Folds recorded windows one by one into the evidence of a release and judges it, as a live release does: the same
// analysis, the same lines, ended by the first window that shows harm. Nothing is pooled. Refuses to call silence a pass.
import {
  type AnalysisSettings,
  addShares,
  combinedLogHarm,
  type Evidence,
  evidenceShares,
  foldHistory,
  foldWindow,
  judge,
  NO_SHARES,
  type SampleRatio,
  sharesMismatch,
  startEvidence,
} from '../../core/analysis/index.ts';
import { settingsOf } from '../../core/engine/index.ts';
import type { Check } from '../../core/model/check.ts';
import type { History, Reading, ReplicaTally, Sample } from '../../core/model/measurement.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import type { Verdict } from '../../core/model/verdict.ts';
import { mergeSamples, type RecordedWindow, sizeOf } from './recorded.ts';
import type { Compared } from './versions.ts';

export interface JudgeInput {
  readonly policy: ReleasePolicy;
  readonly checks: readonly Check[];
  readonly windows: readonly RecordedWindow[];
  readonly versions: Compared;
  /** Windows before it are stable's past; null: those before the canary's first request are. */
  readonly fromMs: number | null;
  readonly stepMs: number;
  /** Weight of windows that tell none; null: not known. */
  readonly weightPercent: number | null;
  /** Whether the canary's first seconds are left out, as each check says. */
  readonly warmUp: boolean;
}

export interface JudgedCheck {
  readonly check: Check;
  readonly share: number;
  readonly verdict: Verdict;
  /** Windows in which both versions were counted. */
  readonly windows: number;
  /** Requests of the canary's warm-up, which are not counted. */
  readonly warmUpRequests: number;
}

export interface Judged {
  readonly checks: readonly JudgedCheck[];
  readonly pastWindows: number;
  /** Windows looked at: all, or those up to the one that showed harm. */
  readonly windows: number;
  readonly windowsLeft: number;
  readonly firstMs: number | null;
  readonly lastMs: number | null;
  readonly combined: { readonly logHarm: number; readonly line: number };
  /** Where harm was shown first; null if it was not. */
  readonly harmAtMs: number | null;
  readonly sharesMismatch: string | null;
  readonly isLastHeard: boolean;
}

export function judgeRecorded(input: JudgeInput): Judged {
  const run = new Run(input);
  const start = pastEnd(input);
  const past = input.windows.slice(0, start);
  const judged = input.windows.slice(start);
  run.learn(past);
  let looked = 0;
  for (const window of judged) {
    looked += 1;
    run.fold(window, judged[looked - 2] ?? null);
    if (run.isHarmShown()) break;
  }
  const last = judged[looked - 1] ?? null;
  return {
    ...run.result(),
    pastWindows: past.length,
    windows: looked,
    windowsLeft: judged.length - looked,
    firstMs: judged[0]?.atMs ?? null,
    lastMs: last === null ? null : last.atMs + input.stepMs,
    harmAtMs: last !== null && run.isHarmShown() ? last.atMs : null,
  };
}

/** Index of the first window that is judged. */
function pastEnd({ windows, fromMs, versions }: JudgeInput): number {
  const first = windows.findIndex((window) =>
    fromMs === null ? isHeard(window, versions.canary) : window.atMs >= fromMs,
  );
  return first < 0 ? windows.length : first;
}

function isHeard({ byCheck }: RecordedWindow, version: string): boolean {
  return Object.values(byCheck).some((byVersion) => sizeOf(byVersion[version]?.whole ?? NOTHING) > 0);
}

/** A check over its own line is at the line of all, but for rounding. */
const NEAR = 1e-6;
const NOTHING: Sample = { kind: 'proportion', total: 0, bad: 0 };

class Run {
  readonly #input: JudgeInput;
  readonly #settings: AnalysisSettings;
  readonly #shares: ReadonlyMap<string, number>;
  readonly #evidence: Record<string, Evidence> = {};
  #ratio: SampleRatio = NO_SHARES;
  #canaryFirstMs: number | null = null;
  #isWarmingUp = false;

  constructor(input: JudgeInput) {
    this.#input = input;
    const { policy, checks, stepMs } = input;
    this.#settings = settingsOf({ ...policy, checks, intervalMs: stepMs });
    this.#shares = evidenceShares(input.checks);
    for (const check of input.checks) this.#evidence[check.name] = startEvidence(check, this.#settings);
  }

  learn(past: readonly RecordedWindow[]): void {
    const { checks, versions } = this.#input;
    const history = historyOf(past, versions.stable);
    for (const check of checks) {
      const learnt = foldHistory(check, this.#of(check), { stable: versions.stable, history }, this.#settings);
      this.#evidence[check.name] = learnt;
    }
  }

  fold(window: RecordedWindow, before: RecordedWindow | null): void {
    const { checks, versions, stepMs } = this.#input;
    const weightPercent = window.weightPercent ?? this.#input.weightPercent;
    if (this.#canaryFirstMs === null && isHeard(window, versions.canary)) this.#canaryFirstMs = window.atMs;
    this.#isWarmingUp = false;
    for (const check of checks) {
      const warmingUp = this.#warmsUp(check, window.atMs);
      this.#isWarmingUp ||= warmingUp;
      this.#evidence[check.name] = foldWindow(check, this.#of(check), {
        reading: readingOf(window, check.name),
        parts: partsOf(window, check.name),
        stable: versions.stable,
        canary: versions.canary,
        passedMs: before === null ? stepMs : window.atMs - before.atMs,
        warmingUp,
        weightPercent,
        settings: this.#settings,
      });
    }
    this.#addShares(window, weightPercent);
  }

  /** As the engine ends a release: all checks together over the line, or one of them over its own. */
  isHarmShown(): boolean {
    const { checks } = this.#input;
    const line = -Math.log(this.#settings.alphaAbort);
    const logHarm = combinedLogHarm(checks, this.#evidence, this.#shares);
    if (logHarm >= line) return true;
    // Far from the line, only what decides without odds need be looked at: gauges, rules of peers, a canary that fails
    // while it warms up.
    const isNear = this.#isWarmingUp || logHarm > line - NEAR;
    return checks.some(
      (check) =>
        check.role !== 'informational' &&
        (isNear || (this.#shares.get(check.name) ?? 0) === 0) &&
        this.#judge(check).outcome === 'fail',
    );
  }

  result(): Pick<Judged, 'checks' | 'combined' | 'sharesMismatch' | 'isLastHeard'> {
    const { checks } = this.#input;
    const needed = checks.filter(({ role, metric }) => role === 'required' && metric.kind !== 'gauge');
    return {
      checks: checks.map((check) => ({
        check,
        share: this.#shares.get(check.name) ?? 0,
        verdict: this.#judge(check),
        windows: this.#of(check).windows,
        warmUpRequests: this.#of(check).warmUp.total,
      })),
      combined: {
        logHarm: combinedLogHarm(checks, this.#evidence, this.#shares),
        line: -Math.log(this.#settings.alphaAbort),
      },
      sharesMismatch: sharesMismatch(this.#ratio),
      isLastHeard: needed.every((check) => this.#of(check).isHeard),
    };
  }

  #of(check: Check): Evidence {
    return this.#evidence[check.name] ?? startEvidence(check, this.#settings);
  }

  #judge(check: Check): Verdict {
    return judge(check, this.#of(check), {
      settings: this.#settings,
      share: this.#shares.get(check.name) ?? 0,
      nextWeightPercent: 100,
      badPerInterval: this.#input.policy.exposure.badPerInterval,
    });
  }

  #warmsUp({ warmUpMs }: Check, atMs: number): boolean {
    if (!this.#input.warmUp) return false;
    return this.#canaryFirstMs === null || atMs < this.#canaryFirstMs + warmUpMs;
  }

  /** As a live release: only where chance drew each request by itself. */
  #addShares(window: RecordedWindow, weightPercent: number | null): void {
    const { policy, versions, stepMs } = this.#input;
    if (weightPercent === null || weightPercent <= 0 || policy.userKey !== null || policy.affinity !== null) return;
    const drawn = (version: string) => requestsOf(window, version);
    const [canary, stable] = [drawn(versions.canary), drawn(versions.stable)];
    if (canary !== null && stable !== null)
      this.#ratio = addShares(this.#ratio, { canary, stable, weightPercent, intervalMs: stepMs });
  }
}

/** Requests of a version, where some check counts requests. */
function requestsOf({ byCheck }: RecordedWindow, version: string): number | null {
  for (const byVersion of Object.values(byCheck)) {
    const sample = byVersion[version]?.whole;
    if (sample?.kind === 'proportion' || sample?.kind === 'latency') return sizeOf(sample);
  }
  return null;
}

function readingOf({ byCheck }: RecordedWindow, name: string): Reading | undefined {
  const byVersion = byCheck[name];
  if (byVersion === undefined) return undefined;
  const byRevision = Object.fromEntries(Object.entries(byVersion).map(([version, { whole }]) => [version, whole]));
  return { kind: 'samples', byRevision };
}

function partsOf(window: RecordedWindow, name: string): Record<string, Reading | undefined> {
  const parts: Record<string, Reading | undefined> = {};
  for (const key of Object.keys(window.byCheck)) {
    if (key.startsWith(`${name}/`)) parts[key.slice(name.length + 1)] = readingOf(window, key);
  }
  return parts;
}

function historyOf(past: readonly RecordedWindow[], stable: string): History {
  const readings: Record<string, Reading> = {};
  const replicas: Record<string, (readonly ReplicaTally[])[]> = {};
  for (const { byCheck } of past) {
    for (const [check, byVersion] of Object.entries(byCheck)) {
      const samples = byVersion[stable];
      if (samples === undefined) continue;
      const before = readings[check];
      const whole = before?.kind === 'samples' ? before.byRevision[stable] : undefined;
      const merged = whole === undefined ? samples.whole : mergeSamples(whole, samples.whole);
      if (merged !== null) readings[check] = { kind: 'samples', byRevision: { [stable]: merged } };
      const slice = samples.replicas.flatMap((each) => (each.kind === 'proportion' ? [tallyOf(each)] : []));
      if (slice.length > 1) replicas[check] = [...(replicas[check] ?? []), slice];
    }
  }
  return { readings, replicas };
}

const tallyOf = ({ total, bad }: Extract<Sample, { kind: 'proportion' }>): ReplicaTally => ({ total, bad });
