// A cluster in memory as kubectl haldane finds it: policies with the views of real decisions, their releases and journal, the
// objects of a Deployment; and the command line, run as a person runs it. The operator is played: commands are answered.
import { type Context, processContext, runCli } from '../../src/cli/index.ts';
import { templateRevision } from '../../src/cluster/revision.ts';
import { encodeRelease } from '../../src/controller/index.ts';
import { buildView, type ReleaseView } from '../../src/core/views/index.ts';
import { MemoryKubeApi } from '../../src/kubernetes/doubles/index.ts';
import {
  type KubeApi,
  KubeError,
  type KubeObject,
  RELEASE_COMMANDS,
  type Resource,
} from '../../src/kubernetes/index.ts';
import { hooks } from '../../src/main/hooks.ts';
import { clusterOn, KINDS } from '../../src/main/kubernetes-client.ts';
import { chainEntry, EMPTY_CHAIN, type JournalEntry } from '../../src/ports/index.ts';
import { inputOf, samples, sampleWorld } from '../views/samples.ts';

export const NAMESPACE = 'prod';
export const POLICY = 'checkout';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface PolicyOptions {
  readonly view?: ReleaseView | string;
  readonly spec?: object;
  readonly status?: object;
  readonly name?: string;
  readonly namespace?: string;
}

const SAMPLES = samples();

/** As the operator writes them: names with their namespace, and no gateway that listens. */
export function sampleView(name: string, namespace = NAMESPACE): ReleaseView {
  const found = SAMPLES.find((sample) => sample.name === name);
  if (found === undefined) throw new Error(`no sample ${name}`);
  const view = JSON.parse(JSON.stringify(found.view).replaceAll('checkout', `${namespace}/checkout`)) as ReleaseView;
  return { ...view, policy: { ...view.policy, listen: null } };
}

export const template = (image: string) => ({
  metadata: { labels: { app: 'checkout' } },
  spec: { containers: [{ name: 'app', image }] },
});

export const V1 = templateRevision(template('app:v1'));
export const V2 = templateRevision(template('app:v2'));

/** A view whose versions are those of the Deployment. */
export function viewOf(name: string, change: (view: ReleaseView) => ReleaseView = (view) => view): string {
  const text = JSON.stringify(sampleView(name)).replaceAll('rev-v1', V1).replaceAll('rev-v2', V2);
  return JSON.stringify(change(JSON.parse(text) as ReleaseView));
}

export const seen = (generation: number, revision: string, view: string, more: object = {}) => ({
  view,
  revision,
  workload: { deployment: 'checkout', observedGeneration: generation },
  ...more,
});

export const SPEC = {
  workload: { deployment: { name: 'checkout' } },
  router: {
    gatewayApi: {
      service: 'checkout',
      route: { owned: { name: 'checkout', parents: [{ name: 'web' }], hostnames: ['checkout.example'] } },
    },
  },
  metrics: { pods: {} },
};

export class KubernetesWorld {
  readonly api = new MemoryKubeApi();
  /** What it is when the command line looks. */
  wallMs = Date.parse('2026-01-01T00:10:00Z');
  /** What the operator answers to commands; null: it is away. */
  answer: ((verb: string) => { readonly accepted: boolean; readonly message: string }) | null = () => ({
    accepted: true,
    message: 'done',
  });
  /** Who asks, and what that person may not do: "create releasecommands". */
  readonly denied = new Set<string>();
  user = 'alice';

  constructor() {
    this.api.intercept = (verb, resource) => {
      if (!this.denied.has(`${verb} ${resource.plural}`)) return;
      throw new KubeError(verb, 403, {
        reason: 'Forbidden',
        message: `${resource.plural}.${resource.group} is forbidden: User "${this.user}" cannot ${verb}`,
      });
    };
    this.api.admit = (resource, before, after) => this.#admitted(resource, before, after);
    this.api.answer = (_method, path, body) => this.#raw(path, body);
  }

  #admitted(resource: Resource, before: KubeObject | null, after: KubeObject): KubeObject {
    if (resource.plural === 'deployments' && before !== null) {
      const annotations = { ...after.metadata.annotations, 'haldane.dev/held': 'true' };
      return {
        ...after,
        metadata: { ...after.metadata, annotations },
        spec: { ...(after.spec as object), paused: true },
      };
    }
    if (resource.plural !== 'releasecommands' || before !== null) return after;
    const spec = { ...(after.spec as { verb: string }), actor: this.user };
    if (this.answer === null) return { ...after, spec };
    return { ...after, spec, status: this.answer(spec.verb) };
  }

  #raw(path: string, body: object | undefined): unknown {
    if (path.endsWith('selfsubjectreviews')) return { status: { userInfo: { username: this.user } } };
    if (path.endsWith('selfsubjectaccessreviews')) {
      const { resourceAttributes: asked } = (body as { spec: { resourceAttributes: Record<string, string> } }).spec;
      return { status: { allowed: !this.denied.has(`${asked.verb} ${asked.resource}`) } };
    }
    if (path === '/apis/haldane.dev/v1alpha1') {
      return { resources: ['releasepolicies', 'releases', 'releasecommands'].map((name) => ({ name })) };
    }
    return {};
  }

  async policy({ view, spec = SPEC, status = {}, name = POLICY, namespace = NAMESPACE }: PolicyOptions = {}) {
    const text = view === undefined || typeof view === 'string' ? view : JSON.stringify(view);
    const metadata = { namespace, name, generation: 1 };
    return this.api.create(KINDS.policies, {
      metadata,
      spec,
      status: { observedGeneration: 1, ...(text === undefined ? {} : { view: text }), ...status },
    });
  }

  async setStatus(status: object, name = POLICY): Promise<void> {
    const at = { namespace: NAMESPACE, name };
    await this.api.patch(KINDS.policies, at, { type: 'merge', body: { status } }, { subresource: 'status' });
  }

  /** A Deployment with a ReplicaSet and a pod; the canary's beside it. */
  async deploy(image = 'app:v1', replicas = 1): Promise<void> {
    await this.#deploy('checkout', image, { replicas, labels: { app: 'checkout' } });
  }

  async deployCanary(image: string): Promise<void> {
    const labels = { 'haldane.dev/policy': POLICY, 'haldane.dev/role': 'canary' };
    await this.#deploy('checkout-canary', image, {
      replicas: 1,
      labels,
      own: { ...labels, 'haldane.dev/revision': templateRevision(template(image)) },
    });
  }

  async #deploy(
    name: string,
    image: string,
    { replicas, labels, own = {} }: { replicas: number; labels: Record<string, string>; own?: Record<string, string> },
  ): Promise<void> {
    const spec = { replicas, selector: { matchLabels: labels }, template: template(image) };
    const status = { readyReplicas: replicas, replicas, updatedReplicas: replicas, availableReplicas: replicas };
    const deployment = await this.api.create(KINDS.deployments, {
      metadata: { namespace: NAMESPACE, name, labels: own },
      spec,
      status,
    });
    const set = await this.api.create(KINDS.replicaSets, {
      metadata: {
        namespace: NAMESPACE,
        name: `${name}-1`,
        labels,
        annotations: { 'deployment.kubernetes.io/revision': '1' },
        ownerReferences: [ownedBy('Deployment', deployment)],
      },
      spec: { replicas, template: template(image) },
    });
    for (let index = 0; index < replicas; index++) {
      await this.api.create(KINDS.pods, {
        metadata: {
          namespace: NAMESPACE,
          name: `${name}-1-${index}`,
          labels,
          ownerReferences: [ownedBy('ReplicaSet', set)],
        },
        spec: {},
        status: {
          conditions: [{ type: 'Ready', status: 'True' }],
          containerStatuses: [{ name: 'app', restartCount: index }],
        },
      });
    }
  }

  /** Another template is written, and waits. */
  async write(image: string): Promise<void> {
    const at = { namespace: NAMESPACE, name: 'checkout' };
    await this.api.patch(KINDS.deployments, at, { type: 'merge', body: { spec: { template: template(image) } } });
  }

  /** The release of the samples, ended as aborted, with its journal. */
  async release(): Promise<readonly JournalEntry[]> {
    const world = sampleWorld();
    world.behaviour.set('rev-v2', { errorRate: 0.04 });
    world.runUntil((w) => w.outcome?.kind === 'aborted').runFor(10_000);
    const { release } = world.state;
    if (release === null) throw new Error('nothing was released');
    const view = buildView(inputOf(world));
    let end = EMPTY_CHAIN;
    const id = `${NAMESPACE}/${release.id}`;
    const journal = view.log.map(({ at, kind, sentence }) => {
      const document = JSON.stringify({ kind, sentence });
      const entry = chainEntry(end, `${NAMESPACE}/${POLICY}`, { release: id, wallTime: at, document });
      end = { sequence: entry.sequence, hash: entry.hash };
      return entry;
    });
    await this.api.create(KINDS.releases, {
      metadata: { namespace: NAMESPACE, name: release.id },
      spec: { policy: POLICY, number: release.number, revision: release.to.revision, label: release.to.label },
      status: { document: encodeRelease({ ...release, id }), journal },
    });
    await this.setStatus({ record: { version: 1, state: '{}', chain: end } });
    return journal;
  }

  /** kubectl haldane, with these words. */
  async run(...args: string[]): Promise<Ran> {
    let out = '';
    let err = '';
    let code = 0;
    const context: Context = {
      ...processContext({
        ...hooks,
        kubernetes: async ({ namespace }) =>
          clusterOn(this.#server(), { namespace: namespace ?? NAMESPACE, server: 'https://cluster.example' }),
      }),
      side: 'kubernetes',
      env: {},
      terminal: () => ({ isTTY: false, columns: 100, rows: 40 }),
      offsetMinutes: 0,
      wallMs: () => this.wallMs,
      sleep: (ms) => this.#passed(ms),
      print: (text) => {
        out += `${text}\n`;
      },
      say: (text) => {
        err += `${text}\n`;
      },
      exit: (wanted) => {
        code = wanted;
      },
    };
    await runCli(context, args);
    return { code, out, err };
  }

  /** What happens in the cluster while the command line waits. */
  whileWaiting: (waitedMs: number) => Promise<void> | void = () => {};
  waitedMs = 0;

  async #passed(ms: number): Promise<void> {
    this.waitedMs += ms;
    await this.whileWaiting(this.waitedMs);
  }

  #watches = new AbortController();

  /** Every watch that is open ends, as when the server goes. */
  async endWatches(): Promise<void> {
    this.#watches.abort();
    this.#watches = new AbortController();
  }

  #server(): KubeApi {
    const { api } = this;
    return {
      get: (...args) => api.get(...args),
      list: (...args) => api.list(...args),
      create: (...args) => api.create(...args),
      replace: (...args) => api.replace(...args),
      patch: (...args) => api.patch(...args),
      delete: (...args) => api.delete(...args),
      raw: (...args) => api.raw(...args),
      watch: (resource, options) =>
        api.watch(resource, { ...options, signal: AbortSignal.any([options.signal, this.#watches.signal]) }),
    };
  }

  async commands(): Promise<readonly object[]> {
    return (await this.api.list(RELEASE_COMMANDS)).items.map(({ spec }) => spec as object);
  }
}

function ownedBy(kind: string, { metadata }: KubeObject) {
  return { apiVersion: 'apps/v1', kind, name: metadata.name, uid: metadata.uid ?? '', controller: true };
}
