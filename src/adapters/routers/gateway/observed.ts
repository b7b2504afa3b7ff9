// From what the gateway processes say to what the router is seen to do. Pure.
import type { RouterObservation } from '../../../core/model/observed.ts';
import type { Revision } from '../../../core/model/split.ts';
import type { GatewayStatus } from './instances.ts';
import { canonical } from './wanted-config.ts';

export const ABSENT: RouterObservation = {
  state: 'absent',
  reason: 'no gateway process runs',
  split: null,
  endpoints: {},
  healthy: {},
  inFlight: {},
  instances: [],
};

/** The one that takes new connections: the newest that does not drain, else the newest. */
export function serving(statuses: readonly GatewayStatus[]): GatewayStatus | undefined {
  return statuses.findLast(({ snapshot }) => !snapshot.draining) ?? statuses.at(-1);
}

export function observationOf(statuses: readonly GatewayStatus[]): RouterObservation {
  const main = serving(statuses);
  if (main === undefined) return ABSENT;
  const { config, snapshot } = main;
  return {
    ...stateOf(statuses, main),
    split: config?.split ?? null,
    endpoints: Object.fromEntries((config?.versions ?? []).map(({ revision, endpoints }) => [revision, endpoints])),
    healthy: Object.fromEntries(
      Object.entries(snapshot.endpoints).map(([revision, { healthy }]) => [revision, healthy]),
    ),
    inFlight: inFlightOf(statuses),
    instances: statuses.map(({ file, snapshot: { draining } }) =>
      draining ? `${file.instance} (pid ${file.pid}, draining)` : `${file.instance} (pid ${file.pid})`,
    ),
  };
}

/** Of all processes together: one that drains still answers what it has. */
export function inFlightOf(statuses: readonly GatewayStatus[]): Readonly<Record<Revision, number>> {
  const total: Record<Revision, number> = {};
  for (const { snapshot } of statuses) {
    for (const [revision, count] of Object.entries(snapshot.inFlight)) total[revision] = (total[revision] ?? 0) + count;
  }
  return total;
}

function stateOf(statuses: readonly GatewayStatus[], main: GatewayStatus): Pick<RouterObservation, 'state' | 'reason'> {
  if (main.config === null) return { state: 'progressing', reason: 'the gateway has no configuration yet' };
  if (main.snapshot.draining) return { state: 'progressing', reason: 'the gateway is draining and no other has come' };
  // Connections a former process still has are split by its own configuration.
  const split = canonical(main.config.split);
  const other = statuses.find(({ config }) => config !== null && canonical(config.split) !== split);
  if (other !== undefined) {
    return { state: 'progressing', reason: `gateway ${other.file.instance}, which is ending, has another split still` };
  }
  return { state: 'converged', reason: 'in force for every new request' };
}
