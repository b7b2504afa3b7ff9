// The embedded gateway as a router: one gateway process per policy, started when needed, found again after a restart
// of the agent, replaced by takeover when the program is newer. It refuses a split that sends anyone to nothing.
import { join } from 'node:path';
import type { Backend } from '../../core/model/effect.ts';
import type { Endpoint } from '../../core/model/gateway.ts';
import type { RouterObservation } from '../../core/model/observed.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import type { Revision, Split } from '../../core/model/split.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EnsureResult, Router, RouterCapabilities } from '../../ports/router.ts';
import { GatewayRouterError } from './gateway/errors.ts';
import {
  drain,
  GatewayInstances,
  type GatewayStatus,
  type InstanceFile,
  messageIn,
  putConfig,
  takeOver,
} from './gateway/instances.ts';
import { inFlightOf, observationOf, serving } from './gateway/observed.ts';
import { startGateway } from './gateway/start.ts';
import { Supervision } from './gateway/supervision.ts';
import { type Content, contentFor, says, whyRefused } from './gateway/wanted-config.ts';

export interface GatewayRouterOptions {
  readonly stateDir: string;
  readonly clock: Clock;
  /** The gateway's program; `--state-dir DIR` is added. */
  readonly command: readonly string[];
  /** Of the program `command` starts: a running gateway of another version is replaced without losing a connection. */
  readonly version: string;
  /** A gateway that has not answered by then cannot be looked at. */
  readonly answerMs?: number;
  /** For the agent's log. */
  readonly onEvent?: (event: { readonly policy: string; readonly message: string }) => void;
}

const PUT_TRIES = 4;
/** A takeover that fails holds up changes of the split for its time, so it is not tried again soon. */
const UPGRADE_AGAIN_MS = 600_000;

export class GatewayRouter implements Router {
  readonly capabilities: RouterCapabilities = {
    weightStepPercent: 0.01,
    headerMatch: true,
    cookieMatch: true,
    affinity: true,
    userBuckets: true,
  };
  readonly #options: GatewayRouterOptions;
  /** One change at a time per policy. */
  readonly #busy = new Map<string, Promise<unknown>>();
  readonly #supervisions = new Set<Supervision>();
  readonly #unwanted = new Set<string>();
  readonly #upgradeNotBeforeMs = new Map<string, number>();

  constructor(options: GatewayRouterOptions) {
    this.#options = options;
  }

  ensure(policy: ReleasePolicy, split: Split, backends: readonly Backend[]): Promise<EnsureResult> {
    this.#unwanted.delete(policy.name);
    return this.#alone(policy.name, () => this.#ensure(policy, split, backends));
  }

  async observe(policy: ReleasePolicy): Promise<RouterObservation> {
    return observationOf(await this.#instances(policy.name).status());
  }

  async inFlight(policy: ReleasePolicy): Promise<Readonly<Record<Revision, number>>> {
    return inFlightOf(await this.#instances(policy.name).status());
  }

  watch(policy: ReleasePolicy, changed: () => void): () => void {
    const supervision = new Supervision({
      instances: this.#instances(policy.name),
      clock: this.#options.clock,
      changed,
      revive: () => this.#revive(policy.name),
      tend: (statuses) => this.#tend(policy.name, statuses),
    });
    this.#supervisions.add(supervision);
    return () => {
      supervision.close();
      this.#supervisions.delete(supervision);
    };
  }

  /** Whether the data plane still sends requests to this endpoint, or may have some in flight there. */
  async isInUse(policy: string, revision: Revision, endpoint: Endpoint): Promise<boolean> {
    const statuses = await this.#instances(policy).status();
    const isNamed = statuses.some(({ config }) =>
      config?.versions.some(({ endpoints }) =>
        endpoints.some(({ host, port }) => host === endpoint.host && port === endpoint.port),
      ),
    );
    return isNamed || (inFlightOf(statuses)[revision] ?? 0) > 0;
  }

  /** Counts of every gateway process of a policy, living and ended, for the metric source. */
  counts(policy: string): ReturnType<GatewayInstances['counts']> {
    return this.#instances(policy).counts();
  }

  /** What became of requests at each endpoint in the last hour, by gateway process, for the metric source. */
  pasts(policy: string): ReturnType<GatewayInstances['pasts']> {
    return this.#instances(policy).pasts();
  }

  /** Where users are served; null while nobody is. */
  async listening(policy: string): Promise<Endpoint | null> {
    return serving(await this.#instances(policy).status())?.listening ?? null;
  }

  /** Lets the gateway of a policy answer what it has and end; it is not started again until the next ensure. */
  async release(policy: string): Promise<void> {
    this.#unwanted.add(policy);
    await this.#alone(policy, async () => {
      for (const file of this.#instances(policy).running()) await drain(file);
    });
  }

  /** Stops watching; gateway processes serve on. */
  close(): void {
    for (const supervision of this.#supervisions) supervision.close();
    this.#supervisions.clear();
  }

  async #ensure(policy: ReleasePolicy, split: Split, backends: readonly Backend[]): Promise<EnsureResult> {
    const refused = whyRefused(split, backends);
    if (refused !== null) return { kind: 'rejected', reason: refused };
    const instances = this.#instances(policy.name);
    try {
      if (instances.running().length === 0) await this.#start(policy.name);
      return await this.#put(instances, contentFor(policy, split, backends));
    } catch (error) {
      return { kind: 'progressing', reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Every running process gets it: one that drains still splits what comes on the connections it has. */
  async #put(instances: GatewayInstances, content: Content): Promise<EnsureResult> {
    for (let attempt = 1; attempt <= PUT_TRIES; attempt++) {
      const statuses = await instances.status();
      const main = serving(statuses);
      if (main === undefined) return { kind: 'progressing', reason: 'the gateway ended' };
      const behind = statuses.filter(({ config }) => !says(config, content));
      if (behind.length === 0) return { kind: 'converged' };
      const generation = 1 + Math.max(...statuses.map(({ snapshot }) => snapshot.generation));
      for (const { file } of behind) {
        const { status, body } = await putConfig(file, { generation, ...content });
        if (status === 422 && file === main.file) return { kind: 'rejected', reason: messageIn(body) };
      }
    }
    return { kind: 'progressing', reason: 'the gateway has not taken the configuration over yet' };
  }

  async #start(policy: string): Promise<InstanceFile> {
    const file = await startGateway(this.#instances(policy), this.#options.command, this.#options.clock);
    this.#say(policy, `gateway ${file.instance} runs (pid ${file.pid})`);
    return file;
  }

  /** Keeps one gateway of the right program version; if a takeover fails the old one simply serves on. */
  async #tend(policy: string, statuses: readonly GatewayStatus[]): Promise<void> {
    const main = serving(statuses);
    if (main === undefined || this.#unwanted.has(policy)) return;
    const doubles = statuses.filter((status) => status !== main && !status.snapshot.draining);
    if (doubles.length > 0) await this.#alone(policy, () => this.#endDoubles(policy, doubles));
    if (main.file.version === this.#options.version || main.snapshot.draining) return;
    if (this.#options.clock.now().monotonicMs < (this.#upgradeNotBeforeMs.get(policy) ?? 0)) return;
    await this.#alone(policy, () => this.#upgrade(policy, main.file));
  }

  async #upgrade(policy: string, file: InstanceFile): Promise<void> {
    const { command, clock } = this.#options;
    this.#upgradeNotBeforeMs.set(policy, clock.now().monotonicMs + UPGRADE_AGAIN_MS);
    try {
      const instance = await takeOver(file, [...command, '--state-dir', this.#instances(policy).folder]);
      this.#say(policy, `gateway ${instance} took over from ${file.instance} (program ${file.version})`);
    } catch (error) {
      this.#say(policy, `the gateway could not be replaced, it serves on: ${String(error)}`);
    }
  }

  async #endDoubles(policy: string, doubles: readonly GatewayStatus[]): Promise<void> {
    for (const { file } of doubles) {
      this.#say(policy, `gateway ${file.instance} is one too many and drains`);
      await drain(file);
    }
  }

  /** A gateway that died is started again; it has its configuration on disk. */
  async #revive(policy: string): Promise<void> {
    if (this.#unwanted.has(policy)) return;
    await this.#alone(policy, async () => {
      const instances = this.#instances(policy);
      if (instances.running().length === 0 && instances.hasConfiguration()) await this.#start(policy);
    });
  }

  #alone<T>(policy: string, act: () => Promise<T>): Promise<T> {
    const before = this.#busy.get(policy) ?? Promise.resolve();
    const acting = before.then(act, act);
    this.#busy.set(
      policy,
      acting.catch(() => undefined),
    );
    return acting;
  }

  #instances(policy: string): GatewayInstances {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(policy)) {
      throw new GatewayRouterError('name-unusable', `"${policy}" cannot be the name of a folder`);
    }
    return new GatewayInstances(join(this.#options.stateDir, 'gateways', policy), this.#options.answerMs);
  }

  #say(policy: string, message: string): void {
    this.#options.onEvent?.({ policy, message });
  }
}
