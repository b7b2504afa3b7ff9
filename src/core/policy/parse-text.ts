/**
 * `parsePolicyText`: YAML or JSON text with any number of documents in, compiled policies out, or every mistake in
 * every document with line and column.
 * It refuses text that two readers would read in two ways (see yaml-value.ts), and two policies for one thing (row 63).
 */
import { type Document, LineCounter, parseAllDocuments } from 'yaml';
import { placeText } from '../model/place.ts';
import type { ReleasePolicy } from '../model/policy.ts';
import type { Hash } from './compile.ts';
import { type CompiledPolicy, judgePolicy, type PolicyError, toError } from './parse.ts';
import type { MeasurementSource } from './rule-report.ts';
import type { Problem } from './walk.ts';
import { type Place, placeKey, plainDocument } from './yaml-value.ts';

export interface ParseOptions {
  /** Text to a hex digest (SHA-256). */
  readonly hash: Hash;
  /** Named in errors. */
  readonly file?: string;
  /** Where measurements will come from; `live` (default) refuses what the embedded gateway does not measure. */
  readonly source?: MeasurementSource;
  /** On Kubernetes, where policies lie that do not say it themselves: each is then called "namespace/name". */
  readonly namespace?: string;
}

/** A compiled policy and where its document starts. */
export interface ParsedDocument extends CompiledPolicy {
  readonly line: number;
}

export type ParseResult =
  | { readonly kind: 'ok'; readonly documents: readonly ParsedDocument[] }
  | { readonly kind: 'refused'; readonly errors: readonly PolicyError[] };

const LONGEST_TEXT = 1_000_000;
const MOST_DOCUMENTS = 1_000;
/** A broken document breaks in many places; the first few say it all. */
const MOST_YAML_ERRORS = 5;
const TOO_DEEP = { problem: 'is nested too deeply', fix: 'write the policy flat, as in the reference' };

/**
 * @example parsePolicyText('apiVersion: haldane.dev/v1alpha1\nkind: ReleasePolicy\n...', { hash: sha256Hex })
 */
export function parsePolicyText(text: string, options: ParseOptions): ParseResult {
  const result = parseDocuments(text, options);
  if (result.kind === 'ok') return result;
  const errors = result.errors.map((error) => ({ ...error, file: options.file ?? null }));
  return { kind: 'refused', errors: errors.sort(byPlace) };
}

function byPlace(left: PolicyError, right: PolicyError): number {
  return (left.line ?? 0) - (right.line ?? 0) || (left.column ?? 0) - (right.column ?? 0);
}

function parseDocuments(text: string, options: ParseOptions): ParseResult {
  if (text.length > LONGEST_TEXT)
    return refuseText('the text is longer than 1,000,000 characters', 'split it into files');
  const lines = new LineCounter();
  const documents = parseYaml(text, lines);
  if (documents === null) return refuseText(TOO_DEEP.problem, TOO_DEEP.fix);
  const written = documents.filter((document) => document.contents !== null || document.errors.length > 0);
  if (written.every((document) => isEmpty(document))) {
    return refuseText(
      'there is no policy in here',
      'write a document with apiVersion: haldane.dev/v1alpha1 and kind: ReleasePolicy',
    );
  }
  if (written.length > MOST_DOCUMENTS)
    return refuseText('there are more than 1,000 documents', 'split them into files');
  const errors: PolicyError[] = [];
  const good: ParsedDocument[] = [];
  for (const document of written.filter((each) => !isEmpty(each)))
    readDocument({ document, lines, options, errors, good });
  refuseSame(good, errors);
  return errors.length > 0 ? { kind: 'refused', errors } : { kind: 'ok', documents: good };
}

/** null when the nesting is deeper than a parser can follow. */
function parseYaml(text: string, lineCounter: LineCounter): readonly Document.Parsed[] | null {
  try {
    const parsed = parseAllDocuments(text, {
      lineCounter,
      uniqueKeys: false,
      prettyErrors: false,
      merge: false,
      version: '1.2',
      logLevel: 'silent',
    });
    return Array.isArray(parsed) ? (parsed as Document.Parsed[]) : [];
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function refuseText(problem: string, fix: string): ParseResult {
  return { kind: 'refused', errors: [toError({ path: [], problem, fix }, { line: 1, column: 1 })] };
}

/** Nothing between two separators, or only comments. */
function isEmpty({ contents, errors }: Document.Parsed): boolean {
  return errors.length === 0 && (contents === null || ('source' in contents && contents.source === ''));
}

interface Reading {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  readonly options: ParseOptions;
  readonly errors: PolicyError[];
  readonly good: ParsedDocument[];
}

function readDocument({ document, lines, options, errors, good }: Reading): void {
  const at = (offset: number | null) => {
    if (offset === null) return null;
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (document.errors.length > 0) {
    for (const error of document.errors.slice(0, MOST_YAML_ERRORS)) {
      errors.push(toError({ path: [], ...explainYaml(error.code, error.message) }, at(error.pos[0])));
    }
    return;
  }
  if (document.directives?.yaml.explicit === true && document.directives.yaml.version !== '1.2') {
    errors.push(
      toError({ path: [], problem: 'the document asks for YAML 1.1', fix: 'take the %YAML line out' }, at(0)),
    );
    return;
  }
  const plain = plainDocument(document.contents);
  const judged = judgePolicy(plain.value, options.hash, options);
  const fromRules = judged.kind === 'ok' ? [] : judged.problems;
  // Where the YAML itself was refused, what the schema says about the hole it left is noise.
  const problems = [...plain.problems, ...fromRules.filter((each) => !isBelow(each, plain.problems))];
  for (const problem of problems) {
    const source = plain.numberSources.get(placeKey(problem.path));
    const shown = source !== undefined && problem.fix.startsWith('quote it') ? asWritten(problem, source) : problem;
    errors.push(toError(shown, at(offsetOf(problem, plain.places))));
  }
  const start = at(document.contents?.range?.[0] ?? 0);
  if (judged.kind === 'ok' && problems.length === 0) good.push({ ...judged, line: start?.line ?? 1 });
}

function asWritten(problem: Problem, source: string): Problem {
  return { ...problem, problem: `${source} is a number, not text`, fix: `quote it: "${source}"` };
}

function isBelow(problem: Problem, others: readonly Problem[]): boolean {
  return others.some(
    (other) => other.path.length > 0 && other.path.every((part, index) => problem.path[index] === part),
  );
}

/** A missing field is marked where its parent stands. */
function offsetOf(problem: Problem, places: ReadonlyMap<string, Place>): number | null {
  for (let length = problem.path.length; length >= 0; length--) {
    const place = places.get(placeKey(problem.path.slice(0, length)));
    if (place === undefined) continue;
    const isHere = length === problem.path.length;
    const offset = isHere && problem.atKey !== true ? (place.valueOffset ?? place.keyOffset) : place.keyOffset;
    if (offset !== null || place.valueOffset !== null) return offset ?? place.valueOffset;
  }
  return null;
}

function explainYaml(code: string, message: string): { problem: string; fix: string } {
  const [sentence = message] = message.split('\n');
  const problem = `this is not YAML: ${sentence.charAt(0).toLowerCase()}${sentence.slice(1).replace(/:$/, '')}`;
  switch (code) {
    case 'RESOURCE_EXHAUSTION':
      return TOO_DEEP;
    case 'TAB_AS_INDENT':
      return { problem, fix: 'indent with spaces' };
    case 'BAD_INDENT':
      return { problem, fix: 'line the fields of one object up' };
    case 'MISSING_CHAR':
      return { problem, fix: 'close the quote or bracket' };
    default:
      return {
        problem,
        fix: 'compare the line with the examples: `key: value`, lists with "- ", two blanks deeper per level',
      };
  }
}

/** Two policies of one name, on one address or for one Deployment would fight over one workload (row 63). */
function refuseSame(documents: readonly ParsedDocument[], errors: PolicyError[]): void {
  const names = new Map<string, number>();
  const places = new Map<string, string>();
  for (const { policy, metadata, line } of documents) {
    const at = { line, column: 1 };
    const key = `${metadata.namespace ?? ''}/${policy.name}`;
    const earlier = names.get(key);
    if (earlier !== undefined) {
      const problem = `a policy called "${policy.name}" is there already (line ${earlier})`;
      errors.push(toError({ path: ['metadata', 'name'], problem, fix: 'give each policy its own name' }, at));
    }
    names.set(key, line);
    const place = `${metadata.namespace ?? ''} ${placeText(policy)}`;
    const other = places.get(place);
    if (other !== undefined && earlier === undefined) errors.push(toError(samePlace(policy, other), at));
    places.set(place, policy.name);
  }
}

function samePlace(policy: ReleasePolicy, other: string): Problem {
  if (policy.router.kind === 'gateway') {
    const problem = `the gateway of "${other}" listens on ${placeText(policy)} already`;
    return { path: ['spec', 'router', 'gateway', 'listen'], problem, fix: 'give each policy its own port' };
  }
  const problem = `"${other}" releases ${placeText(policy)} already`;
  return { path: ['spec', 'workload', 'deployment', 'name'], problem, fix: 'write one policy per Deployment' };
}
