/**
 * From a parsed YAML document to a plain value, refusing what two YAML readers would read in two ways.
 *
 * Refused by name: keys twice, keys that are no text, merge keys, anchors and aliases, tags, YAML 1.1 booleans and
 * numbers (yes, 017, 1:30), numbers that are not finite or lose digits. It never resolves an alias, so none can blow up.
 */
import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, type Scalar } from 'yaml';
import { type Path, quoted } from './describe-value.ts';
import type { Problem } from './walk.ts';

/** Character offset of the key and of the value of a path. */
export interface Place {
  readonly keyOffset: number | null;
  readonly valueOffset: number | null;
}

export interface PlainDocument {
  readonly value: unknown;
  readonly problems: readonly Problem[];
  readonly places: ReadonlyMap<string, Place>;
  /** Numbers not written as they are printed: 1.10 reads as 1.1, and whoever meant text wants to see 1.10. */
  readonly numberSources: ReadonlyMap<string, string>;
}

const DEEPEST = 64;
/** Other readers (YAML 1.1) take these for booleans. */
const OLD_BOOLEAN = /^(?:y|yes|n|no|on|off)$/i;
/** ... and these for octal or base-60 numbers. */
const OLD_NUMBER = /^[-+]?(?:0\d+|[1-9]\d*(?::[0-5]?\d)+)$/;

interface Conversion {
  readonly problems: Problem[];
  readonly places: Map<string, Place>;
  readonly numberSources: Map<string, string>;
}

export function placeKey(path: Path): string {
  return JSON.stringify(path);
}

export function plainDocument(contents: Node | null): PlainDocument {
  const conversion: Conversion = { problems: [], places: new Map(), numberSources: new Map() };
  const value = convert(conversion, contents, [], null);
  return { value, ...conversion };
}

function convert(to: Conversion, node: unknown, path: Path, keyOffset: number | null): unknown {
  const range = (node as Node | null)?.range;
  to.places.set(placeKey(path), { keyOffset, valueOffset: range?.[0] ?? null });
  if (node === null || node === undefined) return null;
  if (path.length > DEEPEST)
    return refuse(to, [], 'is nested too deeply', 'write the policy flat, as in the reference');
  if (isAlias(node)) return refuse(to, path, 'is an alias (*)', 'write the value out: a policy is read by people');
  refuseDecoration(to, node as Node, path);
  if (isScalar(node)) return scalarValue(to, node, path);
  if (isSeq(node)) return node.items.map((item, index) => convert(to, item, [...path, index], null));
  if (isMap(node)) return mapValue(to, node.items, path);
  return refuse(to, path, 'is no plain value', 'write a map, a list, text or a number');
}

function refuse(to: Conversion, path: Path, problem: string, fix: string): undefined {
  to.problems.push({ path, problem, fix });
  return undefined;
}

function refuseDecoration(to: Conversion, node: Node, path: Path): void {
  if ('anchor' in node && typeof node.anchor === 'string') {
    refuse(to, path, `has an anchor (&${node.anchor})`, 'take it out and write values out where they are used');
  }
  if (node.tag !== undefined && !/^tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq)$/.test(node.tag)) {
    refuse(to, path, `has a tag (${node.tag})`, 'take the tag out');
  }
}

function mapValue(to: Conversion, items: readonly Pair[], path: Path): Record<string, unknown> {
  const entries: [string, unknown][] = [];
  const seen = new Set<string>();
  for (const pair of items) {
    const key = keyText(to, pair.key, path);
    if (key === null) continue;
    const at = [...path, key];
    const keyOffset = (pair.key as Node).range?.[0] ?? null;
    if (seen.has(key)) {
      to.places.set(placeKey(at), { keyOffset, valueOffset: keyOffset });
      refuse(to, at, `${quoted(key)} is there twice`, 'keep one of them');
      continue;
    }
    seen.add(key);
    entries.push([key, convert(to, pair.value, at, keyOffset)]);
  }
  // fromEntries defines properties, so a key such as __proto__ stays a plain key.
  return Object.fromEntries(entries);
}

function keyText(to: Conversion, key: unknown, path: Path): string | null {
  if (!isScalar(key)) {
    refuse(to, path, 'has a key that is not text', 'write plain names as keys');
    return null;
  }
  const written = key.source ?? String(key.value);
  const at = [...path, written];
  to.places.set(placeKey(at), { keyOffset: key.range?.[0] ?? null, valueOffset: null });
  if (key.type === 'PLAIN' && written === '<<') {
    refuse(to, at, 'is a merge key (<<)', 'write the fields out: a policy is read by people');
    return null;
  }
  refuseDecoration(to, key, at);
  if (typeof key.value !== 'string' || (key.type === 'PLAIN' && OLD_BOOLEAN.test(key.value))) {
    refuse(to, at, `the key ${quoted(written)} is not text to every YAML reader`, `quote it: "${written}"`);
    return null;
  }
  return key.value;
}

function scalarValue(to: Conversion, node: Scalar, path: Path): unknown {
  const { value } = node;
  const source = node.source ?? '';
  if (node.type === 'PLAIN' && (OLD_BOOLEAN.test(source) || OLD_NUMBER.test(source))) {
    const taken = OLD_BOOLEAN.test(source) ? 'a boolean' : 'another number';
    return refuse(to, path, `${source} is ${taken} to other YAML readers`, `quote it if it is text: "${source}"`);
  }
  if (typeof value === 'bigint') return refuse(to, path, `${source} is too large a number`, 'write a smaller number');
  if (typeof value !== 'number') return value;
  if (!Number.isFinite(value)) return refuse(to, path, `${source} is not a number one can use`, 'write a plain number');
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    return refuse(to, path, `${source} is too large a number`, 'write a smaller number, or quote it if it is text');
  }
  if (String(value) !== source) to.numberSources.set(placeKey(path), source);
  return value;
}
