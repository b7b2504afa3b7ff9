/**
 * Numbers with a unit, as people write them: `5%`, `0.2%`, `512MiB`, `500ms`.
 * It refuses a bare number wherever two units could be meant, and never guesses.
 */
import { parseDuration } from '../model/duration.ts';
import { describeValue, quoted } from './describe-value.ts';
import { accept, type Parsed, refuse } from './fields.ts';

const PLAIN_NUMBER = /^\d+(?:\.\d+)?$/;
const PERCENT = /^(\d+(?:\.\d+)?)\s*%$/;
const BYTES = /^(\d+(?:\.\d+)?)\s*(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$/;

const UNIT_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** A percentage written with its sign, as a fraction: "0.2%" -> 0.002. */
export function parsePercentText(value: unknown): Parsed<number> {
  if (typeof value === 'number') {
    return refuse(
      `${value} has no unit: it could mean ${value}% or ${round(value * 100)}%`,
      `write "${value}%" or "${round(value * 100)}%"`,
    );
  }
  if (typeof value !== 'string') return refuse('is not a percentage', 'write a percentage such as 0.2%');
  const match = PERCENT.exec(value);
  if (match === null) {
    const fix = PLAIN_NUMBER.test(value) ? `write "${value}%"` : 'write a percentage such as 0.2%';
    return refuse(`${quoted(value)} is not a percentage`, fix);
  }
  const percent = Number(match[1]);
  if (percent > 100) return refuse(`${value} is more than 100%`, 'write a percentage up to 100%');
  return accept(round(percent / 100));
}

/** A weight: a number of percent, or text such as "5%". Above 0, at most 100, in steps of 0.01. */
export function parseWeight(value: unknown): Parsed<number> {
  const percent = typeof value === 'string' ? Number(PERCENT.exec(value)?.[1] ?? Number.NaN) : value;
  if (typeof percent !== 'number' || Number.isNaN(percent)) {
    return refuse(`${describeValue(value)} is not a weight`, 'write a number of percent, as in 5 or "5%"');
  }
  if (percent <= 0) return refuse(`a weight of ${percent} reaches nobody`, 'write a weight above 0, for example 1');
  if (percent > 100) return refuse(`a weight of ${percent} is more than 100 percent`, 'write a weight up to 100');
  const steps = percent * 100;
  if (Math.abs(steps - Math.round(steps)) > 1e-7) {
    const below = Math.max(1, Math.floor(steps)) / 100;
    const [down, up] = [below, Math.ceil(steps) / 100].map((each) =>
      Number.isInteger(each) ? `${each}` : `"${each}%"`,
    );
    return refuse(`a weight of ${percent} is finer than 0.01 percent`, `write ${down} or ${up}`);
  }
  return accept(Math.round(steps) / 100);
}

/** A size in bytes: "10MiB". */
export function parseBytes(value: unknown): Parsed<number> {
  const examples = 'write a size such as 10MiB, 512KiB or 1GiB';
  if (typeof value === 'number') return refuse(`${value} has no unit`, `write ${value}B, or a size such as 10MiB`);
  if (typeof value !== 'string') return refuse('is not a size', examples);
  const match = BYTES.exec(value);
  if (match === null) {
    const shortened = /^(\d+(?:\.\d+)?)\s*([kKmMgGtT])[iI]?[bB]?$/.exec(value);
    const fix = shortened === null ? examples : `write ${shortened[1]}${shortened[2]?.toUpperCase()}iB`;
    return refuse(`${quoted(value)} is not a size`, PLAIN_NUMBER.test(value) ? `write ${value}B` : fix);
  }
  const bytes = Number(match[1]) * (UNIT_BYTES[match[2] ?? ''] ?? Number.NaN);
  if (!Number.isInteger(bytes)) return refuse(`${value} is not a whole number of bytes`, 'use a smaller unit');
  if (bytes > 2 ** 50) return refuse(`${value} is more than 1024TiB`, examples);
  return accept(bytes);
}

/** An absolute line in the unit it was written in; which unit fits is decided by the check's metric. */
export type Quantity =
  | { readonly unit: 'fraction'; readonly fraction: number; readonly text: string }
  | { readonly unit: 'duration'; readonly durationMs: number; readonly text: string }
  | { readonly unit: 'bytes'; readonly bytes: number; readonly text: string };

export function parseQuantity(value: unknown): Parsed<Quantity> {
  const examples = 'write it with its unit: 2%, 500ms or 512MiB';
  if (typeof value === 'number') return refuse(`${value} has no unit`, examples);
  if (typeof value !== 'string') return refuse('is not a number with a unit', examples);
  const percent = PERCENT.exec(value);
  // CPU of several cores may be above 100%, so the upper bound is asked per metric.
  if (percent !== null) return accept({ unit: 'fraction', fraction: round(Number(percent[1]) / 100), text: value });
  const bytes = parseBytes(value);
  if (bytes.ok) return accept({ unit: 'bytes', bytes: bytes.value, text: value });
  const duration = parseDuration(value);
  if (duration.ok) return accept({ unit: 'duration', durationMs: duration.durationMs, text: value });
  return refuse(`${quoted(value)} is not a number with a unit`, examples);
}

/** What the canary may be worse by on top of the ratio; which unit fits is decided by the check's metric. */
export interface Margin {
  readonly unit: 'fraction' | 'perSecond';
  readonly value: number;
  readonly text: string;
}

const RATE = /^(\d+(?:\.\d+)?)\s*\/\s*(s|m|h|d)$/;
const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };
const MOST_PER_SECOND = 1_000;

/** "0.2%", or events per second, minute, hour or day of replica life: "1/h" -> 1 / 3600. */
export function parseMargin(value: unknown): Parsed<Margin> {
  const rate = typeof value === 'string' ? RATE.exec(value) : null;
  if (typeof value === 'string' && rate !== null) {
    const perSecond = Number(rate[1]) / (UNIT_SECONDS[rate[2] ?? ''] ?? Number.NaN);
    if (perSecond > MOST_PER_SECOND) return refuse(`${value} is more than 1000/s`, 'write a small rate such as 1/h');
    return accept({ unit: 'perSecond', value: perSecond, text: value });
  }
  const percent = parsePercentText(value);
  return percent.ok ? accept({ unit: 'fraction', value: percent.value, text: String(value) }) : percent;
}

/** Percent to fraction and back without the dust of binary fractions: 0.2 / 100 -> 0.002. */
function round(value: number): number {
  return Number(value.toPrecision(12));
}
