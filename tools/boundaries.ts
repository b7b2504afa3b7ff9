/**
 * The rooms of the source tree and what each may import: the table once, as data. The check (`npm run boundaries`),
 * and the page docs/rooms.md come from it. It refuses exceptions that are not listed with a reason
 * (tools/house/exceptions.ts).
 */

export interface Room {
  readonly holds: string;
  /** Other rooms it may import. */
  readonly may: readonly string[];
  /** Rooms of which it may import types only. */
  readonly mayTypes?: readonly string[];
  /** npm packages it may import; `*` for any (vendor clients of adapters). */
  readonly packages?: readonly string[];
  /** May it use node: modules? Never in the core. */
  readonly node?: boolean;
  /** Others come in through its index.ts only. */
  readonly face?: boolean;
}

const CORE = [
  'core/model',
  'core/policy',
  'core/statistics',
  'core/analysis',
  'core/engine',
  'core/rehearsal',
  'core/views',
];

export const ROOMS: Readonly<Record<string, Room>> = {
  'core/model': { holds: 'the nouns', may: [] },
  'core/statistics': { holds: 'e-processes, special functions: numbers in, numbers out', may: [] },
  'core/policy': {
    holds: 'the schema people write against: parse, defaults, lint, presets',
    may: ['core/model'],
    packages: ['zod', 'yaml'],
  },
  'core/analysis': { holds: 'checks become verdicts', may: ['core/model', 'core/statistics'] },
  'core/engine': {
    holds: 'decide(), forecast(), conditions, the table of commands',
    may: ['core/model', 'core/analysis'],
  },
  'core/rehearsal': {
    holds: 'a policy tried against a stated truth under virtual time: for plans and the benchmark',
    may: ['core/model', 'core/statistics', 'core/analysis', 'core/engine'],
  },
  'core/views': { holds: 'view model; pictures as functions', may: ['core/model'], mayTypes: ['core/engine'] },
  ports: {
    holds: 'what the controller needs from outside, a conformance suite and a double each',
    may: ['core/model'],
    node: true,
  },
  lib: { holds: 'errors, http, back-off; knows nothing of releases', may: [], node: true },
  kubernetes: {
    holds: 'what the Kubernetes adapters share; knows nothing of releases',
    may: ['lib'],
    packages: ['undici', 'yaml'],
    node: true,
  },
  cluster: {
    holds: 'what the Kubernetes adapters share about releases: names, revisions, places',
    may: ['core/model', 'lib', 'kubernetes'],
    node: true,
  },
  adapters: {
    holds: 'one outside thing each',
    may: ['ports', 'core/model', 'lib', 'kubernetes', 'cluster'],
    packages: ['*'],
    node: true,
  },
  controller: {
    holds: 'the loop: observe, decide, record, perform',
    may: [...CORE, 'ports', 'lib'],
    node: true,
    face: true,
  },
  gateway: {
    holds: 'the embedded data plane, a process of its own',
    may: ['core/model', 'lib'],
    packages: ['*'],
    node: true,
  },
  server: {
    holds: 'the HTTP API',
    may: [...CORE, 'ports', 'lib', 'controller'],
    packages: ['hono', '@hono/node-server', 'zod'],
    node: true,
  },
  cli: {
    holds: 'one file per command',
    may: [...CORE, 'ports', 'lib', 'controller', 'cluster'],
    mayTypes: ['kubernetes'],
    packages: ['commander', 'yaml', 'zod'],
    node: true,
  },
  simulator: {
    holds: 'the shipped controller under virtual time, against a simulated world',
    may: [...CORE, 'ports', 'controller', 'lib'],
    node: true,
  },
  face: { holds: 'src/index.ts, what the package exports', may: [...CORE, 'ports', 'lib'] },
  main: { holds: 'composition roots; sees everything, nobody imports it', may: ['*'], packages: ['*'], node: true },
};

/** The room of a source file; undefined outside src/. */
export function roomOf(path: string): string | undefined {
  if (!path.startsWith('src/')) return undefined;
  const [, first = '', second = ''] = path.split('/');
  if (path === 'src/index.ts') return 'face';
  return first === 'core' ? `core/${second}` : first;
}

/** Tests, and everything outside src/, may import what they like. */
export function isFree(path: string): boolean {
  return !path.startsWith('src/') || path.endsWith('.test.ts');
}
