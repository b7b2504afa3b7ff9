// Draws what goes wrong with each call and each notice, from a seed. After the faults' end the world is well, save for
// latency, which is always there.
import type { Random } from '../core/statistics/index.ts';
import type { FaultSettings } from './scenario.ts';
import { type CallFault, type CallKind, type EventFault, type FaultPlan, NO_FAULT } from './wire.ts';

const HANG_MS = 60_000;

export interface FaultDrawing {
  readonly random: Random;
  readonly settings: FaultSettings;
  readonly isOver: () => boolean;
  readonly struck: (kind: string) => void;
}

export function createFaultPlan({ random, settings, isOver, struck }: FaultDrawing): FaultPlan {
  const latency = (): number => (settings.latencyMs === 0 ? 0 : Math.floor(random.uniform() ** 4 * settings.latencyMs));

  const answered = (latencyMs: number, fault: Partial<CallFault>): CallFault => ({ ...NO_FAULT, latencyMs, ...fault });

  function call(_number: number, _name: string, kind: CallKind): CallFault {
    const latencyMs = kind === 'wait' ? 0 : latency();
    if (isOver()) return answered(latencyMs, {});
    const draw = random.uniform();
    const crashLine = settings.crashPerCall;
    if (draw < crashLine) {
      const crash = random.uniform() < 0.5 ? 'before' : 'after';
      struck(`crash ${crash}`);
      return answered(latencyMs, { crash });
    }
    return kind === 'wait' ? answered(latencyMs, {}) : lesser(kind, draw - crashLine, latencyMs);
  }

  /** What the controller survives: a failure, a minute of silence, an old answer. */
  function lesser(kind: CallKind, draw: number, latencyMs: number): CallFault {
    if (draw < settings.failPerCall) {
      const fail = kind === 'write' && random.uniform() < 0.5 ? 'after' : 'before';
      struck(`fail ${fail}`);
      return answered(latencyMs, { fail });
    }
    if (draw < settings.failPerCall + settings.hangPerCall) {
      struck('hang');
      return answered(HANG_MS, {});
    }
    const stale = kind === 'read' && random.uniform() < settings.stalePerRead;
    if (stale) struck('stale read');
    return answered(latencyMs, { stale });
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
