// Runs one command line to its end: errors become text with their fix and an exit code, never a stack.
import { CommanderError } from 'commander';
import type { Context } from './context.ts';
import { CliError, errorJson, errorText } from './errors.ts';
import { createProgram } from './program.ts';
import { commandFirst, inWordsOf, sideOf } from './side.ts';

/** `typed` are those after the program's name. */
export async function runCli(given: Context, typed: readonly string[]): Promise<void> {
  const args = commandFirst(typed);
  // What is dropped before help still says whose help.
  const context = onItsSide(given, args.length < typed.length ? typed : args);
  const program = createProgram(context);
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode !== 0) context.exit(1);
      return;
    }
    if (args.includes('--json')) context.print(JSON.stringify(errorJson(error)));
    else context.say(errorText(error));
    context.exit(error instanceof CliError ? error.exitCode : 1);
  }
}

/** What is printed names commands as they are typed on the side that is meant. */
function onItsSide(given: Context, args: readonly string[]): Context {
  const side = sideOf(args, given.side);
  return {
    ...given,
    side,
    print: (text) => given.print(inWordsOf(side, text)),
    say: (text) => given.say(inWordsOf(side, text)),
  };
}
