// What every command does in every situation, or why it is refused and what to do instead. One table: the engine obeys
// it, and command help, API, reference pages and buttons are made from it.
import type { Verb } from '../model/command.ts';
import type { PhaseKind } from './state.ts';

/** Where a workload can stand when a command comes in: at rest, or in a phase of a release. */
export type Situation = 'at rest' | Exclude<PhaseKind, 'ended'>;

export const SITUATIONS: readonly Situation[] = ['at rest', 'starting', 'testing', 'promoting', 'aborting'];

export type Cell = { readonly does: string } | { readonly refused: string };

export interface CommandRow {
  readonly summary: string;
  /** When a reason must be given with it. */
  readonly reason: 'never' | 'always' | 'with --skip-analysis';
  readonly cells: Readonly<Record<Situation, Cell>>;
  readonly example: string;
}

const does = (text: string): Cell => ({ does: text });
const refused = (text: string): Cell => ({ refused: text });

const NOTHING_UNDER_WAY = 'no release is under way';
const DECIDED_TO_PROMOTE = 'it is decided already; abort takes it back';
const ON_THE_WAY_OUT = 'the release is being aborted';

export const COMMAND_TABLE: Readonly<Record<Verb, CommandRow>> = {
  promote: {
    summary: 'Make the new version stable now. Needs the proof of no harm, or --skip-analysis with a reason.',
    reason: 'with --skip-analysis',
    cells: {
      'at rest': does('with --skip-analysis: releases the version that waits, unanalysed and marked so for ever'),
      starting: does('with --skip-analysis: goes to full capacity, then all traffic, marked for ever'),
      testing: does(
        'if every required check has proved no harm and no gate is left (or with --skip-analysis): promotes without further stages',
      ),
      promoting: refused(`promotion is under way: ${DECIDED_TO_PROMOTE}`),
      aborting: refused(`${ON_THE_WAY_OUT}; retry afterwards`),
    },
    example: 'haldane promote shop --skip-analysis --reason "fix for the outage"',
  },
  abort: {
    summary: 'Take the new version back: all traffic to stable at once, then drain, then stop it.',
    reason: 'never',
    cells: {
      'at rest': refused(`${NOTHING_UNDER_WAY}; rollback returns to an earlier version`),
      starting: does('stops the new version; no user has seen it'),
      testing: does('sends all traffic to stable at once'),
      promoting: does('sends all traffic back to stable, which still has its full capacity'),
      aborting: does('nothing more: it is being aborted already'),
    },
    example: 'haldane abort shop --reason "support sees complaints"',
  },
  pause: {
    summary: 'Stop the clock: weight and stage stay as they are. Harm still aborts.',
    reason: 'never',
    cells: {
      'at rest': refused(`${NOTHING_UNDER_WAY}; suspend keeps new versions from being released`),
      starting: does('the new version comes up and gets no traffic'),
      testing: does('the weight stays; bake times and deadlines stop; checks go on and harm still aborts'),
      promoting: refused(`promotion is under way: ${DECIDED_TO_PROMOTE}`),
      aborting: refused(ON_THE_WAY_OUT),
    },
    example: 'haldane pause shop --reason "incident elsewhere"',
  },
  resume: {
    summary: 'Let the clock of a paused release run on.',
    reason: 'never',
    cells: {
      'at rest': refused(NOTHING_UNDER_WAY),
      starting: does('goes on where it was paused'),
      testing: does('goes on where it was paused; the pause counts for no bake time and no deadline'),
      promoting: refused('it is not paused'),
      aborting: refused('it is not paused'),
    },
    example: 'haldane resume shop',
  },
  advance: {
    summary: "Say yes for this stage: ends its bake time, and is a person's word where the policy is manual.",
    reason: 'never',
    cells: {
      'at rest': refused(NOTHING_UNDER_WAY),
      starting: refused('it has no stage yet'),
      testing: does('goes on as soon as the checks of this stage pass; it never goes past evidence'),
      promoting: refused('it is past its last stage'),
      aborting: refused(ON_THE_WAY_OUT),
    },
    example: 'haldane advance shop',
  },
  approve: {
    summary: 'Give the approval a gate of this stage waits for. Bound to this version and stage.',
    reason: 'never',
    cells: {
      'at rest': refused(NOTHING_UNDER_WAY),
      starting: refused('no gate is asked yet'),
      testing: does('is recorded with your name; the gate opens when enough different people approved'),
      promoting: refused('its gates are behind it'),
      aborting: refused(ON_THE_WAY_OUT),
    },
    example: 'haldane approve shop --gate qa',
  },
  retry: {
    summary: 'Release a version again that is known as aborted or rolled back.',
    reason: 'never',
    cells: {
      'at rest': does('starts a new release of the version that waits; evidence goes on unless harm had been shown'),
      starting: refused('a release is under way'),
      testing: refused('a release is under way'),
      promoting: refused('a release is under way'),
      aborting: refused(`${ON_THE_WAY_OUT}; retry when it has ended`),
    },
    example: 'haldane retry shop --reason "the database was down"',
  },
  rollback: {
    summary: 'Return to an earlier promoted version: full capacity first, then all traffic, without analysis.',
    reason: 'never',
    cells: {
      'at rest': does(
        'releases the version promoted before this one (or --to one of the history); the present one then waits',
      ),
      starting: refused('a release is under way; abort keeps stable'),
      testing: refused('a release is under way; abort returns to stable at once'),
      promoting: refused('a release is under way; abort returns to stable at once'),
      aborting: refused(ON_THE_WAY_OUT),
    },
    example: 'haldane rollback shop --reason "wrong prices"',
  },
  suspend: {
    summary: 'Break-glass, hands off: new versions pass unanalysed, marked and audited, until unsuspend.',
    reason: 'always',
    cells: {
      'at rest': does('the next versions go to everybody without analysis'),
      starting: does('holds for the next versions; the release under way goes on'),
      testing: does('holds for the next versions; the release under way goes on'),
      promoting: does('holds for the next versions'),
      aborting: does('holds for the next versions'),
    },
    example: 'haldane suspend shop --reason "metrics are being moved"',
  },
  unsuspend: {
    summary: 'End a suspension: new versions are analysed again.',
    reason: 'never',
    cells: {
      'at rest': does('new versions are analysed again'),
      starting: does('new versions are analysed again'),
      testing: does('new versions are analysed again'),
      promoting: does('new versions are analysed again'),
      aborting: does('new versions are analysed again'),
    },
    example: 'haldane unsuspend shop',
  },
};

export const VERBS = Object.keys(COMMAND_TABLE) as readonly Verb[];
