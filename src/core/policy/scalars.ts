/**
 * The leaves of the schema: durations, weights, names, paths, addresses. Each says what it wants in one phrase, gives
 * its JSON type and pattern to editors, and judges a value with a reason and a fix.
 *
 * It refuses coercion: `"5"` is not a number, and `8080` is not text.
 */
import * as z from 'zod';
import { parseDuration } from '../model/duration.ts';
import { nearestName } from '../model/nearest.ts';
import { parseCommand } from './command-line.ts';
import { describeValue, listed, quoted } from './describe-value.ts';
import { parseListen, parseUpstream, parseUrl } from './endpoint.ts';
import { accept, leaf, type Parsed, refuse } from './fields.ts';
import { parseBytes, parseMargin, parsePercentText, parseQuantity, parseWeight } from './quantity.ts';

/** For editors; the parsers are stricter. */
const PERCENT_PATTERN = '^\\d+(\\.\\d+)?\\s*%$';
const DURATION_PATTERN = /^(?:\d+(?:\.\d+)?(?:ms|[dhms]))+$/;

/** Milliseconds. */
export function duration(range: { readonly min?: string; readonly max?: string } = {}) {
  const [minMs, maxMs] = [knownMs(range.min ?? '0s'), knownMs(range.max ?? '365d')];
  return leaf(z.string(), {
    what: 'a duration such as 30s or 10m',
    pattern: DURATION_PATTERN,
    parse(value): Parsed<number> {
      if (typeof value === 'number') {
        return refuse(`${value} has no unit`, `write ${value}s for seconds or ${value}m for minutes`);
      }
      if (typeof value !== 'string') return notText(value, 'a duration such as 30s or 10m');
      const parsed = parseDuration(value);
      if (!parsed.ok) return refuse(parsed.reason, parsed.fix);
      if (parsed.durationMs < minMs) return refuse(`${value} is too short`, `write at least ${range.min}`);
      if (parsed.durationMs > maxMs) return refuse(`${value} is too long`, `write at most ${range.max ?? '365d'}`);
      return accept(parsed.durationMs);
    },
  });
}

function knownMs(text: string): number {
  const parsed = parseDuration(text);
  return parsed.ok ? parsed.durationMs : 0;
}

export function number(range: {
  readonly min: number;
  readonly max: number;
  readonly what: string;
  /** `min` and `max` themselves are refused. */
  readonly open?: boolean;
  readonly whole?: boolean;
}) {
  const { min, max, what, open = false, whole = false } = range;
  const numbers = whole ? z.int() : z.number();
  const base: z.ZodType<number, number> = open ? numbers.gt(min).lt(max) : numbers.min(min).max(max);
  const bounds = open ? `above ${min} and below ${max}` : `from ${min} to ${max}`;
  return leaf(base, {
    what,
    parse(value): Parsed<number> {
      if (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))) {
        return refuse(`${quoted(value)} is text, not a number`, `write ${Number(value)} without quotes`);
      }
      if (typeof value !== 'number' || Number.isNaN(value))
        return refuse(`${describeValue(value)} is not ${what}`, `write ${what}, ${bounds}`);
      if (whole && Number.isFinite(value) && !Number.isInteger(value)) {
        return refuse(`${value} is not a whole number`, `write ${Math.floor(value)} or ${Math.ceil(value)}`);
      }
      const inside = open ? value > min && value < max : value >= min && value <= max;
      return inside ? accept(value) : refuse(`${value} is out of range`, `write ${what}, ${bounds}`);
    },
  });
}

export function whole(min: number, max: number, what: string) {
  return number({ min, max, what, whole: true });
}

/** One word of a closed list. `notYet` names words that are designed and not built. */
export function word<const V extends readonly [string, ...string[]]>(
  values: V,
  options: { readonly what: string; readonly notYet?: readonly string[] },
) {
  const base = z.enum(values) as unknown as z.ZodType<V[number], V[number]>;
  const notYet = options.notYet ?? [];
  return leaf(base, {
    what: `${options.what}: ${listed(values)}`,
    values,
    parse(value): Parsed<V[number]> {
      const fix = `write ${listed(values)}`;
      if (typeof value !== 'string') return refuse(`${describeValue(value)} is not ${options.what}`, fix);
      if (values.includes(value)) return accept(value as V[number]);
      if (notYet.includes(value)) return refuse(`${quoted(value)} is not available here yet`, fix);
      const nearest = nearestName(value, values);
      const meant = nearest === undefined ? fix : `did you mean ${nearest}? (${listed(values)})`;
      return refuse(`${quoted(value)} is not ${options.what}`, meant, nearest);
    },
  });
}

/** Yes or no, as JSON has it. */
export function flag() {
  return leaf(z.boolean(), {
    what: 'true or false',
    parse(value): Parsed<boolean> {
      if (typeof value === 'boolean') return accept(value);
      return refuse(`${describeValue(value)} is neither true nor false`, 'write true or false, without quotes');
    },
  });
}

interface TextRule {
  readonly what: string;
  readonly pattern: RegExp;
  readonly fix: string;
  readonly longest?: number;
}

function notText(value: unknown, what: string): Parsed<never> {
  if (typeof value === 'number' || typeof value === 'boolean') {
    return refuse(`${value} is a ${typeof value}, not text`, `quote it: "${value}"`);
  }
  return refuse(`${describeValue(value)} is not ${what}`, `write ${what}`);
}

/** Text of a given form. */
export function text({ what, pattern, fix, longest = 253 }: TextRule) {
  return leaf(z.string(), {
    what,
    pattern,
    json: { minLength: 1, maxLength: longest },
    parse(value): Parsed<string> {
      if (typeof value !== 'string') return notText(value, what);
      if (value === '') return refuse('is empty', fix);
      if (value.length > longest) return refuse(`is longer than ${longest} characters`, fix);
      return pattern.test(value) ? accept(value) : refuse(`${quoted(value)} is not ${what}`, fix);
    },
  });
}

/** RFC 1123 label: what Kubernetes, metrics labels and file names all take. */
export function name(what = 'a name') {
  const rule = 'use small letters, digits and "-", at most 63 characters, as in shop-checkout';
  return text({
    what: `${what} of small letters, digits and "-"`,
    pattern: /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
    fix: rule,
    longest: 63,
  });
}

export const versionLabel = () =>
  text({
    what: 'a version label such as v2 or 1.4.0',
    pattern: /^[A-Za-z0-9]([A-Za-z0-9._+-]*[A-Za-z0-9])?$/,
    fix: 'use letters, digits, ".", "_", "+" and "-", at most 63 characters, as in v2 or 1.4.0',
    longest: 63,
  });

/** RFC 9110 token. */
export const headerName = () =>
  text({
    what: 'a header name',
    pattern: /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/,
    fix: 'write a header name such as x-user-id',
    longest: 100,
  });

export const cookieName = () =>
  text({
    what: 'a cookie name',
    pattern: /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/,
    fix: 'write a cookie name such as user_id',
    longest: 100,
  });

export const matchValue = () =>
  text({
    what: 'visible ASCII text',
    pattern: /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/,
    fix: 'write the exact value, as in "true"',
    longest: 1_000,
  });

export const urlPath = () =>
  text({
    what: 'a path that starts with /',
    pattern: /^\/[\x21\x24-\x29\x2b-\x3e\x40-\x5b\x5d-\x5f\x61-\x7a\x7e]*$/,
    fix: 'write a path without query, as in /healthz',
    longest: 1_000,
  });

/** A path, or a prefix that ends in `*`. */
export const routePattern = () =>
  text({
    what: 'a path, or a prefix that ends in *',
    pattern: /^\/[\x21\x24-\x29\x2b-\x3e\x40-\x5b\x5d-\x5f\x61-\x7a\x7e]*\*?$/,
    fix: 'write a path such as /checkout, or a prefix such as /api/*',
    longest: 1_000,
  });

export const fileName = (what: string) => text({ what, pattern: /^[^\0\r\n]+$/, fix: `write ${what}`, longest: 4_096 });

export const envName = () =>
  text({
    what: 'an environment variable name',
    pattern: /^[A-Za-z_][A-Za-z0-9_]*$/,
    fix: 'use letters, digits and "_", not starting with a digit, as in LOG_LEVEL',
    longest: 200,
  });

/** The key of a Kubernetes label or annotation. */
export const labelKey = () =>
  text({
    what: 'a label key',
    pattern: /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\/)?[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/,
    fix: 'write a key such as team or example.com/team',
    longest: 317,
  });

/** Any text without control characters other than tab and line breaks; may be empty. */
export function anyText(what: string, longest: number) {
  const pattern = /^[^\0]*$/;
  return leaf(z.string(), {
    what,
    pattern,
    parse(value): Parsed<string> {
      if (typeof value !== 'string') return notText(value, what);
      if (value.length > longest) return refuse(`is longer than ${longest} characters`, 'shorten it');
      return pattern.test(value) ? accept(value) : refuse('holds a NUL character', 'leave it out');
    },
  });
}

const numberOrText = () => z.union([z.number(), z.string()]) as unknown as z.ZodType<number | string, number | string>;

export const weight = () =>
  leaf(numberOrText(), {
    what: 'a weight in percent, as in 5 or "5%"',
    json: { exclusiveMinimum: 0, maximum: 100, pattern: PERCENT_PATTERN },
    parse: (value) =>
      typeof value === 'number' || typeof value === 'string'
        ? parseWeight(value)
        : refuse(`${describeValue(value)} is not a weight`, 'write a number of percent, as in 5 or "5%"'),
  });

/** A fraction, written in percent. */
export const percent = () =>
  leaf(z.string(), { what: 'a percentage such as 0.2%', json: { pattern: PERCENT_PATTERN }, parse: parsePercentText });

/** A margin: percent, or events per replica and time. */
export const margin = () =>
  leaf(z.string(), {
    what: 'a margin such as 0.2%, or 1/h for events',
    json: { pattern: '^\\d+(\\.\\d+)?\\s*(%|/\\s*[dhms])$' },
    parse: parseMargin,
  });

export function bytes(range: { readonly min?: string; readonly max?: string } = {}) {
  const [min, max] = [knownBytes(range.min ?? '1B'), knownBytes(range.max ?? '1024TiB')];
  return leaf(z.string(), {
    what: 'a size such as 10MiB',
    json: { pattern: '^\\d+(\\.\\d+)?\\s*(B|[kMGT]B|[KMGT]iB)$' },
    parse(value): Parsed<number> {
      const parsed = parseBytes(value);
      if (!parsed.ok) return parsed;
      if (parsed.value < min) return refuse(`${value} is too small`, `write at least ${range.min ?? '1B'}`);
      return parsed.value > max ? refuse(`${value} is too large`, `write at most ${range.max}`) : parsed;
    },
  });
}

function knownBytes(text: string): number {
  const parsed = parseBytes(text);
  return parsed.ok ? parsed.value : 0;
}

export const quantity = () =>
  leaf(z.string(), {
    what: 'a number with its unit: 2%, 500ms or 512MiB',
    json: { pattern: '^\\d' },
    parse: parseQuantity,
  });

export const listen = () =>
  leaf(numberOrText(), {
    what: 'a port or an address with a port, as in 8080 or "0.0.0.0:8080"',
    json: { minimum: 1, maximum: 65_535, multipleOf: 1, pattern: '^(\\d+|.+:\\d+)$' },
    parse: parseListen,
  });

export const upstream = () =>
  leaf(z.string(), {
    what: 'an endpoint such as 127.0.0.1:9001',
    json: { pattern: '^([Hh][Tt][Tt][Pp]://.+|[^/]+:\\d+)/?$' },
    parse: parseUpstream,
  });

export const url = () =>
  leaf(z.string(), {
    what: 'an http or https URL',
    json: { pattern: '^https?://', maxLength: 2_000 },
    parse: parseUrl,
  });

export const command = () =>
  leaf(
    z.union([z.string(), z.array(z.string())]) as unknown as z.ZodType<
      string | readonly string[],
      string | readonly string[]
    >,
    { what: 'a command: a list of words, or one line', parse: parseCommand },
  );

/** Job gates run a program too. */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

export const method = () => word(METHODS, { what: 'an HTTP method' });
