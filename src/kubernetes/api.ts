// The API server as its users see it: one interface, so that tests bring a server of their own.
import type { KubeObject, ObjectName, Resource } from './types.ts';

export interface JsonPatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'test';
  readonly path: string;
  readonly value?: unknown;
}

export type Patch =
  | { readonly type: 'json'; readonly operations: readonly JsonPatchOperation[] }
  | { readonly type: 'merge'; readonly body: object }
  /** Server-side apply; needs a fieldManager. */
  | { readonly type: 'apply'; readonly body: object; readonly force?: boolean };

export interface WriteOptions {
  readonly subresource?: 'status' | 'scale';
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
}

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface DeleteOptions {
  /** Preconditions: another object of that name, or another version of it, is left alone. */
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
  readonly gracePeriodSeconds?: number;
}

export interface WatchOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly resourceVersion: string;
  readonly signal: AbortSignal;
  /** Without any byte for so long the connection counts as dead. */
  readonly idleMs: number;
  /** The API server ends the watch after this. */
  readonly timeoutSeconds: number;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: KubeObject;
}

export interface KubeList<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

export interface KubeApi {
  /** null only if the server says that there is none. */
  get<T extends KubeObject = KubeObject>(resource: Resource, at: ObjectName): Promise<T | null>;
  /** All pages. */
  list<T extends KubeObject = KubeObject>(resource: Resource, options?: ListOptions): Promise<KubeList<T>>;
  create<T extends KubeObject = KubeObject>(resource: Resource, object: KubeObject, options?: WriteOptions): Promise<T>;
  /** Refused (409) when the object's resourceVersion is not the newest. */
  replace<T extends KubeObject = KubeObject>(
    resource: Resource,
    object: KubeObject,
    options?: WriteOptions,
  ): Promise<T>;
  patch<T extends KubeObject = KubeObject>(
    resource: Resource,
    at: ObjectName,
    patch: Patch,
    options?: WriteOptions,
  ): Promise<T>;
  /** false if there was none. */
  delete(resource: Resource, at: ObjectName, options?: DeleteOptions): Promise<boolean>;
  /** Ends when the server ends it; throws KubeError (410 too) or ApiUnreachable. */
  watch(resource: Resource, options: WatchOptions): AsyncIterable<WatchEvent>;
  raw<T>(method: string, path: string, body?: object): Promise<T>;
}
