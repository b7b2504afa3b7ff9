/** Random changes of a policy: wrong types, near misses, other valid values, keys renamed, taken out or made up. */
import { flatten } from '../../src/core/policy/explain.ts';
import { outlinePolicy } from '../../src/core/policy/index.ts';
import type { Random } from '../../src/core/statistics/random.ts';
import { changed, type Plain, REMOVED } from './bases.ts';

type Path = readonly (string | number)[];

export interface Mutant {
  readonly value: unknown;
  /** Where it was changed. */
  readonly path: Path;
  readonly how: string;
}

/** Words and numbers that break parsers, and words that are right somewhere else. */
const POOL: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  2,
  5,
  1.5,
  0.05,
  95,
  97,
  100,
  1e21,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  -0,
  '',
  ' ',
  'x',
  '5',
  '5%',
  '0.01%',
  '100%',
  '1s',
  '10m',
  '7d',
  '600s',
  '1GiB',
  '2KiB',
  '512MiB',
  'none',
  'health',
  'other',
  'errors',
  'latency',
  'checkout',
  'cpu',
  'GET',
  '5xx',
  'canary',
  'fast',
  'AllAtOnce',
  '127.0.0.1:9004',
  '1/h',
  '0.001/s',
  'result > 0',
  'accept',
  'either',
  'http://[::1]:9005',
  '/checkout',
  '/*',
  '/x/y',
  '__proto__',
  'constructor',
  'toString',
  '\u0000',
  '\ud800',
  '🙂',
  'é',
  'A'.repeat(300),
  '<<',
  '*a',
  '&a',
  [],
  [[]],
  [null],
  ['errors'],
  ['x', 'x'],
  {},
  { a: 1 },
  { errors: {} },
  { log: {} },
  { path: '/' },
  { weight: 5 },
  { min: 99 },
  { interval: '1m', failureCondition: 'result > 1' },
  JSON.parse('{"__proto__": {"weight": 5}}'),
  undefined,
  10n,
  new Date(0),
  new Map([['a', 1]]),
  () => 5,
  Symbol('s'),
];

const FIELDS = outlinePolicy().flatMap(flatten);
const NAMES = [...new Set(FIELDS.map((field) => field.path.at(-1) ?? ''))];

export function pick<T>(random: Random, items: readonly T[]): T {
  return items[Math.floor(random.uniform() * items.length)] as T;
}

/** Every place of a document. */
export function placesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const below = Object.entries(value).flatMap(([key, item]) =>
    placesOf(item, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return [path, ...below];
}

export function at(value: unknown, path: Path): unknown {
  let current = value;
  for (const part of path) current = (current as Record<string | number, unknown> | undefined)?.[part];
  return current;
}

export function mutate(random: Random, base: Plain): Mutant {
  const places = placesOf(base).filter((path) => path.length > 0);
  const path = pick(random, places);
  const how = pick(random, HOWS);
  return how(random, base, path);
}

type How = (random: Random, base: Plain, path: Path) => Mutant;

const set = (base: Plain, path: Path, value: unknown, how: string): Mutant => ({
  value: changed(base, path, value),
  path,
  how,
});

const strange: How = (random, base, path) => set(base, path, pick(random, POOL), 'strange value');

const near: How = (random, base, path) => {
  const old = at(base, path);
  if (typeof old === 'number') {
    return set(base, path, pick(random, [old + 1, old - 1, old * 10, old / 3, -old, String(old)]), 'near value');
  }
  if (typeof old !== 'string') return strange(random, base, path);
  const place = Math.floor(random.uniform() * (old.length + 1));
  const typo = pick(random, [
    old.slice(0, place) + pick(random, ['1', 'a', '-', ' ', '%', 'm', '.']) + old.slice(place),
    old.slice(0, place) + old.slice(place + 1),
    old.toUpperCase(),
    old.replace(/\d+/, (digits) => String(Number(digits) + 1)),
  ]);
  return set(base, path, typo, 'near value');
};

/** A value that is right for the field: its example, another word of its list, or another value of the document. */
const valid: How = (random, base) => {
  const field = pick(random, FIELDS);
  const path: (string | number)[] = [];
  for (const part of field.path) {
    if (part !== '[]') path.push(part);
    else {
      const list = at(base, path);
      path.push(Math.floor(random.uniform() * Math.max(1, Array.isArray(list) ? list.length : 1)));
    }
  }
  const value = field.values.length > 0 ? pick(random, field.values) : field.example;
  // The highest place that is new is what was changed.
  let length = 1;
  while (length < path.length && at(base, path.slice(0, length)) !== undefined) length += 1;
  const mutant = set(base, path, value, 'valid value');
  return { ...mutant, path: path.slice(0, length) };
};

const remove: How = (_random, base, path) => {
  const isItem = typeof path.at(-1) === 'number';
  return { value: changed(base, path, REMOVED), path: isItem ? path.slice(0, -1) : path, how: 'removed' };
};

const rename: How = (random, base, path) => {
  const key = path.at(-1);
  if (typeof key !== 'string') return strange(random, base, path);
  const place = Math.floor(random.uniform() * key.length);
  const typo = pick(random, [
    key.slice(0, place) + key.slice(place + 1),
    `${key}s`,
    key.toUpperCase(),
    pick(random, NAMES),
  ]);
  const parent = path.slice(0, -1);
  const without = changed(base, path, REMOVED);
  return { value: changed(without, [...parent, typo], at(base, path)), path: parent, how: 'renamed' };
};

const invent: How = (random, base, path) => {
  const parent = at(base, path);
  if (typeof parent !== 'object' || parent === null || Array.isArray(parent)) return near(random, base, path);
  const key = pick(random, [...NAMES, 'x', '__proto__', 'constructor', 'a b', '', '0']);
  const isNew = !Object.hasOwn(parent, key);
  const value = pick(random, POOL);
  return {
    value: changed(base, [...path, key], value),
    path: isNew ? [...path, key] : [...path, key],
    how: 'invented',
  };
};

const shuffle: How = (random, base, path) => {
  const list = at(base, path);
  if (!Array.isArray(list) || list.length === 0) return near(random, base, path);
  const other = pick(random, [[...list].reverse(), [...list, list[0]], list.slice(1), [list.at(-1), ...list]]);
  return set(base, path, other, 'shuffled');
};

const transplant: How = (random, base, path) => {
  const from = pick(random, placesOf(base));
  return set(base, path, structuredClone(at(base, from)), 'transplanted');
};

const HOWS: readonly How[] = [strange, near, near, valid, valid, valid, remove, rename, invent, shuffle, transplant];
