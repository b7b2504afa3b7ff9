// haldane promote | abort | pause | resume | advance | approve | retry | rollback | suspend | unsuspend: each is a row of
// the engine's table of commands, and so is its help.
import { Command } from 'commander';
import { COMMAND_TABLE, type CommandRow, SITUATIONS, VERBS } from '../../core/engine/command-table.ts';
import type { Verb } from '../../core/model/command.ts';
import { type CommonOptions, connect, policyOf, withCommon } from '../common.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';

interface Options extends CommonOptions {
  readonly reason?: string;
  readonly skipAnalysis?: boolean;
  readonly gate?: string;
  readonly to?: string;
  readonly release?: string;
}

export function verbCommands(context: Context): Command[] {
  return VERBS.map((verb) => verbCommand(context, verb));
}

function verbCommand(context: Context, verb: Verb): Command {
  const row = COMMAND_TABLE[verb];
  const command = withCommon(context, new Command(verb))
    .description(row.summary.replace(/\.$/, ''))
    .argument('[policy]', 'its name; may be left out where there is only one')
    .option('--reason <text>', reasonHelp(row))
    .option('--release <id>', 'refuse if this is not the release under way');
  if (verb === 'promote') command.option('--skip-analysis', 'go past the evidence; needs --reason, marked for ever');
  if (verb === 'approve') command.option('--gate <name>', 'the gate meant; else the one that waits');
  if (verb === 'rollback') command.option('--to <version>', 'an earlier promoted version; else the one before');
  return command
    .addHelpText('after', epilog(verb, row))
    .action((name: string | undefined, options: Options) => act(context, verb, name, options));
}

function reasonHelp({ reason }: CommandRow): string {
  switch (reason) {
    case 'always':
      return 'why (needed); kept in the journal';
    case 'with --skip-analysis':
      return 'why (needed with --skip-analysis); kept in the journal';
    case 'never':
      return 'why; kept in the journal';
  }
}

/** What it does in each situation, or why not: the same table the engine obeys. */
export function epilog(verb: Verb, row: CommandRow): string {
  const lines = SITUATIONS.map((situation) => {
    const cell = row.cells[situation];
    return `  ${situation.padEnd(10)}  ${'does' in cell ? cell.does : `refused: ${cell.refused}`}`;
  });
  return `\nWhat "${verb}" does:\n${lines.join('\n')}\n\nExample:\n  ${row.example}\n\nExit code: 0 if it was obeyed, 1 if it was refused.`;
}

async function act(context: Context, verb: Verb, name: string | undefined, options: Options): Promise<void> {
  const row = COMMAND_TABLE[verb];
  const needsReason =
    row.reason === 'always' || (row.reason === 'with --skip-analysis' && options.skipAnalysis === true);
  if (needsReason && (options.reason ?? '').trim() === '') {
    throw new CliError(`${verb}${options.skipAnalysis === true ? ' --skip-analysis' : ''} needs a reason`, {
      code: 'reason-needed',
      path: '--reason',
      // The example names a policy of its own.
      fix: `say why: ${row.example.replace(' shop', name === undefined ? '' : ` ${name}`)}`,
    });
  }
  const client = await connect(context, options);
  const { policy } = await policyOf(client, name);
  const answer = await client.command(policy.name, {
    verb,
    reason: options.reason ?? null,
    skipAnalysis: options.skipAnalysis === true,
    gate: options.gate ?? null,
    revision: options.to ?? null,
    release: options.release ?? null,
  });
  if (options.json === true) context.print(JSON.stringify({ policy: policy.name, verb, ...answer }));
  else context.print(`${policy.name}: ${answer.message}`);
  if (answer.accepted === null) context.exit(1);
}
