// An adopted route: of all of it, only the weights of stable's and the canary's backends change, by a patch that names each
// one; everything else stays byte for byte (I5). Pure. It refuses a rule whose numbers cannot say the weight.
import type { JsonPatchOperation } from '../../../kubernetes/index.ts';
import { type Division, divisionsOf, type HttpRouteSpec, type Pair, percentOf } from './route.ts';
import type { Wanted } from './wanted.ts';

const WHOLE = 10_000;

export type Given = Readonly<Record<string, number>>;

export interface AdoptedPlan {
  /** Empty: it is as it shall be. */
  readonly operations: readonly JsonPatchOperation[];
  /** What its owner gave stable, by rule; to be given back. */
  readonly given: Given;
}

export type Asked = Pick<Wanted, 'canaryPercent' | 'hasCanary'>;

export function planAdopted(
  spec: HttpRouteSpec,
  asked: Asked,
  pair: Pair,
  given: Given,
): AdoptedPlan | { readonly refused: string } {
  const operations: JsonPatchOperation[] = [];
  const kept: Record<string, number> = {};
  for (const division of divisionsOf(spec, pair)) {
    const weights = weightsFor(division, asked, given[division.rule]);
    if (weights === null) return { refused: refusal(division, asked.canaryPercent, pair) };
    kept[division.rule] = givenOf(division, given[division.rule]);
    operations.push(...changes(spec, division, { ...weights, hasCanary: asked.hasCanary }, pair));
  }
  return { operations, given: kept };
}

/** Before the canary came, stable's weight is what its owner gave it. */
function givenOf({ canaryAt, stableWeight, canaryWeight, otherWeight }: Division, known: number | undefined): number {
  if (canaryAt < 0) return stableWeight;
  return otherWeight > 0 ? stableWeight + canaryWeight : (known ?? 1);
}

interface Weights {
  readonly stable: number;
  readonly canary: number;
}

function weightsFor(
  division: Division,
  { canaryPercent, hasCanary }: Asked,
  known: number | undefined,
): Weights | null {
  const { stableWeight, canaryWeight, otherWeight } = division;
  const given = givenOf(division, known);
  if (!hasCanary) return { stable: given, canary: 0 };
  const isRight = division.canaryAt >= 0 && percentOf(division) === canaryPercent;
  if (isRight) return { stable: stableWeight, canary: canaryWeight };
  if (canaryPercent === 0) return { stable: otherWeight > 0 ? given : stableWeight || given, canary: 0 };
  const whole = otherWeight > 0 ? given : WHOLE;
  const canary = (canaryPercent * whole) / 100;
  // Of other backends the weights are not ours, so stable's own number must be large enough to be divided.
  if (Math.abs(canary - Math.round(canary)) > 1e-6) return null;
  return { stable: whole - Math.round(canary), canary: Math.round(canary) };
}

function refusal({ rule }: Division, percent: number, { stable }: Pair): string {
  return `rule ${rule} of the route sends to other backends too, and the weight of ${stable} in it cannot be divided to ${percent} %; give it 10000 times its weight, and the others as well`;
}

function changes(
  { rules = [] }: HttpRouteSpec,
  division: Division,
  wanted: Weights & { readonly hasCanary: boolean },
  pair: Pair,
): readonly JsonPatchOperation[] {
  const { rule, stableAt, canaryAt, stableWeight, canaryWeight } = division;
  const path = `/spec/rules/${rule}/backendRefs`;
  const operations: JsonPatchOperation[] = [];
  if (wanted.stable !== stableWeight) {
    operations.push({ op: 'add', path: `${path}/${stableAt}/weight`, value: wanted.stable });
  }
  if (wanted.hasCanary && canaryAt < 0) {
    // As stable's own backend, filters included: both are treated alike.
    const value = { ...rules[rule]?.backendRefs?.[stableAt], name: pair.canary, weight: wanted.canary };
    operations.push({ op: 'add', path: `${path}/${stableAt + 1}`, value });
  } else if (!wanted.hasCanary && canaryAt >= 0) {
    operations.push({ op: 'remove', path: `${path}/${canaryAt}` });
  } else if (canaryAt >= 0 && wanted.canary !== canaryWeight) {
    operations.push({ op: 'add', path: `${path}/${canaryAt}/weight`, value: wanted.canary });
  }
  return operations;
}
