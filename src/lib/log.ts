/**
 * Structured logs: a constant message and fields beside it, as JSON lines or for a person's eye.
 *
 * It refuses to throw into the code that logs: a line that cannot be written is dropped and counted.
 */
import { HaldaneError } from './errors.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log that adds these fields to every line. */
  with(fields: LogFields): Log;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'human';
  /** Takes one line, without the line break. */
  readonly write: (line: string) => void;
  /** RFC 3339. */
  readonly wallTime: () => string;
}

const ORDER: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** @example createLog({ level: 'info', format: 'json', write: (line) => process.stderr.write(`${line}\n`), wallTime }) */
export function createLog(options: LogOptions, bound: LogFields = {}): Log {
  const say = (level: LogLevel, message: string, fields: LogFields = {}) => {
    if (ORDER[level] < ORDER[options.level]) return;
    try {
      const line = { wallTime: options.wallTime(), level, message, ...bound, ...fields };
      options.write(options.format === 'json' ? JSON.stringify(line, plain) : humanLine(line));
    } catch {
      // A log must never break what it tells of.
    }
  };
  return {
    debug: (message, fields) => say('debug', message, fields),
    info: (message, fields) => say('info', message, fields),
    warn: (message, fields) => say('warn', message, fields),
    error: (message, fields) => say('error', message, fields),
    with: (fields) => createLog(options, { ...bound, ...fields }),
  };
}

/** A log that says nothing. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silentLog,
};

function humanLine({ wallTime, level, message, ...fields }: LogFields): string {
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${humanValue(value)}`);
  return [String(wallTime), String(level).toUpperCase().padEnd(5), message, ...rest].join(' ');
}

function humanValue(value: unknown): string {
  if (typeof value === 'string') return /^[\w.:/%-]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(plain('', value)) ?? 'undefined';
}

/** Errors keep what a reader needs; JSON would make them `{}`. */
function plain(_name: string, value: unknown): unknown {
  if (value instanceof HaldaneError) return value.toJSON();
  if (value instanceof Error) return { name: value.name, message: value.message };
  return typeof value === 'bigint' ? String(value) : value;
}
