// How stable's endpoints differed within slices of time, for its dispersion: pasts of gateway processes in, tallies out.
// Pure. Approximate on purpose: a past knows status classes and no routes, so a code the policy names stands for its class
// and what a check selects is not looked at. It refuses a slice with fewer than two endpoints: that says nothing.
import type { ErrorDefinition } from '../../../core/model/check.ts';
import type { EndedClass, GatewayPast } from '../../../core/model/gateway.ts';
import { countsAsError } from '../../../core/model/http-counts.ts';
import type { History, ReplicaTally } from '../../../core/model/measurement.ts';
import type { Revision } from '../../../core/model/split.ts';
import type { PastQuery } from './past.ts';

const AT_MOST_MS = 3_600_000;

/** Per check of kind errors, the slices of the last hour, oldest first, each with an entry per endpoint. */
export function replicaTallies(
  { policy, stable, checks }: PastQuery,
  pasts: readonly GatewayPast[],
  nowUnixMs: number,
): NonNullable<History['replicas']> {
  const slices = slicesOf(pasts, stable, policy.errors, nowUnixMs - AT_MOST_MS);
  const named = checks.filter(({ metric }) => metric.kind === 'errors').map(({ name }) => [name, slices] as const);
  return slices.length === 0 ? {} : Object.fromEntries(named);
}

function slicesOf(
  pasts: readonly GatewayPast[],
  stable: Revision,
  errors: ErrorDefinition,
  sinceUnixMs: number,
): readonly (readonly ReplicaTally[])[] {
  const byTime = new Map<number, Map<string, ReplicaTally>>();
  for (const { sliceMs, endpoints } of pasts) {
    for (const { revision, endpoint, slices } of endpoints) {
      if (revision !== stable) continue;
      const place = `${endpoint.host} ${endpoint.port}`;
      for (const { slice, ended } of slices) {
        if (slice * sliceMs < sinceUnixMs) continue;
        const places = byTime.get(slice * sliceMs) ?? new Map<string, ReplicaTally>();
        byTime.set(slice * sliceMs, places);
        places.set(place, plus(places.get(place), ended, errors));
      }
    }
  }
  return [...byTime]
    .sort(([left], [right]) => left - right)
    .map(([, places]) => [...places.values()].filter(({ total }) => total > 0))
    .filter((replicas) => replicas.length >= 2);
}

/** Two processes may have counted one endpoint in one slice: while one takes over from the other. */
function plus(
  before: ReplicaTally | undefined,
  ended: readonly (readonly [EndedClass, number])[],
  errors: ErrorDefinition,
): ReplicaTally {
  let { total, bad } = before ?? { total: 0, bad: 0 };
  for (const [name, count] of ended) {
    const isBad = isError(errors, name);
    if (name === 'client-closed' && !isBad) continue;
    total += count;
    if (isBad) bad += count;
  }
  return { total, bad };
}

function isError(errors: ErrorDefinition, name: EndedClass): boolean {
  if (!name.endsWith('xx')) return countsAsError(errors, name as Exclude<EndedClass, `${number}xx`>);
  const hundreds = Number(name[0]);
  return (
    countsAsError(errors, hundreds * 100) || errors.statusCodes.some((code) => Math.floor(code / 100) === hundreds)
  );
}
