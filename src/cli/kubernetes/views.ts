// The view of a policy from its status, as the operator wrote it. It refuses to trust it: what a newer or older operator
// wrote is tried on every face before it is shown, and what cannot be drawn is told in a sentence instead.
import { compileObject } from '../../core/policy/index.ts';
import {
  buildView,
  decisionKey,
  decisionLine,
  plainLines,
  type ReleaseView,
  VIEW_SCHEMA,
  wallSpanMs,
  watchLines,
} from '../../core/views/index.ts';
import { sha256Hex } from '../../lib/sha256.ts';
import { inWordsOf } from '../side.ts';
import type { PolicyObject } from './cluster.ts';

export interface Reading {
  /** Policies of this namespace go by their name alone; null: all as namespace/name. */
  readonly namespace: string | null;
  readonly wallMs: number;
}

/** A release moves with every window; a view of one that is older than this was written by an operator that is away. */
const SILENT_MS = 60_000;

export function viewOf(object: PolicyObject, reading: Reading): ReleaseView {
  const written = writtenView(object) ?? unwritten(object, reading);
  const troubles = [...silenceOf(written, reading.wallMs), ...troublesOf(object), ...written.troubles];
  const view = { ...aged(written, reading.wallMs), troubles: [...new Set(troubles)] };
  return inReadersWords(view, object, reading);
}

export function fullName({ metadata }: PolicyObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

function writtenView(object: PolicyObject): ReleaseView | null {
  const text = object.status?.view;
  if (text === undefined) return null;
  const view = parsed(text);
  if (view === null) return null;
  const whole: ReleaseView = { ...emptyView(object, view.now ?? ''), ...view } as ReleaseView;
  if (canBeDrawn(whole)) return whole.schema === VIEW_SCHEMA ? whole : { ...whole, troubles: newer(whole) };
  const { headline, now } = whole;
  const plain = emptyView(object, now);
  const said = typeof headline === 'string' ? headline : plain.headline;
  return { ...plain, headline: said, because: said, troubles: newer(whole) };
}

function newer(view: ReleaseView): readonly string[] {
  const others = Array.isArray(view.troubles) ? view.troubles.filter((each) => typeof each === 'string') : [];
  return [
    `the operator is of another version (its views are of kind ${view.schema}): some is not shown here`,
    ...others,
  ];
}

function parsed(text: string): Partial<ReleaseView> | null {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null ? (value as Partial<ReleaseView>) : null;
  } catch {
    return null;
  }
}

/** Everything that draws it does, and leaves no hole. */
function canBeDrawn(view: ReleaseView): boolean {
  try {
    const lines = [
      ...watchLines(view, { columns: 100, offsetMinutes: 0, details: true, keys: true }).map((line) =>
        line.map(({ text }) => text).join(''),
      ),
      ...plainLines(view, { offsetMinutes: 0 }),
      decisionLine(view, 0),
      decisionKey(view),
    ];
    return lines.every((line) => !/\bundefined\b|\bNaN\b/.test(line));
  } catch {
    return false;
  }
}

const LOOK_FIRST = 'Haldane has not looked at this policy yet: is the operator running? (haldane doctor)';

function unwritten(object: PolicyObject, { wallMs }: Reading): ReleaseView {
  const compiled = compileObject(object, { hash: sha256Hex });
  const refused = compiled.kind === 'refused' ? `the policy is refused: ${compiled.errors[0]?.problem}` : null;
  const why = refused ?? saidOf(object) ?? LOOK_FIRST;
  const view = emptyView(object, new Date(wallMs).toISOString());
  return { ...view, headline: why, because: why, troubles: [why] };
}

/** There are conditions before there is a view: of a policy whose Deployment is not there, for one. */
function saidOf({ status }: PolicyObject): string | null {
  const conditions = status?.conditions ?? [];
  const stalled = conditions.find(({ type, status: value }) => type === 'Stalled' && value === 'True');
  const unready = conditions.find(({ type, status: value }) => type === 'Ready' && value === 'False');
  return [stalled, unready].map((each) => each?.message ?? '').find((message) => message !== '') ?? null;
}

function emptyView(object: PolicyObject, now: string): ReleaseView {
  return buildView({
    name: fullName(object),
    generation: object.metadata.generation ?? 0,
    wallTime: now,
    policy: null,
    declared: null,
    state: null,
    decision: null,
    seen: null,
    trouble: null,
    owed: [],
    log: [],
    live: null,
  });
}

/** What the status says beside the view. */
function troublesOf({ metadata, status }: PolicyObject): readonly string[] {
  const refused = status?.conditions?.find(({ type, reason }) => type === 'Stalled' && reason === 'PolicyRefused');
  return [
    ...(metadata.deletionTimestamp === undefined
      ? []
      : ['the policy is being deleted: its workload is given back first']),
    ...(refused?.status === 'True' ? [`the policy is refused as it stands: ${refused.message ?? ''}`] : []),
  ];
}

/** What was to come in a minute comes sooner when that was said half a minute ago. */
function aged(view: ReleaseView, wallMs: number): ReleaseView {
  const ageMs = ageOf(view, wallMs);
  const { next, traffic } = view;
  const inMs = next.inMs === null ? null : Math.max(0, next.inMs - ageMs);
  const countedMs = traffic.ageMs === null ? null : traffic.ageMs + ageMs;
  return { ...view, next: { ...next, inMs }, traffic: { ...traffic, ageMs: countedMs } };
}

function ageOf({ now }: ReleaseView, wallMs: number): number {
  const ageMs = wallSpanMs(now, new Date(wallMs).toISOString());
  return Number.isFinite(ageMs) ? Math.max(0, ageMs) : 0;
}

/** At rest it has nothing to say; while something moves it says something with every window. */
function silenceOf(view: ReleaseView, wallMs: number): readonly string[] {
  const moves = ['starting', 'testing', 'promoting', 'aborting'].includes(view.state);
  const ageMs = ageOf(view, wallMs);
  if (!moves || ageMs <= SILENT_MS) return [];
  return [`the operator has said nothing for ${Math.round(ageMs / 1_000)} s: what is shown is old (haldane doctor)`];
}

/** Names as the reader types them, in every sentence. */
function inReadersWords(view: ReleaseView, object: PolicyObject, { namespace }: Reading): ReleaseView {
  const full = fullName(object);
  const isShort = namespace !== null && namespace === object.metadata.namespace;
  const pattern = new RegExp(`(?<![\\w./-])${escaped(full)}(?=$|[^\\w./]|-\\d)`, 'g');
  return mapTexts(view, (text) => {
    const named = isShort ? text.replace(pattern, object.metadata.name) : text;
    return inWordsOf('kubernetes', named);
  });
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

export function mapTexts<T>(value: T, map: (text: string) => string): T {
  if (typeof value === 'string') return map(value) as T;
  if (Array.isArray(value)) return value.map((each) => mapTexts(each, map)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mapTexts(each, map)])) as T;
}
