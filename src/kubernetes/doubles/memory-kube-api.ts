// An API server in memory, for tests: versions, conflicts, generations, status as a part of its own, finalizers, watches,
// JSON and merge patches with their preconditions, and an apply that merges. It knows no schema and no admission.
import type {
  DeleteOptions,
  JsonPatchOperation,
  KubeApi,
  KubeList,
  ListOptions,
  Patch,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '../api.ts';
import { KubeError } from '../errors.ts';
import { apiVersionOf } from '../resources.ts';
import type { KubeObject, ObjectMeta, ObjectName, Resource } from '../types.ts';
import { jsonPatched, mergePatched } from './patches.ts';

interface Watcher {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly push: (event: WatchEvent) => void;
}

export type Interceptor = (verb: string, resource: Resource, at: ObjectName) => void | Promise<void>;

export class MemoryKubeApi implements KubeApi {
  readonly #objects = new Map<string, KubeObject>();
  readonly #history: { readonly resource: Resource; readonly event: WatchEvent; readonly version: number }[] = [];
  readonly #watchers = new Set<Watcher>();
  #version = 0;
  /** What was asked, e.g. "patch deployments default/shop". */
  readonly calls: string[] = [];
  /** Called before each call; may throw what the call then fails with. */
  intercept: Interceptor = () => {};
  /** Called on each write with what was and what is to be: a stand-in for admission; returns what is stored. */
  admit: (resource: Resource, before: KubeObject | null, after: KubeObject) => KubeObject = (_r, _b, after) => after;
  /** RFC 3339, of new objects. */
  wallTime: () => string = () => '2026-01-01T00:00:00Z';

  async get<T extends KubeObject = KubeObject>(resource: Resource, at: ObjectName): Promise<T | null> {
    await this.#called('get', resource, at);
    return copy((this.#objects.get(keyOf(resource, at)) ?? null) as T | null);
  }

  async list<T extends KubeObject = KubeObject>(resource: Resource, options: ListOptions = {}): Promise<KubeList<T>> {
    await this.#called('list', resource, { namespace: options.namespace, name: '' });
    const items = [...this.#objects.entries()]
      .filter(([key, object]) => key.startsWith(`${resource.group}/${resource.plural}|`) && isIn(object, options))
      .map(([, object]) => copy(object) as T);
    return { items, resourceVersion: String(this.#version) };
  }

  async create<T extends KubeObject = KubeObject>(resource: Resource, object: KubeObject, options: WriteOptions = {}) {
    const name = object.metadata.name ?? `${object.metadata.generateName ?? ''}${this.#version + 1}`;
    const at = { namespace: object.metadata.namespace, name };
    await this.#called('create', resource, at);
    if (this.#objects.has(keyOf(resource, at))) throw refusal('create', 409, 'AlreadyExists', `${name} already exists`);
    const metadata: ObjectMeta = {
      ...object.metadata,
      name,
      uid: `uid-${this.#version + 1}`,
      generation: 1,
      creationTimestamp: this.wallTime(),
    };
    return this.#store<T>(resource, null, { ...copy(object), metadata }, options);
  }

  async replace<T extends KubeObject = KubeObject>(resource: Resource, object: KubeObject, options: WriteOptions = {}) {
    await this.#called('update', resource, object.metadata);
    const before = this.#existing('update', resource, object.metadata);
    const { resourceVersion } = object.metadata;
    if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion) {
      throw refusal('update', 409, 'Conflict', `${object.metadata.name} has been modified`);
    }
    return this.#store<T>(resource, before, copy(object), options);
  }

  async patch<T extends KubeObject = KubeObject>(
    resource: Resource,
    at: ObjectName,
    patch: Patch,
    options: WriteOptions = {},
  ): Promise<T> {
    await this.#called(patch.type === 'apply' ? 'apply' : 'patch', resource, at);
    const before = this.#objects.get(keyOf(resource, at));
    if (before === undefined && patch.type === 'apply') {
      return this.create<T>(resource, patch.body as KubeObject, options);
    }
    const existing = this.#existing('patch', resource, at);
    const asked = patch.type === 'json' ? undefined : (patch.body as Partial<KubeObject>).metadata?.resourceVersion;
    if (asked !== undefined && asked !== existing.metadata.resourceVersion) {
      throw refusal('patch', 409, 'Conflict', `${at.name} has been modified`);
    }
    const after =
      patch.type === 'json' ? this.#jsonPatched(existing, patch.operations) : mergePatched(existing, patch.body);
    return this.#store<T>(resource, existing, after as KubeObject, options);
  }

  async delete(resource: Resource, at: ObjectName, options: DeleteOptions = {}): Promise<boolean> {
    await this.#called('delete', resource, at);
    const before = this.#objects.get(keyOf(resource, at));
    if (before === undefined) return false;
    const { uid, resourceVersion, finalizers } = before.metadata;
    if (options.uid !== undefined && options.uid !== uid) throw refusal('delete', 409, 'Conflict', 'another uid');
    if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion) {
      throw refusal('delete', 409, 'Conflict', 'another version');
    }
    if ((finalizers ?? []).length > 0) {
      const metadata = { ...before.metadata, deletionTimestamp: this.wallTime() };
      this.#store(resource, before, { ...before, metadata }, {});
      return true;
    }
    this.#drop(resource, before);
    return true;
  }

  async *watch(resource: Resource, options: WatchOptions): AsyncIterable<WatchEvent> {
    await this.#called('watch', resource, { namespace: options.namespace, name: '' });
    const queue: WatchEvent[] = [];
    let wake: () => void = () => {};
    const push = (event: WatchEvent) => {
      queue.push(event);
      wake();
    };
    const since = Number(options.resourceVersion);
    for (const { resource: of, event, version } of this.#history) {
      if (
        of.plural === resource.plural &&
        of.group === resource.group &&
        version > since &&
        isIn(event.object, options)
      ) {
        queue.push(event);
      }
    }
    const watcher: Watcher = { resource, namespace: options.namespace, push };
    this.#watchers.add(watcher);
    options.signal.addEventListener('abort', () => wake(), { once: true });
    try {
      while (!options.signal.aborted) {
        const next = queue.shift();
        if (next !== undefined) yield copy(next);
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
            if (options.signal.aborted || queue.length > 0) resolve();
          });
      }
    } finally {
      this.#watchers.delete(watcher);
    }
  }

  async raw<T>(method: string, path: string, body?: object): Promise<T> {
    this.calls.push(`${method} ${path}`);
    return this.answer(method, path, body) as T;
  }

  /** What raw calls get; tests set it. */
  answer: (method: string, path: string, body?: object) => unknown = () => ({});

  #existing(verb: string, resource: Resource, at: ObjectName): KubeObject {
    const found = this.#objects.get(keyOf(resource, at));
    if (found === undefined) throw refusal(verb, 404, 'NotFound', `${resource.plural} "${at.name}" not found`);
    return found;
  }

  #jsonPatched(object: KubeObject, operations: readonly JsonPatchOperation[]): unknown {
    return jsonPatched(object, operations, (path) => {
      throw refusal(
        `patch (${path})`,
        422,
        'Invalid',
        'the server rejected our request due to an error in our request',
      );
    });
  }

  #store<T extends KubeObject>(
    resource: Resource,
    before: KubeObject | null,
    after: KubeObject,
    options: WriteOptions,
  ): T {
    const kept = before === null || options.subresource === undefined ? after : partOf(before, after, options);
    const whole =
      before !== null && options.subresource === undefined && resource.group === 'haldane.dev'
        ? { ...kept, status: before.status }
        : kept;
    const admitted = this.admit(resource, before === null ? null : copy(before), whole);
    const isChanged = JSON.stringify(admitted.spec) !== JSON.stringify(before?.spec);
    const generation = (before?.metadata.generation ?? 0) + (before === null || isChanged ? 1 : 0);
    const { resourceVersion: _version, ...rest } = admitted.metadata;
    const same = before !== null && sameButVersion(before, { ...admitted, metadata: { ...rest, generation } });
    if (same || options.dryRun === true) return copy((same ? before : admitted) as T);
    this.#version += 1;
    const metadata = { ...rest, generation, resourceVersion: String(this.#version) };
    const stored = { ...admitted, apiVersion: apiVersionOf(resource), kind: resource.kind, metadata };
    if (metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0) {
      this.#drop(resource, stored);
      return copy(stored) as unknown as T;
    }
    this.#objects.set(keyOf(resource, metadata), stored);
    this.#tell(resource, { type: before === null ? 'ADDED' : 'MODIFIED', object: stored });
    return copy(stored) as unknown as T;
  }

  #drop(resource: Resource, object: KubeObject): void {
    this.#version += 1;
    this.#objects.delete(keyOf(resource, object.metadata));
    const metadata = { ...object.metadata, resourceVersion: String(this.#version) };
    this.#tell(resource, { type: 'DELETED', object: { ...object, metadata } });
  }

  #tell(resource: Resource, event: WatchEvent): void {
    this.#history.push({ resource, event, version: this.#version });
    for (const watcher of this.#watchers) {
      if (
        watcher.resource.plural === resource.plural &&
        watcher.resource.group === resource.group &&
        isIn(event.object, watcher)
      )
        watcher.push(event);
    }
  }

  async #called(verb: string, resource: Resource, { namespace = '', name }: ObjectName): Promise<void> {
    this.calls.push(`${verb} ${resource.plural} ${namespace}/${name}`);
    await this.intercept(verb, resource, { namespace, name });
  }
}

function refusal(verb: string, status: number, reason: string, message: string): KubeError {
  return new KubeError(verb, status, { reason, message });
}

function keyOf(resource: Resource, { namespace = '', name }: ObjectName): string {
  return `${resource.group}/${resource.plural}|${namespace}/${name}`;
}

function isIn(
  object: KubeObject,
  { namespace, labelSelector }: { namespace?: string | undefined; labelSelector?: string | undefined },
): boolean {
  if (namespace !== undefined && namespace !== '' && object.metadata.namespace !== namespace) return false;
  if (labelSelector === undefined) return true;
  return labelSelector.split(',').every((part) => {
    const [key = '', value] = part.split('=');
    return object.metadata.labels?.[key] === value;
  });
}

/** A write of the status leaves all else, and one of the scale only sizes. */
function partOf(before: KubeObject, after: KubeObject, { subresource }: WriteOptions): KubeObject {
  return subresource === 'status' ? { ...before, status: after.status } : { ...before, spec: after.spec };
}

function sameButVersion(before: KubeObject, after: KubeObject): boolean {
  const { resourceVersion: _own, ...metadata } = before.metadata;
  const plain = (object: KubeObject) => JSON.stringify(sorted({ ...object, apiVersion: '', kind: '' }));
  return plain({ ...before, metadata }) === plain(after);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

function copy<T>(value: T): T {
  return structuredClone(value);
}
