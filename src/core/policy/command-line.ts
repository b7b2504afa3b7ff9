/**
 * A command written as one line, split into words the way people expect from quotes, and nothing more.
 *
 * It refuses everything a shell would act on (`$PORT`, pipes, `*`, `&&`): no shell runs, so those characters would
 * reach the program as they stand and surprise everybody.
 */
import { quoted } from './describe-value.ts';
import { accept, type Parsed, refuse } from './fields.ts';

const SHELL_CHARACTERS = new Set('|&;<>()$`*?#~{}!\n\r');
const LIST_FIX = 'write the command as a list of words, or run a shell yourself: ["sh", "-c", "..."]';

interface Splitting {
  readonly words: string[];
  word: string | null;
  quote: '"' | "'" | null;
}

export function splitCommandLine(line: string): Parsed<readonly string[]> {
  const state: Splitting = { words: [], word: null, quote: null };
  for (let index = 0; index < line.length; index++) {
    const character = line[index] ?? '';
    const refused = refuseShell(state, character);
    if (refused !== null) return refused;
    if (character === '\\' && state.quote !== "'") {
      const escaped = line[index + 1];
      if (escaped === undefined) return refuse('the command ends in a backslash', LIST_FIX);
      state.word = (state.word ?? '') + escaped;
      index += 1;
    } else take(state, character);
  }
  if (state.quote !== null) return refuse(`the command has an open ${state.quote} quote`, 'close the quote');
  if (state.word !== null) state.words.push(state.word);
  if (state.words.length === 0) return refuse('the command is empty', 'write a program and its arguments');
  return accept(state.words);
}

function refuseShell(state: Splitting, character: string): Parsed<never> | null {
  const inert = state.quote === "'" || (state.quote === '"' && character !== '$' && character !== '`');
  if (inert || !SHELL_CHARACTERS.has(character)) return null;
  if (character === '$') {
    return refuse(
      'the command uses $, and no shell runs that would replace it',
      `let the program read PORT and HOST from its environment, or ${LIST_FIX}`,
    );
  }
  return refuse(`the command uses ${quoted(character)}, and no shell runs that would act on it`, LIST_FIX);
}

function take(state: Splitting, character: string): void {
  if (state.quote !== null) {
    if (character === state.quote) state.quote = null;
    else state.word = (state.word ?? '') + character;
  } else if (character === '"' || character === "'") {
    state.quote = character;
    state.word ??= '';
  } else if (character === ' ' || character === '\t') {
    if (state.word !== null) state.words.push(state.word);
    state.word = null;
  } else state.word = (state.word ?? '') + character;
}

/** A command as a list of words, or as one line. */
export function parseCommand(value: unknown): Parsed<readonly string[]> {
  if (typeof value === 'string') return splitCommandLine(value);
  if (!Array.isArray(value)) return refuse('is not a command', 'write a list of words, as in ["node", "server.js"]');
  if (value.length === 0) return refuse('the command is empty', 'write a program and its arguments');
  for (const [index, word] of value.entries()) {
    if (typeof word !== 'string') {
      const isSimple = typeof word === 'number' || typeof word === 'boolean';
      return refuse(`word ${index + 1} of the command is not text`, isSimple ? `quote it: "${word}"` : 'write text');
    }
    if (word.includes('\0')) return refuse(`word ${index + 1} of the command holds a NUL character`, 'leave it out');
  }
  if (value[0] === '') return refuse('the program of the command is empty', 'write the program first');
  return accept(value as readonly string[]);
}
