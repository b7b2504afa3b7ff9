/**
 * `npm run test:policy-mutants -- --runs 50000 [--seed s]`: policies changed at random in one to three places. Each is
 * refused with good errors, or the difference of the compiled policies lies where it was changed or in what that field
 * generates. It never crashes, and what was accepted without any effect says the same as before.
 */
import { isDeepStrictEqual, parseArgs } from 'node:util';
import * as z from 'zod';
import {
  compilePolicy,
  diffPolicies,
  lintPolicy,
  type PolicyError,
  parsePolicyText,
  policyJsonSchema,
} from '../../src/core/policy/index.ts';
import { policySchema } from '../../src/core/policy/schema.ts';
import { walkValue } from '../../src/core/policy/walk.ts';
import { createRandom, type Random } from '../../src/core/statistics/random.ts';
import { BASES, type Plain, RECORDED_BASES, sha256 } from './bases.ts';
import { generatedBy, isWithin } from './generates.ts';
import { at, type Mutant, mutate, pick } from './mutate.ts';

/** Editors must never mark what Haldane takes. */
const JSON_SCHEMA = z.fromJSONSchema(withoutNot(policyJsonSchema()) as never);

/** zod cannot read `not`, which says that stages, preset and ramp exclude each other; the rules are tried elsewhere. */
function withoutNot(schema: object): object {
  return JSON.parse(JSON.stringify(schema, (key, value) => (key === 'not' ? undefined : value)));
}

export interface MutantFailure {
  readonly run: number;
  readonly base: string;
  readonly changes: string;
  readonly reason: string;
}

export interface MutantSummary {
  readonly runs: number;
  readonly refused: number;
  readonly accepted: number;
  /** Accepted, and the compiled policy says the same: another writing of the same value, or a default written out. */
  readonly same: number;
  readonly failures: readonly MutantFailure[];
}

type Compiled = Extract<ReturnType<typeof compilePolicy>, { kind: 'ok' }>;

export interface MutantOptions {
  readonly runs: number;
  readonly seed: string;
  /** A sabotaged compiler, to show that the runs can fail. */
  readonly compile?: Compile;
  readonly stopAtFailure?: boolean;
}

type Source = 'live' | 'recorded';
type Compile = (value: unknown, source: Source) => ReturnType<typeof compilePolicy>;

export function runMutants(options: MutantOptions): MutantSummary {
  const { runs, seed, stopAtFailure = false } = options;
  const compile: Compile = options.compile ?? ((value, source) => compilePolicy(value, sha256, { source }));
  const bases = Object.entries(BASES).map(([name, value]) => {
    const source: Source = RECORDED_BASES.includes(name) ? 'recorded' : 'live';
    return { name, value: value as Plain, source, compiled: mustCompile(compile(value, source)) };
  });
  const counts = { refused: 0, accepted: 0, same: 0 };
  const failures: MutantFailure[] = [];
  for (let run = 0; run < runs && !(stopAtFailure && failures.length > 0); run++) {
    const random = createRandom(`${seed}/${run}`);
    const base = pick(random, bases);
    const mutants = mutateSome(random, base.value);
    const changes = mutants.map(({ path, how }) => `${how} at ${path.join('.')}`).join(', ');
    const last = mutants.at(-1)?.value;
    const fail = (reason: string) => failures.push({ run, base: base.name, changes, reason });
    try {
      const outcome = judge({ ...base, result: compile(last, base.source) }, mutants, last);
      if (typeof outcome === 'string' && Object.hasOwn(counts, outcome)) counts[outcome as keyof typeof counts] += 1;
      else fail(outcome);
      if (run % 10 === 0) {
        const text = textDiffers(last, base.source);
        if (text !== null) fail(text);
      }
    } catch (error) {
      fail(`crashed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }
  return { runs, ...counts, failures };
}

function mustCompile(result: ReturnType<typeof compilePolicy>): Compiled {
  if (result.kind !== 'ok') throw new Error(`the base is refused: ${JSON.stringify(result.errors)}`);
  return result;
}

function mutateSome(random: Random, base: Plain): readonly Mutant[] {
  const count = pick(random, [1, 1, 1, 1, 2, 3]);
  const mutants: Mutant[] = [];
  let value: Plain = base;
  for (let index = 0; index < count; index++) {
    const mutant = mutate(random, value);
    mutants.push(mutant);
    // Only plain values are changed further: what cannot be cloned is tried alone.
    if (!isPlain(mutant.value)) break;
    value = mutant.value as Plain;
  }
  return mutants;
}

function isPlain(value: unknown): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(JSON.stringify(value)), value);
  } catch {
    return false;
  }
}

/** 'refused', 'accepted', 'same', or what is wrong. */
function judge(
  base: { value: Plain; compiled: Compiled; result: ReturnType<typeof compilePolicy> },
  mutants: readonly Mutant[],
  value: unknown,
): string {
  const { result } = base;
  const walked = walkValue(policySchema, value).problems;
  // The walk may be stricter only with what is no JSON, and with __proto__, which zod drops from maps.
  const isStricter = !isPlain(value) || JSON.stringify(value).includes('__proto__');
  const isTaken = policySchema.safeParse(value).success;
  if (isTaken !== (walked.length === 0) && !(isTaken && isStricter)) {
    return `zod and the walk disagree on the structure: ${JSON.stringify(walked)}`;
  }
  if (result.kind === 'refused') return badError(result.errors) ?? 'refused';
  if (isPlain(value) && !JSON_SCHEMA.safeParse(value).success) return 'accepted, and the JSON Schema refuses it';
  lintPolicy(result.policy, { version: result.version, requestsPerSecond: 10 });
  const allowed = mutants.flatMap(({ path }) => generatedBy(path) ?? []);
  const differences = diffPolicies(parts(base.compiled), parts(result));
  const surprise = differences.find(({ path }) => !allowed.some((prefix) => isWithin(path, prefix)));
  if (surprise !== undefined) return `changed ${surprise.path}, allowed were ${allowed.join(', ') || 'none'}`;
  if (differences.length > 0) return 'accepted';
  return silentlyDropped(base.value, value, mutants) ?? 'same';
}

function parts({ metadata, policy, version }: Compiled): object {
  return { metadata, policy, version };
}

function badError(errors: readonly PolicyError[]): string | null {
  if (errors.length === 0) return 'refused without an error';
  const bad = errors.find(({ path, problem, fix }) => path === '' || problem.length < 5 || fix.length < 5);
  const vague = errors.find(({ problem, fix }) => /undefined|\[object|Invalid input/.test(problem + fix));
  return bad === undefined && vague === undefined ? null : `a bad error: ${JSON.stringify(bad ?? vague)}`;
}

/** No difference although the policy as read differs: only where a default was written out, or left to itself. */
function silentlyDropped(before: Plain, after: unknown, mutants: readonly Mutant[]): string | null {
  const read = [before, after].map((value) => withoutTexts(walkValue(policySchema, value).value));
  if (isDeepStrictEqual(read[0], read[1])) return null;
  const isDefault = mutants.some(({ path }) => {
    const isWrittenOut = [before, after].some((value) => at(value, path) === undefined);
    const patterns = isWrittenOut ? [...DEFAULTED, ...HOLDING_DEFAULTS] : HOLDING_DEFAULTS;
    return patterns.some((pattern) => pattern.test(path.join('.')));
  });
  return isDefault ? null : 'a change was accepted and has no effect';
}

/** A quantity keeps how it was written, for errors: "1 %" says the same as "1%". */
function withoutTexts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTexts);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => !(key === 'text' && 'unit' in value));
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutTexts(item)]));
}

/** Fields whose default depends on others: written out (or taken out), they may say what would be so anyway. */
const DEFAULTED = [
  /^spec\.stages\.\d+\.(bake|gates|advance)$/,
  /^spec\.(ramp|canary|metrics|leastBake|checks|exposure\.badPerInterval|deadlines\.release|errors\.exceptRoutes)$/,
  /^spec\.checks\.\d+\.(tolerance(\.(margin|harmMargin|buckets))?|role|direction|weight|warmUp|clusterCap)$/,
  /^spec\.workload\.(processes|upstreams)\.template\.version$/,
  /^spec\.workload\.deployment\.pods$/,
  /^spec\.router\.gatewayApi\.route\.owned\.name$/,
];

/** Objects and lists that hold such fields, or a stage of 100. */
const HOLDING_DEFAULTS = [
  /^spec\.workload(\.deployment)?$/,
  /^spec\.router(\.gatewayApi(\.route(\.owned)?)?)?$/,
  /^spec(\.(stages(\.\d+)?|exposure|deadlines|errors|canary|ramp|preset|checks(\.\d+(\.tolerance)?)?))?$/,
];

/** The same value as JSON text has the same outcome. */
function textDiffers(value: unknown, source: Source): string | null {
  if (!isPlain(value)) return null;
  const fromValue = compilePolicy(value, sha256, { source });
  const fromText = parsePolicyText(JSON.stringify(value, null, 2), { hash: sha256, source });
  if (fromValue.kind !== fromText.kind) return `as a value ${fromValue.kind}, as text ${fromText.kind}`;
  if (fromValue.kind !== 'ok' || fromText.kind !== 'ok') return null;
  const [document] = fromText.documents;
  return isDeepStrictEqual(document?.policy, fromValue.policy) ? null : 'value and text compile to different policies';
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { runs: { type: 'string' }, seed: { type: 'string' } } });
  const seed = values.seed ?? 'policy-mutants';
  const summary = runMutants({ runs: Number(values.runs ?? 50_000), seed });
  for (const failure of summary.failures.slice(0, 20)) process.stdout.write(`${JSON.stringify(failure)}\n`);
  process.stdout.write(
    `${summary.runs} mutated policies (seed ${seed}): ${summary.refused} refused, ${summary.accepted} accepted with exactly their own difference, ${summary.same} saying the same, ${summary.failures.length} failures\n`,
  );
  process.exitCode = summary.failures.length === 0 ? 0 : 1;
}
