// The counts in the text format Prometheus reads (version 0.0.4). Histogram boundaries are every eighth one of the
// gateway's own buckets, so each is exact: a doubling from 61 microseconds to 128 seconds.
import { LATENCY_BUCKETS, latencyBoundary } from '../core/model/latency-buckets.ts';
import type { Gateway } from './gateway.ts';
import { snapshotOf } from './snapshot.ts';

const BUCKETS_PER_LINE = 8;

interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly lines: readonly string[];
}

export function metricsText(gateway: Gateway): string {
  return families(gateway)
    .map(({ name, type, help, lines }) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`)
    .join('');
}

function families(gateway: Gateway): Family[] {
  const snapshot = snapshotOf(gateway);
  const base = { service: gateway.config?.service ?? '' };
  const named = (revision: string) => ({ ...base, revision, version: gateway.versions.get(revision)?.label ?? '' });
  const versions = [...gateway.versions.values()];
  const perVersion = (name: string, pick: (version: (typeof versions)[number]) => number): string[] =>
    versions.map((version) => line(name, named(version.revision), pick(version)));
  const weights = gateway.config?.split.weights ?? [];
  return [
    {
      name: 'haldane_gateway_requests_total',
      type: 'counter',
      help: 'Requests that ended, by status code of the version or by how they ended without one.',
      lines: snapshot.cells.map((cell) =>
        line(
          'haldane_gateway_requests_total',
          { ...named(cell.revision), route: cell.route, method: cell.method, ended: String(cell.ended) },
          cell.count,
        ),
      ),
    },
    {
      name: 'haldane_gateway_request_duration_seconds',
      type: 'histogram',
      help: 'Time to the last byte of the response.',
      lines: snapshot.latency.flatMap((cell) =>
        histogram(cell.counts, cell.sumSeconds, { ...named(cell.revision), route: cell.route }),
      ),
    },
    gauge(
      'haldane_gateway_in_flight',
      'Requests in flight.',
      perVersion('haldane_gateway_in_flight', (v) => v.inFlight),
    ),
    gauge(
      'haldane_gateway_weight_percent',
      'Weight asked for.',
      weights.map((entry) => line('haldane_gateway_weight_percent', named(entry.revision), entry.weightPercent)),
    ),
    gauge(
      'haldane_gateway_endpoints_healthy',
      'Endpoints that accepted a connection lately.',
      Object.entries(snapshot.endpoints).map(([revision, seen]) =>
        line('haldane_gateway_endpoints_healthy', named(revision), seen.healthy),
      ),
    ),
    gauge(
      'haldane_gateway_users',
      'Distinct users seen.',
      perVersion('haldane_gateway_users', (v) => v.users.size),
    ),
    counter(
      'haldane_gateway_retried_requests_total',
      'Requests not counted because they repeat one of the minute before.',
      perVersion('haldane_gateway_retried_requests_total', (v) => v.repeats),
    ),
    counter(
      'haldane_gateway_resent_total',
      'Requests sent once more because an idle connection had gone stale.',
      perVersion('haldane_gateway_resent_total', (v) => v.resent),
    ),
    ...gatewayFamilies(gateway, base),
  ];
}

function gatewayFamilies(gateway: Gateway, base: Labels): Family[] {
  const { runtime } = gateway;
  return [
    counter(
      'haldane_gateway_refused_total',
      'Requests the gateway answered itself, by reason.',
      [...runtime.refused].map(([reason, count]) => line('haldane_gateway_refused_total', { ...base, reason }, count)),
    ),
    counter('haldane_gateway_connections_total', 'Connections accepted.', [
      line('haldane_gateway_connections_total', base, gateway.connectionsTotal),
    ]),
    gauge('haldane_gateway_connections', 'Connections open.', [
      line('haldane_gateway_connections', base, runtime.clients.size),
    ]),
    gauge('haldane_gateway_generation', 'Generation of the configuration in force.', [
      line('haldane_gateway_generation', base, gateway.config?.generation ?? 0),
    ]),
    gauge('haldane_gateway_draining', '1 while draining.', [
      line('haldane_gateway_draining', base, runtime.draining ? 1 : 0),
    ]),
    counter('haldane_gateway_access_log_dropped_total', 'Lines of the access log that could not be written.', [
      line('haldane_gateway_access_log_dropped_total', base, runtime.accessLog?.dropped ?? 0),
    ]),
  ];
}

type Labels = Readonly<Record<string, string>>;

function gauge(name: string, help: string, lines: readonly string[]): Family {
  return { name, type: 'gauge', help, lines };
}

function counter(name: string, help: string, lines: readonly string[]): Family {
  return { name, type: 'counter', help, lines };
}

function line(name: string, labels: Labels, value: number): string {
  const text = Object.entries(labels).map(([label, content]) => `${label}="${escaped(content)}"`);
  return `${name}{${text.join(',')}} ${value}\n`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function histogram(counts: readonly (readonly [number, number])[], sum: number, labels: Labels): string[] {
  const name = 'haldane_gateway_request_duration_seconds';
  const lines: string[] = [];
  let below = 0;
  let next = 0;
  for (let index = 0; index < LATENCY_BUCKETS - 1; index++) {
    if (counts[next]?.[0] === index) below += (counts[next++] as readonly [number, number])[1];
    if (index % BUCKETS_PER_LINE === 0)
      lines.push(line(`${name}_bucket`, { ...labels, le: String(latencyBoundary(index)) }, below));
  }
  const total = counts.reduce((all, [, count]) => all + count, 0);
  lines.push(line(`${name}_bucket`, { ...labels, le: '+Inf' }, total));
  lines.push(line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, total));
  return lines;
}
