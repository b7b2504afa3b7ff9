// HTTPRoute (gateway.networking.k8s.io/v1) as it is read here: which rules send to a Service, how much of that goes to the
// canary's, who wrote the rules last. Pure; the rest of a route is data that is left alone (I5).
import { canaryName } from '../../../cluster/names.ts';
import type { KubeObject, ManagedFields } from '../../../kubernetes/index.ts';

export interface BackendRef {
  readonly group?: string;
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
  readonly port?: number;
  readonly weight?: number;
  readonly filters?: readonly unknown[];
}

export interface PathMatch {
  readonly type?: string;
  readonly value?: string;
}

export interface HeaderMatch {
  readonly type?: string;
  readonly name: string;
  readonly value: string;
}

export interface RouteMatchObject {
  readonly path?: PathMatch;
  readonly headers?: readonly HeaderMatch[];
  readonly [field: string]: unknown;
}

export interface RouteRule {
  readonly matches?: readonly RouteMatchObject[];
  readonly filters?: readonly unknown[];
  readonly backendRefs?: readonly BackendRef[];
  readonly [field: string]: unknown;
}

export interface ParentRef {
  readonly group?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name: string;
  readonly sectionName?: string;
  readonly port?: number;
}

export interface RouteCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
}

export interface HttpRouteSpec {
  readonly parentRefs?: readonly ParentRef[];
  readonly hostnames?: readonly string[];
  readonly rules?: readonly RouteRule[];
}

export interface Route extends KubeObject {
  readonly spec: HttpRouteSpec;
  readonly status?: {
    readonly parents?: readonly {
      readonly parentRef: ParentRef;
      readonly controllerName?: string;
      readonly conditions?: readonly RouteCondition[];
    }[];
  };
}

/** The two Services between which a route divides. */
export interface Pair {
  readonly namespace: string;
  readonly stable: string;
  readonly canary: string;
  readonly port: number;
}

/** Where a rule divides between the two Services. */
export interface Division {
  readonly rule: number;
  readonly stableAt: number;
  /** -1: the canary's Service is not among the backends. */
  readonly canaryAt: number;
  readonly stableWeight: number;
  readonly canaryWeight: number;
  /** Of backends that are neither. */
  readonly otherWeight: number;
}

/** Every rule that sends anything to the stable Service or to the canary's beside it. */
export function divisionsOf({ rules = [] }: HttpRouteSpec, pair: Pair): readonly Division[] {
  return rules.flatMap(({ backendRefs = [] }, rule) => {
    const stableAt = backendRefs.findIndex((ref) => isTo(ref, pair.stable, pair));
    const canaryAt = backendRefs.findIndex((ref) => isTo(ref, pair.canary, pair));
    if (stableAt < 0) return [];
    const weightAt = (at: number) => (at < 0 ? 0 : (backendRefs[at]?.weight ?? 1));
    const all = backendRefs.reduce((sum, { weight = 1 }) => sum + weight, 0);
    const [stableWeight, canaryWeight] = [weightAt(stableAt), weightAt(canaryAt)];
    if (stableWeight + canaryWeight === 0) return [];
    return [{ rule, stableAt, canaryAt, stableWeight, canaryWeight, otherWeight: all - stableWeight - canaryWeight }];
  });
}

/** At which port routes send to the two Services now; null: they do not, or at several. */
export function portsInUse(
  routes: readonly Route[],
  { namespace, service }: { readonly namespace: string; readonly service: string },
): { readonly stable: number | null; readonly canary: number | null } {
  const refs = routes.flatMap(({ spec }) => (spec.rules ?? []).flatMap(({ backendRefs = [] }) => backendRefs));
  const onlyPort = (name: string): number | null => {
    const own = refs.filter((ref) => isService(ref, name, namespace));
    const ports = new Set(own.flatMap(({ port = [] }) => port));
    return ports.size === 1 ? ([...ports][0] ?? null) : null;
  };
  return { stable: onlyPort(service), canary: onlyPort(canaryName(service)) };
}

function isTo(ref: BackendRef, service: string, pair: Pair): boolean {
  return isService(ref, service, pair.namespace) && ref.port === pair.port;
}

function isService({ group = '', kind = 'Service', name, namespace }: BackendRef, service: string, own: string) {
  return group === '' && kind === 'Service' && name === service && (namespace ?? own) === own;
}

/** Percent of what comes to the two that goes to the canary's, to two digits. */
export function percentOf({ stableWeight, canaryWeight }: Division): number {
  return Math.round((10_000 * canaryWeight) / (stableWeight + canaryWeight)) / 100;
}

/** Whether anything at all is sent to this Service: a backend or a mirror, of whatever weight. */
export function namesService({ rules = [] }: HttpRouteSpec, service: string): boolean {
  return rules.some(({ backendRefs = [], filters = [] }) => {
    const isMirror = JSON.stringify(filters).includes(`"name":${JSON.stringify(service)}`);
    return isMirror || backendRefs.some(({ name }) => name === service);
  });
}

/** Who wrote the rules last, of those that are not Haldane; null if nobody says so. */
export function writerOf({ metadata }: Route, own: string): string | null {
  const entries = (metadata.managedFields ?? []).filter(
    ({ manager, subresource }) => manager !== undefined && manager !== own && subresource === undefined,
  );
  const newest = (list: readonly ManagedFields[]) =>
    [...list].sort((a, b) => ((a.time ?? '') < (b.time ?? '') ? 1 : -1))[0]?.manager ?? null;
  return newest(entries.filter(ownsRules)) ?? newest(entries);
}

function ownsRules({ fieldsV1 }: ManagedFields): boolean {
  const spec = (fieldsV1 as Readonly<Record<string, unknown>> | undefined)?.['f:spec'];
  return typeof spec === 'object' && spec !== null && 'f:rules' in spec;
}

export function ownsRulesAs({ metadata }: Route, own: string): boolean {
  return (metadata.managedFields ?? []).some((entry) => entry.manager === own && ownsRules(entry));
}

/** The rules are no longer held by Haldane, so that their owner's next plain apply meets no conflict; null: nothing to drop. */
export function withoutOwnEntry({ metadata }: Route, own: string): readonly ManagedFields[] | null {
  const entries = metadata.managedFields ?? [];
  const kept = entries.filter(({ manager }) => manager !== own);
  // An empty list would mean "forget who owns what".
  return kept.length === entries.length || kept.length === 0 ? null : kept;
}
