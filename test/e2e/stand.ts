// Where one scenario is played: a namespace of its own with a team's objects, controllers, users, and a look at the cluster
// several times a second that is kept. It refuses to take Haldane's word for what can be seen in the cluster itself.
import { mkdir } from 'node:fs/promises';
import { request } from 'node:http';
import { readTrace } from '../../src/core/views/index.ts';
import {
  DEPLOYMENTS,
  type KubeObject,
  PODS,
  RELEASE_COMMANDS,
  RELEASE_POLICIES,
  RELEASES,
} from '../../src/kubernetes/index.ts';
import { run } from '../../tools/run.ts';
import { followGates } from '../kubernetes/gates.ts';
import { type Cluster, type DeploymentObject, imageTag, NotSo, type PodObject, until } from './cluster.ts';
import type { Hooks } from './hooks.ts';
import { Load } from './load/load.ts';
import { Operator } from './operator.ts';
import { isCanaryPod, type RouterUnderTest } from './routers.ts';
import { lookAt, watchLooks } from './weights/looks.ts';
import type { Look } from './weights/plateaus.ts';
import { deployment, good, type PolicyOptions, policy, REPLICAS, route, service, type Version } from './world.ts';

export interface PolicyStatus {
  readonly phase?: string;
  readonly version?: string;
  readonly stable?: string | null;
  readonly weight?: string | null;
  readonly share?: string | null;
  readonly verdict?: string | null;
  readonly next?: string | null;
  readonly release?: string | null;
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message: string }[];
}

export interface Answer {
  readonly accepted: boolean;
  readonly message: string;
}

export interface StandOptions {
  readonly cluster: Cluster;
  readonly router: RouterUnderTest;
  readonly namespace: string;
  readonly folder: string;
  readonly hooks: Hooks;
  /** Long waits are shorter. */
  readonly isQuick: boolean;
  readonly replicas?: number;
}

interface ReleaseStatus {
  readonly outcome?: string;
  readonly sentence?: string;
  readonly trace?: string;
}

export class Stand {
  readonly cluster: Cluster;
  readonly router: RouterUnderTest;
  readonly namespace: string;
  readonly hooks: Hooks;
  readonly isQuick: boolean;
  readonly replicas: number;
  readonly looks: Look[] = [];
  readonly facts: Record<string, string | number> = {};
  /** The controllers that run; a scenario may end and add some. */
  readonly operators: Operator[] = [];
  readonly #folder: string;
  load: Load | null = null;
  #stopLooking: (() => Promise<void>) | null = null;
  #started = 0;
  readonly #closed = new AbortController();
  #unsureUntilMs = 0;

  constructor({ cluster, router, namespace, folder, hooks, isQuick, replicas = REPLICAS }: StandOptions) {
    this.cluster = cluster;
    this.router = router;
    this.namespace = namespace;
    this.hooks = hooks;
    this.isQuick = isQuick;
    this.replicas = replicas;
    this.#folder = folder;
  }

  // --- before the scenario, and after it

  /** A namespace with a Service, and nothing that serves. */
  async ground(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await this.cluster.freshNamespace(this.namespace);
    // What a kubelet does with readiness gates, where the nodes of the cluster have none that does.
    if (process.env.HALDANE_E2E_FOLLOW_GATES === '1') {
      void followGates(this.cluster.api, [this.namespace], this.#closed.signal);
    }
    await this.cluster.apply(service(this.namespace));
  }

  /** A team's objects and v1, ready to serve; no Haldane yet. */
  async plain(withRoute = false): Promise<void> {
    await this.ground();
    await this.deploy(good(1));
    const own = withRoute ? route(this.namespace, this.router) : null;
    if (own !== null) await this.cluster.apply(own);
    await until('v1 is ready', 60_000, async () => {
      const found = await this.deployment();
      return found?.status?.readyReplicas === this.replicas;
    });
  }

  /** The same, with a controller and a policy that knows v1 as stable. */
  async governed(options: PolicyOptions = {}): Promise<void> {
    await this.plain(options.mode === 'adopted');
    await this.startOperator();
    await this.applyPolicy(options);
    await this.untilStable('v1', 60_000);
  }

  async startUsers(options: { readonly patienceMs?: number; readonly pace?: number } = {}): Promise<void> {
    const { cluster, router, namespace } = this;
    const url = await router.url(cluster, namespace);
    await until('users are answered', 30_000, () => isAnswered(url, router.host(namespace)));
    this.#stopLooking = watchLooks({ cluster, router, namespace }, (look) => {
      if (performance.now() >= this.#unsureUntilMs) this.looks.push(look);
    });
    const pace = options.pace ?? 1;
    const kinds = router.users.map((kind) => ({ ...kind, rate: kind.rate * pace }));
    this.load = new Load({ url, host: router.host(namespace), kinds, patienceMs: options.patienceMs ?? 30_000 });
    // Stable has some past: what is slow is told by it.
    await this.wait(12_000);
  }

  /** The proxies of a Service cannot be asked what they go by, and after an outage of the API server they hear of it late. */
  unsureFor(ms: number): void {
    if (this.router.connectionsOnly) this.#unsureUntilMs = performance.now() + ms;
  }

  async stopUsers() {
    const accounts = await this.load?.stop();
    this.load = null;
    await this.#stopLooking?.();
    this.#stopLooking = null;
    return accounts ?? new Map<string, never>();
  }

  async startOperator(): Promise<Operator> {
    this.#started += 1;
    const place = { cluster: this.cluster, namespace: this.namespace, folder: this.#folder };
    const operator = await Operator.start(place, `operator-${this.#started}`);
    this.operators.push(operator);
    return operator;
  }

  async kill(operator: Operator): Promise<void> {
    this.operators.splice(this.operators.indexOf(operator), 1);
    await operator.kill();
  }

  /** Whatever became of the scenario. */
  async close(): Promise<void> {
    this.load?.kill();
    await this.#stopLooking?.();
    await this.cluster.api.delete(RELEASE_POLICIES, { namespace: this.namespace, name: 'shop' }).catch(() => false);
    if (this.operators.length > 0) await this.untilGone().catch(() => undefined);
    await Promise.all(this.operators.map((operator) => operator.stop()));
    this.#closed.abort();
    await this.cluster.dropNamespace(this.namespace).catch(() => undefined);
  }

  // --- what a team does

  async deploy(version: Version, options: { readonly manager?: string; readonly force?: boolean } = {}): Promise<void> {
    const { namespace, replicas } = this;
    await this.cluster.apply(
      deployment(namespace, version, { replicas }),
      options.manager ?? 'git',
      options.force ?? false,
    );
  }

  async applyPolicy(options: PolicyOptions = {}): Promise<void> {
    await this.cluster.apply(policy(this.namespace, this.router, options));
  }

  async deletePolicy(): Promise<void> {
    await this.cluster.api.delete(RELEASE_POLICIES, { namespace: this.namespace, name: 'shop' });
  }

  /** As `kubectl haldane` does: an object, and its answer. */
  async command(verb: string, more: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    const made = await this.ask(verb, more);
    return until(`${verb} is answered`, 30_000, async () => {
      const at = { namespace: this.namespace, name: made.metadata.name };
      const found = await this.cluster.api.get(RELEASE_COMMANDS, at);
      const status = found?.status as Partial<Answer> | undefined;
      return status?.accepted === undefined ? null : { accepted: status.accepted, message: status.message ?? '' };
    });
  }

  /** The object alone. */
  ask(verb: string, more: Readonly<Record<string, unknown>> = {}): Promise<KubeObject> {
    return this.cluster.api.create(RELEASE_COMMANDS, {
      apiVersion: 'haldane.dev/v1alpha1',
      kind: 'ReleaseCommand',
      metadata: { name: '', generateName: `shop-${verb}-`, namespace: this.namespace },
      spec: { policy: 'shop', verb, reason: 'the scenario says so', ...more },
    });
  }

  async obeyed(verb: string, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const { accepted, message } = await this.command(verb, more);
    if (!accepted) throw new NotSo(`${verb} was not obeyed: ${message}`);
  }

  /** What an uninstall does first, with an administrator's rights; the last line it says. */
  async handBackAll(): Promise<string> {
    const args = ['src/main/haldane.ts', 'operator', 'hand-back', '-n', this.namespace, '--timeout', '120'];
    const { exitCode, output } = await run(process.execPath, args);
    if (exitCode !== 0) throw new NotSo(`hand-back ended with ${exitCode}: ${output.trim()}`);
    return output.trim().split('\n').at(-1) ?? '';
  }

  // --- what is there

  async deployment(name = 'shop'): Promise<DeploymentObject | null> {
    return this.cluster.api.get<DeploymentObject>(DEPLOYMENTS, { namespace: this.namespace, name });
  }

  /** Whether everything is to go to stable; and whether the data plane says that it does. */
  async isAllOnStable(): Promise<{ readonly isAsked: boolean; readonly isObeyed: boolean }> {
    const { seen, isTakenBack, isObeyed } = await lookAt(this);
    return { isAsked: isTakenBack, isObeyed: seen.percent === 0 && isObeyed };
  }

  async pods(): Promise<readonly PodObject[]> {
    return (await this.cluster.api.list<PodObject>(PODS, { namespace: this.namespace })).items;
  }

  async status(): Promise<PolicyStatus> {
    const found = await this.cluster.api.get(RELEASE_POLICIES, { namespace: this.namespace, name: 'shop' });
    return (found?.status ?? {}) as PolicyStatus;
  }

  async releases(): Promise<readonly KubeObject[]> {
    return (await this.cluster.api.list(RELEASES, { namespace: this.namespace })).items;
  }

  async #newest(tag: string): Promise<ReleaseStatus | undefined> {
    const own = (await this.releases()).filter(({ spec }) => (spec as { readonly label?: string }).label === tag);
    const number = ({ spec }: KubeObject) => (spec as { readonly number: number }).number;
    return own.toSorted((a, b) => number(b) - number(a))[0]?.status as ReleaseStatus | undefined;
  }

  /** How many points of evidence over time are kept of the newest release of a version. */
  async evidence(tag: string): Promise<number> {
    return readTrace((await this.#newest(tag))?.trace).length;
  }

  /** Outcome and sentence of the newest release of a version. */
  async outcome(tag: string): Promise<{ readonly outcome: string; readonly sentence: string } | null> {
    const status = await this.#newest(tag);
    return status?.outcome === undefined ? null : { outcome: status.outcome, sentence: status.sentence ?? '' };
  }

  // --- what is waited for

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  until<T>(what: string, withinMs: number, look: () => Promise<T | null | false | undefined>): Promise<T> {
    return until(what, withinMs, look, () => this.describe());
  }

  async untilStable(tag: string, withinMs = 240_000): Promise<void> {
    await this.until(`${tag} is stable and nothing is under way`, withinMs, async () => {
      const { stable, phase } = await this.status();
      return stable === tag && phase === 'at rest' && (await this.deployment('shop-canary')) === null;
    });
  }

  /** The weight is asked, and the new version is tested at it. */
  async untilStage(tag: string, weight: number, withinMs = 120_000): Promise<void> {
    await this.until(`${tag} is tested at ${weight} %`, withinMs, async () => {
      const status = await this.status();
      const isIt = status.version?.endsWith(tag) === true && status.phase === 'testing';
      return isIt && Number.parseFloat(status.weight ?? '') >= weight;
    });
  }

  async untilPhase(phase: string, withinMs = 180_000): Promise<void> {
    await this.until(`the release is ${phase}`, withinMs, async () => (await this.status()).phase === phase);
  }

  /** The new template is being rolled into the Deployment: some of its pods are there beside the old ones. */
  async untilRolling(tag: string, withinMs = 180_000): Promise<void> {
    await this.until(`${tag} is being rolled`, withinMs, async () => {
      const own = (await this.pods()).filter((pod) => !isCanaryPod(pod)).map(tagOf);
      return own.includes(tag) && own.some((each) => each !== tag);
    });
  }

  async untilAborted(tag: string, withinMs = 180_000): Promise<string> {
    const ended = await this.until(`${tag} is taken back`, withinMs, () => this.outcome(tag));
    if (ended.outcome !== 'aborted') throw new NotSo(`${tag} was ${ended.outcome}: ${ended.sentence}`);
    return ended.sentence;
  }

  async untilGone(withinMs = 120_000): Promise<void> {
    const at = { namespace: this.namespace, name: 'shop' };
    await until(
      'the policy is gone',
      withinMs,
      async () => (await this.cluster.api.get(RELEASE_POLICIES, at)) === null,
    );
  }

  /** One line on where all stands, for what did not come. */
  async describe(): Promise<string> {
    try {
      const { conditions = [], ...status } = await this.status();
      const words = ['phase', 'version', 'stable', 'weight', 'share', 'verdict', 'next'] as const;
      const isTrue = conditions.filter(({ status: value }) => value === 'True');
      const pods = (await this.pods()).map((pod) => `${isCanaryPod(pod) ? 'canary ' : ''}${tagOf(pod)}`);
      return [
        ...words.map((word) => `${word} ${status[word] ?? '-'}`),
        ...isTrue.map(({ type, message }) => `${type}: ${message}`),
        `pods ${pods.sort().join(', ')}`,
      ].join('; ');
    } catch (error) {
      return `the cluster cannot be asked: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  note(name: string, value: string | number): void {
    this.facts[name] = value;
  }
}

export function tagOf(pod: PodObject): string {
  return imageTag(pod.spec.containers[0]?.image ?? '');
}

function isAnswered(url: string, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request(url, { headers: host === '' ? {} : { host } }, (response) => {
      response.resume();
      resolve(response.headers['x-version'] !== undefined);
    });
    asked.on('error', () => resolve(false));
    asked.end();
  });
}
