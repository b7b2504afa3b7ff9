// The questions of every command, answered from custom resources with the rights of the person who asks. It decides nothing
// and writes nothing but ReleaseCommands. What an operator of another version wrote is shown as far as it can be read.
import type { ReleasePolicy } from '../../core/model/policy.ts';
import { diffPolicies } from '../../core/policy/index.ts';
import {
  buildReport,
  type Diagnosis,
  logLine,
  type ReleaseLine,
  type ReleaseView,
  readTrace,
  reportHtml,
  reportMarkdown,
} from '../../core/views/index.ts';
import type {
  Answered,
  Client,
  CommandRequest,
  Health,
  JournalLine,
  JournalQuery,
  NoneYet,
  ObjectNode,
  ReportFormat,
  Verified,
} from '../client.ts';
import type { CommonOptions } from '../common.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { inWordsOf } from '../side.ts';
import type { Adopted, Cluster, PolicyObject, ReleaseObject } from './cluster.ts';
import { sendCommand } from './commands.ts';
import { asCliError, isAbsence, isForbidden, VIEWER } from './errors.ts';
import { journalOf, lineOf, releaseOf, type Stored, storedReleases, verifyJournal } from './records.ts';
import { mapTexts, viewOf } from './views.ts';

export interface ClientOptions {
  readonly cluster: Cluster;
  readonly allNamespaces: boolean;
  readonly wallMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly answerWithinMs: number;
}

const ANSWER_MS = 15_000;
/** The API server sends bookmarks about once a minute. */
const IDLE_MS = 180_000;
const WATCH_SECONDS = 300;

const CONNECTED = new WeakMap<CommonOptions, KubernetesClient>();

export class KubernetesClient implements Client {
  readonly #options: ClientOptions;
  #user: Promise<string | null> | null = null;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** One for each command line: credentials are asked for once. */
  static async connect(context: Context, options: CommonOptions): Promise<KubernetesClient> {
    const known = CONNECTED.get(options);
    if (known !== undefined) return known;
    const cluster = await clusterOf(context, options);
    const client = new KubernetesClient({
      cluster,
      allNamespaces: options.allNamespaces === true,
      wallMs: context.wallMs,
      sleep: context.sleep,
      answerWithinMs: ANSWER_MS,
    });
    CONNECTED.set(options, client);
    return client;
  }

  /** Waits, by the clock that was given. */
  sleep(ms: number): Promise<void> {
    return this.#options.sleep(ms);
  }

  get cluster(): Cluster {
    return this.#options.cluster;
  }

  /** The namespace that is asked about; null: all of them. */
  get place(): string | null {
    return this.#options.allNamespaces ? null : this.cluster.namespace;
  }

  get noneYet(): NoneYet {
    const { place } = this;
    const apply = 'kubectl apply -f policy.yaml';
    return place === null
      ? { problem: 'no policy is declared yet', fix: apply }
      : { problem: `no policy is declared in ${place} yet`, fix: `${apply}; or look elsewhere: -n NAMESPACE, or -A` };
  }

  get wallMs(): number {
    return this.#options.wallMs();
  }

  async policies(): Promise<readonly ReleaseView[]> {
    const objects = await this.#policyObjects();
    return objects.map((object) => this.#view(object)).toSorted((a, b) => (a.policy.name < b.policy.name ? -1 : 1));
  }

  async policy(name: string): Promise<ReleaseView | null> {
    const object = await this.policyObject(name);
    return object === null ? null : this.#view(object);
  }

  /** "shop", or "namespace/shop". */
  at(name: string): { readonly namespace: string; readonly name: string } {
    const [first = '', second] = name.split('/');
    return second === undefined
      ? { namespace: this.cluster.namespace, name: first }
      : { namespace: first, name: second };
  }

  policyObject(name: string): Promise<PolicyObject | null> {
    const at = this.at(name);
    return this.#reading('ReleasePolicies', () => this.cluster.api.get<PolicyObject>(this.cluster.kinds.policies, at));
  }

  async *views(policy: string, signal?: AbortSignal): AsyncGenerator<ReleaseView> {
    const ending = new AbortController();
    const end = () => ending.abort();
    signal?.addEventListener('abort', end, { once: true });
    try {
      while (!ending.signal.aborted) yield* this.#watched(policy, ending.signal);
    } catch (error) {
      if (!ending.signal.aborted) throw await this.#inWords(error, 'watch ReleasePolicies');
    } finally {
      signal?.removeEventListener('abort', end);
      ending.abort();
    }
  }

  /** Until the API server ends the watch, or has forgotten from where. */
  async *#watched(policy: string, signal: AbortSignal): AsyncGenerator<ReleaseView> {
    const { api, kinds } = this.cluster;
    const { namespace, name } = this.at(policy);
    const { items, resourceVersion } = await api.list<PolicyObject>(kinds.policies, {
      namespace,
      fieldSelector: `metadata.name=${name}`,
    });
    const found = items.find(({ metadata }) => metadata.name === name);
    if (found === undefined) throw gone(policy);
    yield this.#view(found);
    const options = { namespace, resourceVersion, signal, idleMs: IDLE_MS, timeoutSeconds: WATCH_SECONDS };
    try {
      for await (const { type, object } of api.watch(kinds.policies, options)) {
        if (type === 'BOOKMARK' || object.metadata.name !== name) continue;
        if (type === 'DELETED') throw gone(policy);
        yield this.#view(object as PolicyObject);
      }
    } catch (error) {
      if ((error as { status?: unknown }).status !== 410) throw error;
    }
  }

  async releases(policy: string): Promise<readonly ReleaseLine[]> {
    const now = this.#now();
    return (await this.#stored(policy)).map((stored) => this.#short(lineOf(stored, now)));
  }

  async release(id: string): Promise<ReleaseLine> {
    return this.#short(lineOf(await this.#storedRelease(id), this.#now()));
  }

  async report(id: string, format: ReportFormat): Promise<string> {
    const stored = await this.#storedRelease(id);
    const release = releaseOf(stored);
    if (release === null) throw unknownRelease(id);
    const { policy, all } = await this.#ofRelease(id);
    const before = storedReleases(policy, all).filter((each) => each.id !== stored.id && each.document !== null);
    const last = before
      .map((each) => releaseOf(each))
      .findLast((each) => each !== null && each.number < release.number);
    const built = buildReport({
      release,
      log: journalOf(policy, all)
        .filter((entry) => entry.release === stored.id)
        .map(logLine),
      trace: readTrace(stored.object?.status?.trace),
      now: this.#now(),
      haldane: this.cluster.version,
      changes: last == null ? null : diffPolicies(last.policy, release.policy),
    });
    const report = mapTexts(built, (text) => inWordsOf('kubernetes', text));
    if (format === 'html') return reportHtml(report);
    return format === 'md' ? reportMarkdown(report) : JSON.stringify(report);
  }

  async journal({ policy, release, after, limit }: JournalQuery): Promise<readonly JournalLine[]> {
    const id = release === undefined ? null : this.#fullId(release);
    const found =
      id === null
        ? await this.#withReleases(policy ?? '')
        : await this.#ofRelease(id).catch((error: unknown) => {
            if (error instanceof CliError && error.code === 'release-unknown') return null;
            throw error;
          });
    if (found === null) return [];
    return journalOf(found.policy, found.all)
      .filter((entry) => entry.sequence > after && (id === null || entry.release === id))
      .slice(0, limit)
      .map(({ document, ...entry }) => ({ ...(JSON.parse(document) as JournalLine), ...entry, document }));
  }

  async verifyJournal(): Promise<Verified> {
    const all = await this.#releaseObjects();
    let entries = 0;
    for (const policy of await this.#policyObjects()) {
      const verified = verifyJournal(policy, journalOf(policy, all));
      if (!verified.intact) return verified;
      entries += verified.entries ?? 0;
    }
    return { intact: true, entries };
  }

  async command(policy: string, request: CommandRequest): Promise<Answered> {
    const { cluster, sleep: pause, answerWithinMs } = this.#options;
    const deps = { cluster, sleep: pause, answerWithinMs, user: () => this.user() };
    try {
      return await sendCommand(deps, this.at(policy), request);
    } catch (error) {
      throw await this.#inWords(error, 'read ReleaseCommands');
    }
  }

  async doctor(policy: string): Promise<Diagnosis> {
    const { diagnosePolicy } = await import('./doctor-policy.ts');
    return diagnosePolicy(this, policy);
  }

  async health(): Promise<Health> {
    const { clusterHealth } = await import('./doctor.ts');
    return clusterHealth(this);
  }

  async objects(policy: string): Promise<readonly ObjectNode[]> {
    const object = await this.policyObject(policy);
    if (object === null) return [];
    const { objectsOf } = await import('./objects.ts');
    return objectsOf(this.cluster, object);
  }

  async adopt(policy: ReleasePolicy, name: string | null): Promise<Adopted> {
    try {
      return await this.cluster.adopt(policy, name);
    } catch (error) {
      if (!isForbidden(error) && !isAbsence(error)) throw error;
      const { namespace } = this.cluster;
      const user = isForbidden(error) ? await this.user() : null;
      throw asCliError(error, { namespace, what: 'write HTTPRoutes', role: 'edit', user });
    }
  }

  /** Who asks, as the API server knows it; null if it does not say. */
  user(): Promise<string | null> {
    this.#user ??= this.cluster.api
      .raw<{ status?: { userInfo?: { username?: string } } }>(
        'POST',
        '/apis/authentication.k8s.io/v1/selfsubjectreviews',
        {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'SelfSubjectReview',
        },
      )
      .then(
        ({ status }) => status?.userInfo?.username ?? null,
        () => null,
      );
    return this.#user;
  }

  #now(): string {
    return new Date(this.wallMs).toISOString();
  }

  #view(object: PolicyObject): ReleaseView {
    const { allNamespaces, cluster } = this.#options;
    return viewOf(object, { namespace: allNamespaces ? null : cluster.namespace, wallMs: this.wallMs });
  }

  async #policyObjects(): Promise<readonly PolicyObject[]> {
    const { kinds, api } = this.cluster;
    return (await this.#reading('ReleasePolicies', () => api.list<PolicyObject>(kinds.policies, this.#scope()))).items;
  }

  async #releaseObjects(namespace?: string): Promise<readonly ReleaseObject[]> {
    const { kinds, api } = this.cluster;
    const scope = namespace === undefined ? this.#scope() : { namespace };
    return (await this.#reading('Releases', () => api.list<ReleaseObject>(kinds.releases, scope))).items;
  }

  #scope(): { readonly namespace?: string } {
    return this.#options.allNamespaces ? {} : { namespace: this.cluster.namespace };
  }

  async #withReleases(name: string): Promise<{ policy: PolicyObject; all: readonly ReleaseObject[] }> {
    const policy = await this.policyObject(name);
    if (policy === null) throw gone(name);
    return { policy, all: await this.#releaseObjects(policy.metadata.namespace) };
  }

  async #stored(policy: string): Promise<readonly Stored[]> {
    const { policy: object, all } = await this.#withReleases(policy);
    return storedReleases(object, all);
  }

  async #storedRelease(id: string): Promise<Stored> {
    const { policy, all } = await this.#ofRelease(this.#fullId(id));
    const found = storedReleases(policy, all).find((stored) => stored.id === this.#fullId(id));
    if (found === undefined) throw unknownRelease(id);
    return found;
  }

  /** The policy of a release, by the release or else by its name ("shop-3"), while the release itself is owed. */
  async #ofRelease(id: string): Promise<{ policy: PolicyObject; all: readonly ReleaseObject[] }> {
    const { namespace, name } = this.at(id);
    const all = await this.#releaseObjects(namespace);
    const policyName = all.find(({ metadata }) => metadata.name === name)?.spec?.policy ?? name.replace(/-\d+$/, '');
    const policy = await this.policyObject(`${namespace}/${policyName}`);
    if (policy === null) throw unknownRelease(id);
    return { policy, all };
  }

  #fullId(id: string): string {
    const { namespace, name } = this.at(id);
    return `${namespace}/${name}`;
  }

  /** Ids as they are typed here. */
  #short(line: ReleaseLine): ReleaseLine {
    const { namespace, name } = this.at(line.id);
    const isShort = !this.#options.allNamespaces && namespace === this.cluster.namespace;
    return isShort ? { ...line, id: name } : line;
  }

  async #reading<T>(what: string, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      throw await this.#inWords(error, `read ${what}`);
    }
  }

  async #inWords(error: unknown, what: string): Promise<unknown> {
    const user = isForbidden(error) ? await this.user() : null;
    return asCliError(error, { namespace: this.place, what, role: VIEWER, user });
  }
}

/** The cluster that the options name. */
async function clusterOf(context: Context, options: CommonOptions): Promise<Cluster> {
  const { kubeconfig = null, context: name = null, namespace = null } = options;
  return context.hooks.kubernetes({ kubeconfig, context: name, namespace });
}

function gone(policy: string): CliError {
  return new CliError(`there is no policy "${policy}"`, {
    code: 'policy-unknown',
    path: policy,
    fix: 'kubectl get releasepolicies -A',
  });
}

function unknownRelease(id: string): CliError {
  return new CliError(`there is no release "${id}"`, {
    code: 'release-unknown',
    path: id,
    fix: 'haldane history lists the releases that are kept',
  });
}
