// One thing that is done to a service under its users' requests, as data: what it claims, what it needs, and what is done.
// Whatever it does not say itself holds for all: no request is lost, users see the weights that are asked, and in the end
// the Deployment is a plain one again.
import type { Fault } from './hooks.ts';
import type { RouterUnderTest } from './routers.ts';
import type { Stand } from './stand.ts';

export interface Scenario {
  readonly name: string;
  /** A sentence that is true if it passes. */
  readonly claim: string;
  /** About so long it takes, for shards. */
  readonly seconds: number;
  readonly isQuick?: boolean;
  /** The control: a harness that cannot see this lose proves nothing. */
  readonly mustLose?: boolean;
  readonly needs?: (router: RouterUnderTest) => Need | null;
  /** Before the users come. Left out: v1 is stable under a policy. */
  readonly prepare?: (stand: Stand) => Promise<void>;
  readonly users?: { readonly patienceMs?: number; readonly pace?: number };
  readonly act: (stand: Stand) => Promise<void>;
}

export type Need = { readonly fault: Fault; readonly part: string } | 'prometheus' | { readonly missing: string };
