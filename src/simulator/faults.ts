// Draws what goes wrong with each call and each notice, from a seed. After the faults' end the world is well, save for
// latency, which is always there.
import type { Random } from '../core/statistics/index.ts';
import type { FaultSettings } from './scenario.ts';
import type { CallFault, EventFault, FaultPlan } from './wire.ts';

const HANG_MS = 60_000;

export interface FaultCounts {
  /** Fault kind -> how often it struck. */
  readonly struck: Map<string, number>;
}

export interface FaultDrawing {
  readonly random: Random;
  readonly settings: FaultSettings;
  readonly isOver: () => boolean;
  readonly struck: (kind: string) => void;
}

export function createFaultPlan({ random, settings, isOver, struck }: FaultDrawing): FaultPlan {
  const latency = (): number => (settings.latencyMs === 0 ? 0 : Math.floor(random.uniform() ** 4 * settings.latencyMs));

  function call(_number: number, _name: string, kind: 'read' | 'write' | 'wait'): CallFault {
    const latencyMs = kind === 'wait' ? 0 : latency();
    if (isOver()) return { latencyMs, crash: null, fail: null, stale: false };
    const draw = random.uniform();
    let line = settings.crashPerCall;
    if (draw < line) {
      const crash = random.uniform() < 0.5 ? 'before' : 'after';
      struck(`crash ${crash}`);
      return { latencyMs, crash, fail: null, stale: false };
    }
    if (kind === 'wait') return { latencyMs, crash: null, fail: null, stale: false };
    line += settings.failPerCall;
    if (draw < line) {
      const fail = kind === 'write' && random.uniform() < 0.5 ? 'after' : 'before';
      struck(`fail ${fail}`);
      return { latencyMs, crash: null, fail, stale: false };
    }
    line += settings.hangPerCall;
    if (draw < line) {
      struck('hang');
      return { latencyMs: HANG_MS, crash: null, fail: null, stale: false };
    }
    const stale = kind === 'read' && random.uniform() < settings.stalePerRead;
    if (stale) struck('stale read');
    return { latencyMs, crash: null, fail: null, stale };
  }

  function event(): EventFault {
    const delayMs = settings.noticeDelayMs === 0 ? 0 : Math.floor(random.uniform() * settings.noticeDelayMs);
    if (isOver()) return { delayMs, times: 1 };
    const draw = random.uniform();
    if (draw < settings.noticeLost) {
      struck('notice lost');
      return { delayMs, times: 0 };
    }
    if (draw < settings.noticeLost + settings.noticeTwice) {
      struck('notice twice');
      return { delayMs, times: 2 };
    }
    return { delayMs, times: 1 };
  }

  return { call, event };
}

/** One crash at one await, nothing else: what a crash sweep does, once per await and way. */
export function crashOnceAt(await_: number, when: 'before' | 'after', latencyMs: number): FaultPlan {
  return {
    call: (number, _name, kind) => ({
      latencyMs: kind === 'wait' ? 0 : latencyMs,
      crash: number === await_ ? when : null,
      fail: null,
      stale: false,
    }),
    event: () => ({ delayMs: 0, times: 1 }),
  };
}
