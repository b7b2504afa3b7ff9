#!/usr/bin/env node
// The program `haldane`. It loads only what a command needs: the version at once, the agent when it is to run.
import { hooks } from './hooks.ts';
import { packageVersion } from './package-version.ts';

/** Node's built-in SQLite works and still says that it is new; people need not read that with every command. */
function quietSqlite(): void {
  const emit = process.emitWarning;
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (String(warning).includes('SQLite is an experimental feature')) return;
    (emit as (...all: unknown[]) => void).call(process, warning, ...rest);
  }) as typeof process.emitWarning;
}

/** `haldane status | head` closes the pipe early: that is the reader's right, and no error. */
function quietClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
}

/** A reader that has seen enough (`| head`) ends the program quietly. */
function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    throw error;
  });
}

async function main(args: readonly string[]): Promise<void> {
  if (args.length === 1 && (args[0] === 'version' || args[0] === '--version')) {
    process.stdout.write(`${packageVersion()}\n`);
    return;
  }
  quietSqlite();
  endWithReader();
  quietClosedPipe();
  if (args[0] === 'gateway') return hooks.runGateway(args.slice(1));
  const { processContext, runCli } = await import('../cli/index.ts');
  await runCli(processContext(hooks), args);
}

await main(process.argv.slice(2));
