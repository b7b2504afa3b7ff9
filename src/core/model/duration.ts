/**
 * Durations as people write them: `250ms`, `30s`, `10m`, `1h30m`, `2d`.
 *
 * It refuses a bare number (nobody knows the unit), negative durations, a unit twice, units out of order,
 * and anything that is not a whole number of milliseconds. It never throws: a bad text is an ordinary answer.
 */

export type ParsedDuration =
  | { readonly ok: true; readonly durationMs: number }
  | { readonly ok: false; readonly reason: string; readonly fix: string };

/** Largest first: a duration is written in this order. */
const UNITS = [
  { unit: 'd', unitMs: 86_400_000 },
  { unit: 'h', unitMs: 3_600_000 },
  { unit: 'm', unitMs: 60_000 },
  { unit: 's', unitMs: 1_000 },
  { unit: 'ms', unitMs: 1 },
] as const;

/** A hundred years: more is a typing error, and still far from the largest safe integer. */
export const LONGEST_DURATION_MS = 36_525 * 86_400_000;

const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|[dhms]))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|[dhms])/g;
const EXAMPLES = 'write a number with its unit, as in 250ms, 30s, 10m, 1h30m or 2d';

/**
 * Milliseconds of a duration as written.
 *
 * @example parseDuration('1h30m') // { ok: true, durationMs: 5_400_000 }
 */
export function parseDuration(text: string): ParsedDuration {
  if (text === '') return refuse('a duration is empty', EXAMPLES);
  if (text.length > 64) return refuse('a duration is longer than 64 characters', EXAMPLES);
  if (/^\d+(?:\.\d+)?$/.test(text)) return refuse(`"${text}" has no unit`, suggestUnit(text));
  if (!WHOLE.test(text)) return refuse(`"${text}" is not a duration`, EXAMPLES);
  let durationMs = 0;
  let lastIndex = -1;
  for (const [, amount, unit] of text.matchAll(PART)) {
    const index = UNITS.findIndex((known) => known.unit === unit);
    if (index <= lastIndex) {
      return refuse(`"${text}" has a unit twice or out of order`, 'write each unit once, the largest first: 1h30m');
    }
    lastIndex = index;
    durationMs += Number(amount) * (UNITS[index]?.unitMs ?? 0);
  }
  const roundedMs = Math.round(durationMs);
  if (Math.abs(durationMs - roundedMs) > 1e-6) {
    return refuse(`"${text}" is not a whole number of milliseconds`, 'use a smaller unit');
  }
  if (roundedMs > LONGEST_DURATION_MS) return refuse(`"${text}" is longer than 100 years`, EXAMPLES);
  return { ok: true, durationMs: roundedMs };
}

/**
 * The shortest exact writing of a duration; parses back to the same milliseconds.
 *
 * @example formatDuration(5_400_000) // '1h30m'
 */
export function formatDuration(durationMs: number): string {
  let restMs = Math.max(0, Math.round(durationMs));
  if (restMs === 0) return '0s';
  let text = '';
  for (const { unit, unitMs } of UNITS) {
    const amount = Math.floor(restMs / unitMs);
    if (amount > 0) text += `${amount}${unit}`;
    restMs -= amount * unitMs;
  }
  return text;
}

/**
 * A duration for a person's eye: at most two units, the rest rounded away, below a second only in milliseconds.
 *
 * @example describeDuration(5_423_456) // '1h30m'
 */
export function describeDuration(durationMs: number): string {
  const wholeMs = Math.max(0, Math.round(durationMs));
  const first = UNITS.findIndex(({ unitMs }) => wholeMs >= unitMs);
  if (first === -1) return '0s';
  const finest = UNITS[Math.min(first + 1, UNITS.length - 2)]?.unitMs ?? 1;
  return wholeMs < 1_000 ? formatDuration(wholeMs) : formatDuration(Math.round(wholeMs / finest) * finest);
}

function refuse(reason: string, fix: string): ParsedDuration {
  return { ok: false, reason, fix };
}

function suggestUnit(text: string): string {
  return text === '0' ? 'write 0s' : `write ${text}s for seconds or ${text}m for minutes`;
}
