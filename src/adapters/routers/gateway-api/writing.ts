// Writes of a route, each one only when something differs (row 25), each with a precondition: an owned one whole, by
// server-side apply; of an adopted one the weights, by a patch that fails if it has changed meanwhile.
import { ANNOTATION, FIELD_MANAGER, LABEL } from '../../../cluster/names.ts';
import {
  apiVersionOf,
  type CacheReader,
  HTTP_ROUTES,
  type JsonPatchOperation,
  type KubeApi,
} from '../../../kubernetes/index.ts';
import { canonicalJson } from '../../../lib/canonical.ts';
import { planAdopted } from './adopted.ts';
import { GatewayApiError } from './errors.ts';
import { type HttpRouteSpec, ownsRulesAs, type Pair, type Route, withoutOwnEntry } from './route.ts';
import { type Kept, keptOn, keptText, type Wanted } from './wanted.ts';

export interface RouteWriterOptions {
  readonly api: KubeApi;
  readonly routes: CacheReader;
}

interface WrittenOwned {
  readonly text: string;
  readonly generation: number;
}

export class RouteWriter {
  readonly #options: RouteWriterOptions;
  /** By uid. What the API server made of what was written: something in between may add to it, and that is not to be fought. */
  readonly #written = new Map<string, WrittenOwned>();

  constructor(options: RouteWriterOptions) {
    this.#options = options;
  }

  /** Whether the route is as it was written, but for what others added in the same write. */
  isAsWritten(route: Route, spec: HttpRouteSpec): boolean {
    if (canonicalJson(route.spec) === canonicalJson(spec)) return true;
    const { uid = '', generation } = route.metadata;
    const written = this.#written.get(uid);
    return written?.generation === generation && written?.text === canonicalJson(spec);
  }

  /** true if something was written. */
  async putOwned(
    live: Route | undefined,
    at: { readonly namespace: string; readonly name: string },
    { spec, kept, policy }: { readonly spec: HttpRouteSpec; readonly kept: Kept; readonly policy: string },
  ): Promise<boolean> {
    const annotations = { [ANNOTATION.split]: keptText(kept) };
    const isSaid = live?.metadata.annotations?.[ANNOTATION.split] === annotations[ANNOTATION.split];
    if (live !== undefined && isSaid && this.isAsWritten(live, spec)) return false;
    const body = {
      apiVersion: apiVersionOf(HTTP_ROUTES),
      kind: HTTP_ROUTES.kind,
      metadata: { ...at, labels: { [LABEL.policy]: policy }, annotations },
      spec,
    };
    const { api, routes } = this.#options;
    const options = { fieldManager: FIELD_MANAGER };
    if (live === undefined) {
      // Made, not applied: a route that somebody else made in this moment is not taken over.
      return this.#note(await api.create<Route>(HTTP_ROUTES, body, options), spec);
    }
    const { uid } = live.metadata;
    const named = { ...body, metadata: { ...body.metadata, uid } };
    const after = await api.patch<Route>(HTTP_ROUTES, at, { type: 'apply', body: named, force: true }, options);
    routes.noteWritten(after);
    return this.#note(after, spec);
  }

  #note(after: Route, spec: HttpRouteSpec): true {
    this.#options.routes.noteWritten(after);
    const { uid = '', generation = 0 } = after.metadata;
    this.#written.set(uid, { text: canonicalJson(spec), generation });
    return true;
  }

  /** true if something was written; in words why the rules of the route cannot say it. */
  async putWeights(
    live: Route,
    wanted: Wanted,
    { pair, policy }: { readonly pair: Pair; readonly policy: string },
  ): Promise<boolean | { readonly refused: string }> {
    const before = keptOn(live);
    const plan = planAdopted(live.spec, wanted, pair, before?.given ?? {});
    if ('refused' in plan) return plan;
    const text = keptText({ policy, wanted, given: plan.given });
    const isSaid = live.metadata.annotations?.[ANNOTATION.split] === text;
    if (plan.operations.length === 0 && isSaid) return false;
    await this.#patch(live, [...plan.operations, ...(isSaid ? [] : annotated(live, text))]);
    return true;
  }

  /** The weights as their owner had them, and no word of Haldane's left on it. */
  async giveBack(live: Route, pair: Pair): Promise<void> {
    const kept = keptOn(live);
    const plan = planAdopted(live.spec, { canaryPercent: 0, hasCanary: false }, pair, kept?.given ?? {});
    if ('refused' in plan) throw new GatewayApiError(plan.refused, { code: 'route-not-given-back', retry: 'later' });
    const after = await this.#patch(live, [...plan.operations, ...withoutMarks(live)]);
    await this.dropOwnEntry(after);
  }

  /** An owned route stays, as anybody's: everything to stable. */
  async leave(live: Route, spec: HttpRouteSpec): Promise<void> {
    const after = await this.#patch(live, [{ op: 'replace', path: '/spec', value: spec }, ...withoutMarks(live)]);
    await this.dropOwnEntry(after);
  }

  /** The rules are nobody's of ours any more; the annotation may be. */
  async releaseRules(live: Route): Promise<void> {
    if (ownsRulesAs(live, FIELD_MANAGER)) await this.dropOwnEntry(live);
  }

  /** So that its owner's next plain apply meets no conflict. */
  async dropOwnEntry(live: Route): Promise<void> {
    const kept = withoutOwnEntry(live, FIELD_MANAGER);
    if (kept !== null) await this.#patch(live, [{ op: 'replace', path: '/metadata/managedFields', value: kept }]);
  }

  async #patch(live: Route, changes: readonly JsonPatchOperation[]): Promise<Route> {
    if (changes.length === 0) return live;
    const { namespace, name, resourceVersion } = live.metadata;
    const operations: readonly JsonPatchOperation[] = [
      { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
      ...changes,
    ];
    const { api, routes } = this.#options;
    const options = { fieldManager: FIELD_MANAGER };
    const after = await api.patch<Route>(HTTP_ROUTES, { namespace, name }, { type: 'json', operations }, options);
    routes.noteWritten(after);
    return after;
  }
}

function annotated({ metadata }: Route, text: string): readonly JsonPatchOperation[] {
  const empty: readonly JsonPatchOperation[] =
    metadata.annotations === undefined ? [{ op: 'add', path: '/metadata/annotations', value: {} }] : [];
  return [...empty, { op: 'add', path: `/metadata/annotations/${escaped(ANNOTATION.split)}`, value: text }];
}

function withoutMarks({ metadata }: Route): readonly JsonPatchOperation[] {
  const operations: JsonPatchOperation[] = [];
  if (metadata.annotations?.[ANNOTATION.split] !== undefined) {
    operations.push({ op: 'remove', path: `/metadata/annotations/${escaped(ANNOTATION.split)}` });
  }
  if (metadata.labels?.[LABEL.policy] !== undefined) {
    operations.push({ op: 'remove', path: `/metadata/labels/${escaped(LABEL.policy)}` });
  }
  return operations;
}

function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
