// What a check remembers that the rule of a peer judges: its clock, the sums of the interval under way, and the peer's
// own state. Plain JSON data. Times are milliseconds of windows that were folded: a crash or a warm-up stops the clock.
import type { Check } from '../model/check.ts';
import type { KayentaRunState } from './kayenta/index.ts';
import { NO_SUMS, type PeerSums } from './peer-sums.ts';
import { type ArgoState, FLAGGER_START, type FlaggerLook, type FlaggerState, startArgo } from './thresholds/index.ts';

interface PeerCommon {
  readonly clockMs: number;
  /** The last value (Kayenta: score) that was looked at; null before. */
  readonly value: number | null;
}

export interface FlaggerEvidence extends PeerCommon {
  readonly kind: 'flagger';
  readonly dueMs: number;
  readonly sums: PeerSums;
  readonly state: FlaggerState;
  /** What the last look found; null before the first. */
  readonly last: FlaggerLook['outcome'] | null;
}

export interface ArgoEvidence extends PeerCommon {
  readonly kind: 'argo';
  readonly sums: PeerSums;
  readonly state: ArgoState;
}

/** Values of both versions, one a step; null where a step had none. Stable is the control. */
export interface KayentaPoints {
  readonly control: readonly (number | null)[];
  readonly experiment: readonly (number | null)[];
}

export interface KayentaEvidence extends PeerCommon {
  readonly kind: 'kayenta';
  /** By the metric's name, as are the points. */
  readonly sums: Readonly<Record<string, { readonly control: PeerSums; readonly experiment: PeerSums }>>;
  readonly points: Readonly<Record<string, KayentaPoints>>;
  /** Steps that are over. */
  readonly steps: number;
  readonly run: KayentaRunState;
  /** Why a judgement that is due waits for data; null if none does. */
  readonly waits: string | null;
  /** What the last judgement found wrong. */
  readonly findings: readonly string[];
}

export type PeerEvidence = FlaggerEvidence | ArgoEvidence | KayentaEvidence;

/** Null for checks that evidence judges. */
export function startPeer({ rule, metric }: Check): PeerEvidence | null {
  if (metric.kind === 'kayenta') {
    const run: KayentaRunState = { scores: [], end: 'running', reason: '' };
    return {
      kind: 'kayenta',
      clockMs: 0,
      value: null,
      sums: {},
      points: {},
      steps: 0,
      run,
      waits: null,
      findings: [],
    };
  }
  switch (rule?.kind) {
    case undefined:
      return null;
    case 'flagger': {
      const { intervalMs } = rule;
      return {
        kind: 'flagger',
        clockMs: 0,
        value: null,
        dueMs: intervalMs,
        sums: NO_SUMS,
        state: FLAGGER_START,
        last: null,
      };
    }
    case 'argo': {
      // Argo asks at once, about a past that a new version does not have: here the first measurement waits for a whole
      // interval, or for the delay if that is longer.
      const startedMs = Math.max(0, rule.intervalMs - rule.initialDelayMs);
      return { kind: 'argo', clockMs: 0, value: null, sums: NO_SUMS, state: startArgo(startedMs / 1000) };
    }
  }
}
