// haldane demo
import { Command, Option } from 'commander';
import { examples } from '../common.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';

interface Options {
  readonly fast?: boolean;
  readonly json?: boolean;
  readonly keep?: boolean;
  readonly seed?: string;
}

export function demoCommand(context: Context): Command {
  const command = new Command('demo')
    .description('a small shop, real traffic, one good version and two bad ones: see what happens')
    .option('--fast', 'shorter stages')
    .option('--json', 'print JSON')
    .option('--keep', 'leave it running to play with')
    .addOption(new Option('--seed <number>', 'draw the same users and faults again'))
    .action(async (options: Options) => {
      const seed = options.seed === undefined ? null : Number(options.seed);
      if (seed !== null && !Number.isSafeInteger(seed)) {
        throw new CliError(`"${options.seed}" is not a whole number`, {
          code: 'usage',
          path: '--seed',
          fix: 'write --seed 7',
        });
      }
      const { fast = false, json = false, keep = false } = options;
      context.exit(await context.hooks.runDemo({ fast, json, keep, seed }));
    });
  return examples(command, [
    ['haldane demo', 'three releases in under three minutes; needs nothing else'],
    ['haldane demo --keep', 'and then play with it: haldane watch, haldane release'],
  ]);
}
