// Measurements from the embedded gateway's own counters: exact counts of every request, all versions of one instant,
// over all gateway processes, each request once. It never interpolates and never turns an absence into a number.
import type { Check } from '../../core/model/check.ts';
import { measuredChecks } from '../../core/model/check-expansion.ts';
import type { GatewayPast } from '../../core/model/gateway.ts';
import type { History, Measurement, MeasurementResult, Reading } from '../../core/model/measurement.ts';
import type { VersionLife } from '../../core/model/observed.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import type { Revision } from '../../core/model/split.ts';
import { elapsedMs } from '../../core/model/time.ts';
import type { Clock } from '../../ports/clock.ts';
import { type MeasureQuery, type MetricSource, openingMeasurement } from '../../ports/metric-source.ts';
import { formatCursor, type GatewayCursor, parseCursor } from './gateway/cursor.ts';
import { Gauges, type ReplicaProcess } from './gateway/gauges.ts';
import { countsLives, type LifeMarks, type LifeWindow, type Lives, lifeMarks, lifeReading } from './gateway/lives.ts';
import { type PastQuery, pastReadings } from './gateway/past.ts';
import { replicaTallies } from './gateway/replicas.ts';
import { countsRequests } from './gateway/tallies.ts';
import {
  type InstanceSnapshot,
  openingCursor,
  readingOf,
  unmeasured,
  type Window,
  type WindowQuery,
  windowSince,
} from './gateway/window.ts';

export interface GatewayMetricsOptions {
  readonly clock: Clock;
  /** Every gateway process of a policy, living and ended. Rejects if one that lives does not answer. */
  readonly readInstances: (policy: ReleasePolicy) => Promise<readonly InstanceSnapshot[]>;
  /** The last hour of each endpoint, by gateway process. */
  readonly readPasts: (policy: ReleasePolicy) => Promise<readonly GatewayPast[]>;
  /** The processes of the policy's replicas; null where somebody else runs them. */
  readonly readReplicas: (policy: ReleasePolicy) => Promise<readonly ReplicaProcess[] | null>;
  /** What the policy's replicas lived through; null where somebody else runs them. */
  readonly readLives: (policy: ReleasePolicy) => Promise<readonly VersionLife[] | null>;
  /** For the agent's log: counts of this gateway process since its last flush are lost. */
  readonly onLost?: (policy: string, instance: string) => void;
}

export class GatewayMetrics implements MetricSource {
  readonly #options: GatewayMetricsOptions;
  readonly #gauges = new Map<string, Gauges>();

  constructor(options: GatewayMetricsOptions) {
    this.#options = options;
  }

  async measure(asked: MeasureQuery): Promise<MeasurementResult> {
    const query = { ...asked, checks: measuredChecks(asked.checks) };
    let instances: readonly InstanceSnapshot[];
    try {
      instances = await this.#options.readInstances(query.policy);
    } catch (error) {
      return { kind: 'error', message: `the gateway could not be read: ${messageOf(error)}` };
    }
    if (instances.length === 0) return { kind: 'error', message: 'there is no gateway to read from' };
    const window = windowQuery(query);
    const lives = await this.#lives(query.policy, window.checks);
    const now = this.#options.clock.now();
    if (query.cursor === null) {
      const opening = { ...openingCursor(instances, window, now), ...marked(lives, undefined) };
      return { kind: 'measurement', measurement: openingMeasurement(formatCursor(opening)) };
    }
    const cursor = parseCursor(query.cursor);
    if (cursor === null) return { kind: 'error', message: 'the place where reading stopped is not one of this source' };
    const counted = windowSince(cursor, instances, window, now);
    for (const instance of counted.lost) this.#options.onLost?.(query.policy.name, instance);
    if (!counted.sound) return { kind: 'error', message: 'a count of the gateway is not a count, or went backwards' };
    return {
      kind: 'measurement',
      measurement: {
        spanMs: elapsedMs(cursor.at, now),
        readings: await this.#readings(query, counted, { revisions: window.revisions, since: cursor.lives, lives }),
        requests: requestsOf(counted),
        ...drawnOf(counted),
        users: usersOf(instances, window.revisions),
        cursor: formatCursor({ ...counted.cursor, ...marked(lives, cursor.lives) }),
      },
    };
  }

  async history({ policy, stable, checks: asked }: Omit<MeasureQuery, 'cursor' | 'canary'>): Promise<History> {
    const checks = measuredChecks(asked);
    if (stable === null) {
      return { readings: readingsFor(checks, { kind: 'no-data', message: 'there is no stable version yet' }) };
    }
    let instances: readonly InstanceSnapshot[];
    try {
      instances = await this.#options.readInstances(policy);
    } catch (error) {
      const message = `the gateway could not be read: ${messageOf(error)}`;
      return { readings: readingsFor(checks, { kind: 'error', message }) };
    }
    const query = { policy, stable, checks };
    const readings = pastReadings(query, instances, await this.#lives(policy, checks));
    const replicas = await this.#replicas(query);
    return replicas === null ? { readings } : { readings, replicas };
  }

  /** How replicas differ is not needed to go on: what cannot be read is not known, and that is no error. */
  async #replicas(query: PastQuery): Promise<History['replicas'] | null> {
    if (!query.checks.some(({ metric }) => metric.kind === 'errors')) return null;
    try {
      const pasts = await this.#options.readPasts(query.policy);
      return replicaTallies(query, pasts, Date.parse(this.#options.clock.now().wallTime));
    } catch {
      return null;
    }
  }

  /** Read only where something counts them. */
  async #lives(policy: ReleasePolicy, checks: readonly Check[]): Promise<Lives> {
    if (!checks.some(countsLives)) return { kind: 'seen', value: null };
    try {
      return { kind: 'seen', value: await this.#options.readLives(policy) };
    } catch (error) {
      return { kind: 'error', message: messageOf(error) };
    }
  }

  async #readings(query: MeasureQuery, window: Window, lives: LifeWindow): Promise<Readonly<Record<string, Reading>>> {
    const gauges = query.checks.filter(({ metric }) => metric.kind === 'gauge');
    const others = query.checks.filter(({ metric }) => metric.kind !== 'gauge');
    return {
      ...Object.fromEntries(
        others.map((check) => {
          if (check.metric.kind === 'count') return [check.name, lifeReading(check, lives)];
          return [check.name, countsRequests(check.metric) ? readingOf(window, check) : unmeasured(check)];
        }),
      ),
      ...(gauges.length === 0 ? {} : await this.#readGauges(query, gauges)),
    };
  }

  async #readGauges(query: MeasureQuery, checks: readonly Check[]): Promise<Readonly<Record<string, Reading>>> {
    let replicas: readonly ReplicaProcess[] | null;
    try {
      replicas = await this.#options.readReplicas(query.policy);
    } catch (error) {
      return readingsFor(checks, { kind: 'error', message: `the replicas could not be read: ${messageOf(error)}` });
    }
    if (replicas === null) return readingsFor(checks, { kind: 'no-data', message: 'not visible for upstreams' });
    const gauges = this.#gauges.get(query.policy.name) ?? new Gauges();
    this.#gauges.set(query.policy.name, gauges);
    gauges.keepOnly(replicas);
    const revisions = revisionsOf(query);
    return Object.fromEntries(checks.map((check) => [check.name, gauges.read(check, revisions, replicas)]));
  }
}

function marked(lives: Lives, before: LifeMarks | undefined): Pick<GatewayCursor, 'lives'> {
  const marks = lifeMarks(lives, before);
  return marks === undefined ? {} : { lives: marks };
}

/** All checks of the policy, not only those asked now: a check that a later stage asks must find its place in the cursor. */
function windowQuery(query: MeasureQuery): WindowQuery {
  const byName = new Map([...measuredChecks(query.policy.checks), ...query.checks].map((check) => [check.name, check]));
  return { revisions: revisionsOf(query), checks: [...byName.values()], errors: query.policy.errors };
}

function revisionsOf(query: Pick<MeasureQuery, 'stable' | 'canary'>): readonly Revision[] {
  return query.stable === null || query.stable === query.canary ? [query.canary] : [query.stable, query.canary];
}

function requestsOf(window: Window): Readonly<Record<Revision, number>> {
  return Object.fromEntries(
    Object.entries(window.tally.revisions).map(([revision, { requests }]) => [revision, requests]),
  );
}

/** What chance sent there; nothing is said if that of one version is not known. */
function drawnOf(window: Window): Pick<Measurement, 'drawn'> {
  const drawn: Record<Revision, number> = {};
  for (const [revision, tally] of Object.entries(window.tally.revisions)) {
    if (tally.drawn === undefined) return {};
    drawn[revision] = tally.drawn;
  }
  return { drawn };
}

/** At least so many: users seen by two gateway processes cannot be told apart, so the largest count stands. */
function usersOf(
  instances: readonly InstanceSnapshot[],
  revisions: readonly Revision[],
): Readonly<Record<Revision, number>> {
  return Object.fromEntries(
    revisions.map((revision) => [
      revision,
      Math.max(0, ...instances.map(({ snapshot }) => snapshot.users[revision] ?? 0)),
    ]),
  );
}

function readingsFor(checks: readonly Check[], reading: Reading): Readonly<Record<string, Reading>> {
  return Object.fromEntries(checks.map(({ name }) => [name, reading]));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
