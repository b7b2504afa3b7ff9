// State and release documents as the store keeps them: JSON with a schema number. Older documents are brought forward
// step by step when they are read; documents of a later program are refused, never guessed at.
import { type Release, STATE_SCHEMA, type State } from '../core/engine/index.ts';
import type { Command, CommandAnswer } from '../core/model/command.ts';
import type { Instant } from '../core/model/time.ts';
import { DocumentUnreadable } from './errors.ts';
import { MIGRATIONS } from './migrations.ts';

/**
 * Texts of the parts that stay the same from decision to decision and make up most of a state. Decisions never change
 * an object in place, so the same object has the same text.
 */
const LASTING_TEXTS = new WeakMap<object, string>();

function lastingText(part: object | null): string {
  if (part === null) return 'null';
  let text = LASTING_TEXTS.get(part);
  if (text === undefined) {
    text = JSON.stringify(part);
    LASTING_TEXTS.set(part, text);
  }
  return text;
}

/** The state's text without its clock: equal bodies mean that nothing but time has passed. */
export function encodeBody(state: State): string {
  const { clock: _clock, stable, known, release, ...rest } = state;
  const texts = [
    `"stable":${lastingText(stable)}`,
    `"known":${lastingText(known)}`,
    `"release":${release === null ? 'null' : releaseText(release)}`,
  ];
  return `${JSON.stringify(rest).slice(0, -1)},${texts.join(',')}}`;
}

function releaseText({ policy, from, to, ...rest }: Release): string {
  const texts = [`"policy":${lastingText(policy)}`, `"from":${lastingText(from)}`, `"to":${lastingText(to)}`];
  return `${JSON.stringify(rest).slice(0, -1)},${texts.join(',')}}`;
}

export function withClock(body: string, clock: Instant): string {
  return `{"clock":${JSON.stringify(clock)},${body.slice(1)}`;
}

/** Whether two states differ in nothing but the clock as far as their parts are the very same objects; false if unsure. */
export function isSameButClock(a: State, b: State): boolean {
  for (const name of Object.keys(b) as (keyof State)[]) {
    if (name !== 'clock' && a[name] !== b[name]) return false;
  }
  return true;
}

export function decodeState(policy: string, text: string): State {
  const document = migrate(`the state of ${policy}`, parseObject(`the state of ${policy}`, text));
  if (document.policy !== policy || typeof document.clock !== 'object') {
    throw new DocumentUnreadable(`the state of ${policy}`, 'it is not a state of this policy');
  }
  return document as unknown as State;
}

export function encodeRelease(release: Release): string {
  return `{"schema":${STATE_SCHEMA},"release":${releaseText(release)}}`;
}

export function decodeRelease(id: string, text: string): Release {
  const document = migrate(`release ${id}`, parseObject(`release ${id}`, text));
  return document.release as Release;
}

export function encodeAnswer(answer: CommandAnswer): string {
  return JSON.stringify(answer);
}

export function decodeAnswer(id: string, text: string): CommandAnswer {
  return parseObject(`the answer to command ${id}`, text) as unknown as CommandAnswer;
}

export function encodeCommand(command: Command): string {
  return JSON.stringify(command);
}

export function decodeCommand(id: string, text: string): Command {
  const document = parseObject(`command ${id}`, text);
  if (document.id !== id || typeof document.verb !== 'string' || typeof document.actor !== 'string') {
    throw new DocumentUnreadable(`command ${id}`, 'it lacks an id, a verb or an actor');
  }
  return document as unknown as Command;
}

function parseObject(what: string, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DocumentUnreadable(what, 'it is not JSON', error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DocumentUnreadable(what, 'it is not an object');
  }
  return value as Record<string, unknown>;
}

/** Brings a parsed document to the schema of this program. */
export function migrate(
  what: string,
  given: Record<string, unknown>,
  migrations = MIGRATIONS,
  target: number = STATE_SCHEMA,
): Record<string, unknown> {
  let document = given;
  for (let schema = document.schema; schema !== target; schema = document.schema) {
    if (typeof schema !== 'number' || !Number.isSafeInteger(schema)) {
      throw new DocumentUnreadable(what, 'it has no schema number');
    }
    const step = migrations[schema];
    if (schema > target || step === undefined) {
      throw new DocumentUnreadable(what, `it has schema ${schema}, and this program knows ${target}`);
    }
    document = { ...step(document), schema: schema + 1 };
  }
  return document;
}
