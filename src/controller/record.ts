// The only writer of state. One store.record holds everything a decision changes: state with evidence and cursor,
// journal, answers to commands, releases; and it is written before any effect. It refuses to write when nothing but
// time has passed, so that a policy at rest costs no writes.
import type { Decision, State } from '../core/engine/index.ts';
import type { CommandAnswer } from '../core/model/command.ts';
import { elapsedMs, type Instant } from '../core/model/time.ts';
import { describeError } from '../lib/errors.ts';
import type { Store } from '../ports/index.ts';
import type { CallGuard } from './call-guard.ts';
import { encodeAnswer, encodeBody, encodeRelease, isSameButClock, withClock } from './codec.ts';

/** The state as last read or written, decoded, and its text without the clock (made when first needed). */
export interface Known {
  readonly version: number;
  readonly state: State;
  body: string | null;
  /** When it was last written, on the clock of its instants; null: never by this controller. */
  readonly writtenAt: Instant | null;
}

export type Recorded =
  | { readonly kind: 'recorded' | 'unchanged'; readonly known: Known }
  | { readonly kind: 'conflict' }
  /** The store could not take it: what this decision starts, raises or removes must not be done. */
  | { readonly kind: 'unrecorded'; readonly why: 'full' | 'failed'; readonly message: string };

export interface ToRecord {
  readonly policy: string;
  readonly known: Known;
  readonly decision: Decision;
  /** Answers the controller gives itself, to commands nobody can read. */
  readonly refusals: readonly CommandAnswer[];
  readonly keepReleases: number;
  /** A record in which only time has passed is not written more often than this. */
  readonly restMs: number;
}

export async function record(store: Store, guard: CallGuard, input: ToRecord): Promise<Recorded> {
  const { known, decision, refusals } = input;
  const written = decision.events.length + decision.answers.length + decision.changed.length + refusals.length > 0;
  if (!written && isSameButClock(known.state, decision.state)) {
    return { kind: 'unchanged', known: { ...known, state: decision.state } };
  }
  const body = encodeBody(decision.state);
  known.body ??= encodeBody(known.state);
  if (!written && known.body === body) {
    return { kind: 'unchanged', known: { ...known, state: decision.state, body } };
  }
  if (!written && isRecent(input) && timelessBody(known.state) === timelessBody(decision.state)) {
    return { kind: 'unchanged', known: { ...known, state: decision.state, body } };
  }
  return write(store, guard, input, body);
}

/** Time that passed and was not written is lost by a crash, and counts for nothing then: no wait ends early by it. */
function isRecent({ known, decision, restMs }: ToRecord): boolean {
  if (restMs === 0 || known.writtenAt === null || known.writtenAt.epoch !== decision.state.clock.epoch) return false;
  return elapsedMs(known.writtenAt, decision.state.clock) < restMs;
}

/** The state without the clocks that run in it. */
function timelessBody(state: State): string {
  const { release } = state;
  const draining = Object.fromEntries(Object.keys(state.draining).map((revision) => [revision, 0]));
  const stopped = release === null ? null : { ...release, elapsed: NO_TIME };
  return encodeBody({ ...state, draining, release: stopped });
}

const NO_TIME = { stageMs: 0, testingMs: 0, releaseMs: 0, gateMs: 0, notReadyMs: 0 };

async function write(store: Store, guard: CallGuard, input: ToRecord, body: string): Promise<Recorded> {
  const { policy, known, decision } = input;
  const { wallTime } = decision.state.clock;
  try {
    const result = await guard.run('the store', () =>
      store.record({
        policy,
        expectedVersion: known.version,
        state: withClock(body, decision.state.clock),
        journal: decision.events.map(({ release, kind, sentence, details }) => ({
          release,
          wallTime,
          document: JSON.stringify({ kind, sentence, because: decision.because, details }),
        })),
        releases: decision.changed.map((release) => ({ id: release.id, document: encodeRelease(release) })),
        answers: [...decision.answers, ...input.refusals].map((answer) => ({
          id: answer.id,
          document: encodeAnswer(answer),
        })),
        keepReleases: input.keepReleases,
      }),
    );
    switch (result.kind) {
      case 'recorded':
        return {
          kind: 'recorded',
          known: { version: result.version, state: decision.state, body, writtenAt: decision.state.clock },
        };
      case 'conflict':
        return result;
      case 'full':
        return { kind: 'unrecorded', why: 'full', message: result.message };
    }
  } catch (error) {
    return { kind: 'unrecorded', why: 'failed', message: describeError(error) };
  }
}
