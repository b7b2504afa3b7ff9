// The program and its commands. Commands load what they need when they run, so that help is quick.
import { Command } from 'commander';
import { nearestName } from '../core/model/nearest.ts';
import { applyCommand } from './commands/apply.ts';
import { completionCommand } from './commands/completion.ts';
import { demoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { downCommand } from './commands/down.ts';
import { explainCommand } from './commands/explain.ts';
import { gatewayCommand } from './commands/gateway.ts';
import { historyCommand } from './commands/history.ts';
import { judgeCommand } from './commands/judge.ts';
import { lintCommand } from './commands/lint.ts';
import { operatorCommand } from './commands/operator.ts';
import { planCommand } from './commands/plan.ts';
import { releaseCommand } from './commands/release.ts';
import { reportCommand } from './commands/report.ts';
import { statusCommand } from './commands/status.ts';
import { upCommand } from './commands/up.ts';
import { verbCommands } from './commands/verbs.ts';
import { versionCommand } from './commands/version.ts';
import { watchCommand } from './commands/watch.ts';
import { withdrawCommand } from './commands/withdraw.ts';
import type { Context } from './context.ts';

const AFTER = `
Start here:
  haldane demo                        see a good and two bad versions released, in three minutes
  haldane up -f haldane.yaml          run a service; then, in another terminal:
  haldane release shop --version v2   release its next version
  haldane watch shop                  and look on

Times of day are local. NO_COLOR and --plain are honoured. Exit code 1 means that something went wrong;
"haldane help release" lists the others.`;

export function createProgram(context: Context): Command {
  const program = new Command('haldane')
    .description(
      'Ships a new version to a few users first, measures whether it harms them, and promotes it or takes it back.',
    )
    .helpCommand('help [command]', 'what a command does, with examples')
    .version(context.hooks.version(), '--version', 'print the version')
    .usage('<command> [options]')
    .argument('[command]')
    .allowExcessArguments()
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.print(text.replace(/\n$/, '')),
      writeErr: (text) => context.say(text.replace(/\n$/, '')),
      outputError: (text, write) => write(text.replace(/^error: /, 'error: ')),
    })
    .configureHelp({
      helpWidth: 110,
      visibleArguments: (command) => (command.parent === null ? [] : [...command.registeredArguments]),
    })
    .showSuggestionAfterError(true)
    .addHelpText('after', AFTER);
  const commands: Command[] = [
    demoCommand(context),
    upCommand(context),
    downCommand(context),
    applyCommand(context),
    withdrawCommand(context),
    releaseCommand(context),
    statusCommand(context),
    watchCommand(context),
    ...verbCommands(context),
    historyCommand(context),
    reportCommand(context),
    lintCommand(context),
    planCommand(context),
    judgeCommand(context),
    explainCommand(context),
    doctorCommand(context),
    operatorCommand(context),
    completionCommand(context, () => program),
    versionCommand(context),
  ];
  for (const command of commands) program.addCommand(inherit(program, command));
  program.addCommand(inherit(program, gatewayCommand(context)), { hidden: true });
  program.action((name: string | undefined) => {
    if (name === undefined) program.outputHelp();
    else unknownCommand(program, context, name);
  });
  return program;
}

function inherit(program: Command, command: Command): Command {
  return command.copyInheritedSettings(program);
}

function unknownCommand(program: Command, context: Context, name: string): void {
  const near = nearestName(
    name,
    program.commands.map((command) => command.name()),
  );
  context.say(
    `error: "${name}" is no command\n  fix: ${near === undefined ? 'haldane --help lists them' : `did you mean haldane ${near}?`}`,
  );
  context.exit(1);
}
