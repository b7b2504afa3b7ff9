export { COMMAND_TABLE, type CommandRow, SITUATIONS, type Situation, VERBS } from './command-table.ts';
export { decide } from './decide.ts';
export type {
  Allowed,
  Condition,
  Decision,
  DecisionInput,
  JournalEvent,
  Next,
  Observation,
} from './decision.ts';
export { wantedVersion } from './lifecycle.ts';
export { type LookFor, lookFor } from './look-for.ts';
export { plateauOf } from './plateau.ts';
export { situationOf, whyNotNow } from './refusals.ts';
export { settingsOf } from './settings.ts';
export * from './state.ts';
export { isReachable, TRANSITIONS, type Transition } from './transitions.ts';
