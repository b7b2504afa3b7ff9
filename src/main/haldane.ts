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

/** A reader that has seen enough (`| head`) ends the program quietly. */
function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    throw error;
  });
}

const LEAST_NODE = [22, 18] as const;

/** An older Node fails somewhere inside, with words that help nobody. */
function isNodeTooOld(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major < LEAST_NODE[0] || (major === LEAST_NODE[0] && minor < LEAST_NODE[1]);
}

async function main(args: readonly string[]): Promise<void> {
  if (args.length === 1 && (args[0] === 'version' || args[0] === '--version')) {
    process.stdout.write(`${packageVersion()}\n`);
    return;
  }
  if (isNodeTooOld()) {
    const least = LEAST_NODE.join('.');
    process.stderr.write(`error: node ${process.versions.node} is too old\n  fix: use Node ${least} or newer\n`);
    process.exitCode = 1;
    return;
  }
  quietSqlite();
  endWithReader();
  if (args[0] === 'gateway') return hooks.runGateway(args.slice(1));
  const { processContext, runCli } = await import('../cli/index.ts');
  await runCli(processContext(hooks), args);
}

await main(process.argv.slice(2));
