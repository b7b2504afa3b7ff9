// The only writer of state. One store.record holds everything a decision changes: state with evidence and cursor,
// journal, answers to commands, releases; and it is written before any effect. It refuses to write when nothing but
// time has passed, so that a policy at rest costs no writes.
import type { Decision, State } from '../core/engine/index.ts';
import type { CommandAnswer } from '../core/model/command.ts';
import { describeError } from '../lib/errors.ts';
import type { Store } from '../ports/index.ts';
import type { CallGuard } from './call-guard.ts';
import { encodeAnswer, encodeBody, encodeRelease, isSameButClock, withClock } from './codec.ts';

/** The state as last read or written, decoded, and its text without the clock (made when first needed). */
export interface Known {
  readonly version: number;
  readonly state: State;
  body: string | null;
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
}

export async function record(store: Store, guard: CallGuard, input: ToRecord): Promise<Recorded> {
  const { known, decision, refusals } = input;
  const written = decision.events.length + decision.answers.length + decision.changed.length + refusals.length > 0;
  if (!written && isSameButClock(known.state, decision.state)) {
    return { kind: 'unchanged', known: { version: known.version, state: decision.state, body: known.body } };
  }
  const body = encodeBody(decision.state);
  known.body ??= encodeBody(known.state);
  if (!written && known.body === body) {
    return { kind: 'unchanged', known: { version: known.version, state: decision.state, body } };
  }
  return write(store, guard, input, body);
}

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
        return { kind: 'recorded', known: { version: result.version, state: decision.state, body } };
      case 'conflict':
        return result;
      case 'full':
        return { kind: 'unrecorded', why: 'full', message: result.message };
    }
  } catch (error) {
    return { kind: 'unrecorded', why: 'failed', message: describeError(error) };
  }
}
