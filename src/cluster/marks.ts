// What Haldane's marks on a Deployment become as JSON patches, for whoever puts them there or takes them away. Pure: what is
// not Haldane's is not named in them (I5).
import type { JsonPatchOperation } from '../kubernetes/index.ts';
import { ANNOTATION } from './names.ts';
import type { Deployment } from './objects.ts';
import type { PodTemplate } from './revision.ts';

export type Operations = readonly JsonPatchOperation[];

/** "haldane.dev/held" as a part of a JSON pointer. */
const pointer = (annotation: string) => `/metadata/annotations/${annotation.replaceAll('/', '~1')}`;

const MARKS = [ANNOTATION.lock, ANNOTATION.held, ANNOTATION.hold];

const isLocked = ({ metadata }: Deployment) => metadata.annotations?.[ANNOTATION.lock] !== undefined;

export function unpause({ spec }: Deployment): Operations {
  return spec.paused === undefined ? [] : [{ op: 'remove', path: '/spec/paused' }];
}

export function removed({ metadata }: Deployment, annotation: string): Operations {
  return metadata.annotations?.[annotation] === undefined ? [] : [{ op: 'remove', path: pointer(annotation) }];
}

export function annotated(
  seen: Deployment,
  values: Readonly<Record<string, string>>,
  without: readonly string[] = [],
): Operations {
  const start: Operations =
    seen.metadata.annotations === undefined ? [{ op: 'add', path: '/metadata/annotations', value: {} }] : [];
  const added = Object.entries(values).map(([name, value]) => ({ op: 'add', path: pointer(name), value }) as const);
  return [...start, ...added, ...without.flatMap((name) => removed(seen, name))];
}

/** Nothing of Haldane's is left on it, and it is its owner's: with this template, or the one that stands there. */
export function givenBack(seen: Deployment, template: PodTemplate | null): Operations {
  const marks = MARKS.flatMap((name) => removed(seen, name));
  const replaced: Operations = template === null ? [] : [{ op: 'replace', path: '/spec/template', value: template }];
  // A pause without marks is its owner's own.
  const isOurs = seen.metadata.annotations?.[ANNOTATION.held] === 'true' || replaced.length > 0 || isLocked(seen);
  return [...replaced, ...(isOurs ? unpause(seen) : []), ...marks];
}

/** Holds only for the very object that was looked at. */
export function guarded({ metadata }: Deployment, operations: Operations): Operations {
  return [{ op: 'test', path: '/metadata/resourceVersion', value: metadata.resourceVersion }, ...operations];
}

/** Which of the pause and the marks the answer does not have as they were sent, in words for people. */
export function undoneIn(answer: Deployment, sent: Operations): readonly string[] {
  return sent.filter((operation) => !isKept(answer, operation)).map(({ path }) => nameOf(path));
}

function isKept({ metadata, spec }: Deployment, operation: JsonPatchOperation): boolean {
  const value = operation.op === 'remove' ? undefined : operation.value;
  if (operation.path === '/spec/paused') return (spec.paused ?? false) === (value ?? false);
  const mark = MARKS.find((name) => operation.path === pointer(name));
  return mark === undefined || metadata.annotations?.[mark] === value;
}

/** "/spec/paused" and "/metadata/annotations/haldane.dev~1held" for people. */
const nameOf = (path: string) => path.replace(/^\/(?:spec|metadata\/annotations)\//, '').replaceAll('~1', '/');
