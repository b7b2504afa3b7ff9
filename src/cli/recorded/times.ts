// Times as they stand in files and on the command line. Refuses times without a zone: read in another place they would
// mean another moment.
import { formatDuration, parseDuration } from '../../core/model/duration.ts';

export type ParsedTime =
  | { readonly ok: true; readonly atMs: number }
  | { readonly ok: false; readonly problem: string; readonly fix: string };

const ZONED = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s?(?:Z|[+-]\d{2}:?\d{2})$/i;
const UNZONED = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?$/;
const NUMBER = /^-?\d+(?:\.\d+)?$/;
/** Seconds up to the year 5138; what is larger are milliseconds. */
const LARGEST_SECONDS = 1e11;
/** Before the year 1971 it is no date but seconds since some start. */
const FIRST_DATE_MS = 365 * 86_400_000;

/**
 * RFC 3339, or a number: seconds (since 1970, or since any start of your own), or milliseconds since 1970.
 *
 * @example parseTime('2026-05-01T10:00:00Z') // { ok: true, atMs: 1777629600000 }
 */
export function parseTime(text: string): ParsedTime {
  if (NUMBER.test(text)) {
    const value = Number(text);
    return { ok: true, atMs: Math.round(value < LARGEST_SECONDS ? value * 1_000 : value) };
  }
  if (UNZONED.test(text)) {
    const full = text.length === 10 ? `${text}T00:00:00` : text.replace(' ', 'T');
    return { ok: false, problem: `"${text}" has no time zone`, fix: `write ${full}Z, or the offset: ${full}+02:00` };
  }
  const atMs = ZONED.test(text) ? Date.parse(text.replace(' ', 'T').replaceAll(' ', '')) : Number.NaN;
  if (!Number.isNaN(atMs)) return { ok: true, atMs };
  return { ok: false, problem: `"${text}" is not a time`, fix: 'write 2026-05-01T10:00:00Z, or seconds since 1970' };
}

/** As `parseTime`, and so long before now: "-30m". */
export function parseMoment(text: string, nowMs: number): ParsedTime {
  if (text === 'now') return { ok: true, atMs: nowMs };
  if (!/^-\d.*[a-z]$/.test(text)) return parseTime(text);
  const parsed = parseDuration(text.slice(1));
  return parsed.ok
    ? { ok: true, atMs: nowMs - parsed.durationMs }
    : { ok: false, problem: parsed.reason, fix: parsed.fix };
}

/** A time as a person reads it: RFC 3339 in UTC, or the time since the start where the data counts from one. */
export function timeText(atMs: number): string {
  if (Math.abs(atMs) < FIRST_DATE_MS) return atMs < 0 ? `-${formatDuration(-atMs)}` : formatDuration(atMs);
  return new Date(atMs).toISOString().replace('.000Z', 'Z');
}
