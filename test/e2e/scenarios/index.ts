// All scenarios, in the order in which they are played. The control comes first: without it the rest proves nothing.
import type { Scenario } from '../scenario.ts';
import { ENDINGS } from './endings.ts';
import { FAULTS } from './faults.ts';
import { CONTROL, PEOPLE } from './people.ts';

export const SCENARIOS: readonly Scenario[] = [...CONTROL, ...ENDINGS, ...PEOPLE, ...FAULTS];
