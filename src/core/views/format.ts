// Numbers, times and names as people read them on every face: the same words in terminal, page and report.
// Refuses to hide what it does not know: a missing number is a dash, never a zero.

import type { Check } from '../model/check.ts';
import { describeDuration } from '../model/duration.ts';

export const MISSING = '–';
const MINUS = '\u2212';

/** Digits after the point that keep about three significant ones of a percentage. */
function digitsOf(value: number): number {
  const size = Math.abs(value);
  if (size >= 99.95 || value === 0) return 0;
  if (size >= 9.95) return 1;
  if (size >= 0.0995) return 2;
  return 3;
}

/** "24.9", "0.25", "100": a percentage given in percent. */
export function percentText(value: number): string {
  const rounded = Math.round(value * 100) / 100;
  return Number.isInteger(rounded) ? String(rounded) : value.toFixed(digitsOf(value));
}

/** "75.1 %"; always one digit, for columns of shares. */
export function shareText(percent: number | null): string {
  return percent === null ? MISSING : `${percent.toFixed(1)} %`;
}

/** A difference of two fractions in percentage points, signed: "+0.02 pp". */
export function pointsText(fraction: number | null): string {
  return fraction === null ? MISSING : `${signed(fraction * 100)} pp`;
}

/** "+0.02", "−11.3": what stands between "…" in intervals. */
export function signed(value: number): string {
  const text = Math.abs(value).toFixed(Math.max(digitsOf(value), Math.abs(value) < 99.95 ? 1 : 0));
  if (Number(text) === 0) return '0.0';
  return `${value < 0 ? MINUS : '+'}${text}`;
}

export function intervalText(lower: number | null, upper: number | null): string {
  if (lower === null || upper === null) return '';
  return `${signed(lower * 100)} … ${signed(upper * 100)}`;
}

/** 41 210: thousands apart by a thin gap that every terminal can draw. */
export function countText(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+(?!\d))/g, ' ');
}

export function rateText(perSecond: number | null): string {
  if (perSecond === null) return '';
  return perSecond >= 9.95 ? `${countText(perSecond)} rps` : `${perSecond.toFixed(1)} rps`;
}

/** "6m12s": at most two units. */
export function spanText(ms: number): string {
  return ms < 1_000 ? '0s' : describeDuration(Math.round(ms / 1_000) * 1_000);
}

/** The time of day of an RFC 3339 instant, in the zone that lies this many minutes east of UTC. */
export function clockText(wallTime: string, offsetMinutes: number): string {
  return shifted(wallTime, 0, offsetMinutes).slice(11, 19);
}

/** Day and time of day in that zone: around midnight the day is another one than in UTC. */
export function dayText(wallTime: string, offsetMinutes: number): string {
  return shifted(wallTime, 0, offsetMinutes).slice(0, 19).replace('T', ' ');
}

/** Hours and minutes so many milliseconds after an instant. */
export function clockAfter(wallTime: string, inMs: number, offsetMinutes: number): string {
  return shifted(wallTime, inMs, offsetMinutes).slice(11, inMs < 90_000 ? 19 : 16);
}

function shifted(wallTime: string, inMs: number, offsetMinutes: number): string {
  const atMs = Date.parse(wallTime);
  if (Number.isNaN(atMs)) return '                   ';
  return new Date(atMs + inMs + offsetMinutes * 60_000).toISOString();
}

/** Milliseconds between two RFC 3339 instants; for people only, never for decisions (row 81). */
export function wallSpanMs(from: string, to: string): number {
  const span = Date.parse(to) - Date.parse(from);
  return Number.isNaN(span) ? 0 : Math.max(0, span);
}

/** What a check measures, for labels: "errors", "p99 latency", "memory". */
export function checkTitle(check: Check): string {
  switch (check.metric.kind) {
    case 'latency': {
      const quantile = `p${percentText(check.metric.quantile * 100)}`;
      if (check.name === 'latency') return `${quantile} latency`;
      return check.name;
    }
    case 'errors':
    case 'business':
    case 'gauge':
    case 'count':
    case 'mean':
    case 'conversion':
    case 'kayenta':
      return check.name;
  }
}

/** "errors, p99 and orders". */
export function listText(names: readonly string[], conjunction = 'and'): string {
  if (names.length <= 1) return names[0] ?? '';
  return `${names.slice(0, -1).join(', ')} ${conjunction} ${names.at(-1)}`;
}

export function capitalised(text: string): string {
  return text === '' ? text : `${text[0]?.toUpperCase()}${text.slice(1)}`;
}

/** A sentence ends with one full stop. */
export function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1_024 && unit < SIZES.length - 1) {
    value /= 1_024;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${SIZES[unit]}`;
}

/** Whether a line of evidence has an interval to show. */
export function checkIsCounted(line: {
  readonly lower: number | null;
  readonly canary: { readonly total: number };
}): boolean {
  return line.lower !== null && line.canary.total > 0;
}
