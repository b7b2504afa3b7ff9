// Gathers one observation from all ports at once. A port that fails becomes an error in the observation: never a
// difference (row 70), never an absence (row 71), never an exception. It reads only what the engine asked for.
import { type LookFor, type Observation, type State, underWay } from '../core/engine/index.ts';
import type { History, MeasurementResult } from '../core/model/measurement.ts';
import type { GateAnswer, Observed } from '../core/model/observed.ts';
import type { ReleasePolicy } from '../core/model/policy.ts';
import { describeError } from '../lib/errors.ts';
import type { CallGuard } from './call-guard.ts';
import type { ControllerDeps } from './deps.ts';

export type Seen = Pick<Observation, 'workload' | 'router' | 'measured' | 'history' | 'gates'>;

const NOTHING_MEASURED: MeasurementResult = { kind: 'none' };
const NO_GATES: Readonly<Record<string, GateAnswer>> = {};

/** The policy that holds now: the one frozen with the release under way, else the declared one. */
export function policyInForce(state: State, declared: ReleasePolicy): ReleasePolicy {
  return underWay(state)?.policy ?? declared;
}

export async function observe(
  deps: ControllerDeps,
  guard: CallGuard,
  input: { readonly policy: ReleasePolicy; readonly look: LookFor },
): Promise<Seen> {
  const { policy, look } = input;
  const [workload, router, measured, history, gates] = await Promise.all([
    seen(guard.run('the workload', () => deps.workload.observe(policy))),
    seen(guard.run('the router', () => deps.router.observe(policy))),
    look.measure === null ? NOTHING_MEASURED : measure(deps, guard, policy, look.measure),
    look.history === null ? null : readHistory(deps, guard, policy, look.history),
    look.gates.length === 0 ? NO_GATES : readGates(deps, guard, look.gates),
  ]);
  return { workload, router, measured, history, gates };
}

function seen<T>(call: Promise<T>): Promise<Observed<T>> {
  return call.then(
    (value) => ({ kind: 'seen', value }),
    (error: unknown) => ({ kind: 'error', message: describeError(error) }),
  );
}

async function measure(
  deps: ControllerDeps,
  guard: CallGuard,
  policy: ReleasePolicy,
  wanted: NonNullable<LookFor['measure']>,
): Promise<MeasurementResult> {
  try {
    return await guard.run('the metric source', () => deps.metrics.measure({ policy, ...wanted }));
  } catch (error) {
    return { kind: 'error', message: describeError(error) };
  }
}

/** null is "not known this time": the engine asks again. */
async function readHistory(
  deps: ControllerDeps,
  guard: CallGuard,
  policy: ReleasePolicy,
  wanted: NonNullable<LookFor['history']>,
): Promise<History | null> {
  try {
    return await guard.run('the metric source', () => deps.metrics.history({ policy, ...wanted }));
  } catch (error) {
    deps.log.warn('history not read', { policy: policy.name, error });
    return null;
  }
}

async function readGates(
  deps: ControllerDeps,
  guard: CallGuard,
  keys: readonly string[],
): Promise<Readonly<Record<string, GateAnswer>>> {
  const answers = await Promise.all(
    keys.map(async (key): Promise<readonly [string, GateAnswer]> => {
      try {
        return [key, await guard.run('a gate', () => deps.gates.answer(key))];
      } catch (error) {
        return [key, { status: 'error', message: describeError(error) }];
      }
    }),
  );
  return Object.fromEntries(answers);
}
