// What the gateway has counted, as one document of one instant: taken within one turn of the event loop.
import type { GatewayPast, GatewaySnapshot, LatencyCell, RequestCell } from '../core/model/gateway.ts';
import { SLICE_MS } from './endpoint-past.ts';
import type { Gateway } from './gateway.ts';

export function snapshotOf(gateway: Gateway): GatewaySnapshot {
  const nowMs = performance.now();
  const cells: RequestCell[] = [];
  const latency: LatencyCell[] = [];
  const inFlight: Record<string, number> = {};
  const endpoints: Record<string, { healthy: number; total: number }> = {};
  const users: Record<string, number> = {};
  for (const version of gateway.versions.values()) {
    for (const counts of version.routes.values()) {
      cells.push(...counts.cells(version.revision));
      const timed = counts.latency(version.revision);
      if (timed !== null) latency.push(timed);
    }
    if (version.users.size > 0) users[version.revision] = version.users.size;
    if (version.configured || version.inFlight > 0) inFlight[version.revision] = version.inFlight;
    if (!version.configured) continue;
    const healthy = version.endpoints.filter((endpoint) => endpoint.isHealthy(nowMs)).length;
    endpoints[version.revision] = { healthy, total: version.endpoints.length };
  }
  return {
    instance: gateway.instance,
    pid: process.pid,
    generation: gateway.config?.generation ?? 0,
    upMs: Math.round(gateway.upMs),
    draining: gateway.runtime.draining,
    cells,
    latency,
    inFlight,
    endpoints,
    users,
  };
}

/** Asked for apart: it is much larger than the counts, and nobody needs it more than once a release. */
export function pastOf(gateway: Gateway): GatewayPast {
  const nowMs = performance.now();
  const endpoints = [...gateway.versions.values()].flatMap((version) =>
    [...version.left, ...version.endpoints].flatMap(({ host, port, past }) => {
      const slices = past?.slices(nowMs) ?? [];
      return slices.length === 0 ? [] : [{ revision: version.revision, endpoint: { host, port }, slices }];
    }),
  );
  return { sliceMs: SLICE_MS, endpoints };
}
