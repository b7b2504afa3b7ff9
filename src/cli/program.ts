// The program and its commands. Commands load what they need when they run, so that help is quick.
import { Command } from 'commander';
import { nearestName } from '../core/model/nearest.ts';
import { adoptCommand } from './commands/adopt.ts';
import { applyCommand } from './commands/apply.ts';
import { completeCommand, completionCommand } from './commands/completion.ts';
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
import type { Side } from './side.ts';

const AFTER: Readonly<Record<Side, string>> = {
  agent: `
Start here:
  haldane demo                        see a good and two bad versions released, in three minutes
  haldane up -f haldane.yaml          run a service; then, in another terminal:
  haldane release shop --version v2   release its next version
  haldane watch shop                  and look on

Policies in a Kubernetes cluster: kubectl haldane (or any command with -n, --context or --kubeconfig).
Times of day are local. NO_COLOR and --plain are honoured. Exit code 1 means that something went wrong;
"haldane help release" lists the others.`,
  kubernetes: `
Start here:
  kubectl apply -f policy.yaml                        which Deployment, who splits its traffic, what is measured
  kubectl haldane doctor shop                         is a release going to work
  kubectl set image deployment/shop "*=shop:v2"       its next version, by whatever writes the Deployment
  kubectl haldane watch shop                          and look on
  kubectl haldane status shop --wait --image shop:v2  in CI: how it ended, as an exit code

With the rights of your kubeconfig. Times of day are local. NO_COLOR and --plain are honoured. Exit code 1 means
that something went wrong; "haldane help status" lists the others.`,
};

export function createProgram(context: Context): Command {
  const program = new Command(context.side === 'agent' ? 'haldane' : 'kubectl haldane')
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
    .addHelpText('after', AFTER[context.side]);
  const commands: Command[] = [
    ...(context.side === 'agent' ? agentCommands(context) : []),
    statusCommand(context),
    watchCommand(context),
    ...verbCommands(context),
    historyCommand(context),
    reportCommand(context),
    lintCommand(context),
    planCommand(context),
    judgeCommand(context),
    explainCommand(context),
    adoptCommand(context),
    doctorCommand(context),
    operatorCommand(context),
    completionCommand(context, () => program),
    versionCommand(context),
  ];
  for (const command of commands) program.addCommand(inherit(program, command));
  program.addCommand(inherit(program, gatewayCommand(context)), { hidden: true });
  program.addCommand(
    inherit(
      program,
      completeCommand(context, () => program),
    ),
    { hidden: true },
  );
  if (context.side === 'kubernetes') {
    for (const name of Object.keys(INSTEAD)) {
      program.addCommand(inherit(program, insteadCommand(program, context, name)), { hidden: true });
    }
  }
  program.action((name: string | undefined) => {
    if (name === undefined) program.outputHelp();
    else unknownCommand(program, context, name);
  });
  return program;
}

/** What only the agent of a machine does; in a cluster it is kubectl's. */
function agentCommands(context: Context): Command[] {
  return [
    demoCommand(context),
    upCommand(context),
    downCommand(context),
    applyCommand(context),
    withdrawCommand(context),
    releaseCommand(context),
  ];
}

/** What to do instead in a cluster. */
const INSTEAD: Readonly<Record<string, string>> = {
  apply: 'policies are declared with kubectl apply -f',
  withdraw: 'kubectl delete releasepolicy NAME gives its workload back',
  release: 'a version is released by whatever writes the Deployment: kubectl set image, apply, your GitOps tool',
  up: 'the operator is installed with kubectl apply --server-side -f install.yaml',
  down: 'haldane operator hand-back --all, then kubectl delete -f install.yaml',
};

/** Whatever is given with it, it is said what to do instead. */
function insteadCommand(program: Command, context: Context, name: string): Command {
  return new Command(name)
    .allowUnknownOption()
    .allowExcessArguments()
    .action(() => unknownCommand(program, context, name));
}

function inherit(program: Command, command: Command): Command {
  return command.copyInheritedSettings(program);
}

function unknownCommand(program: Command, context: Context, name: string): void {
  const near = nearestName(
    name,
    program.commands.map((command) => command.name()),
  );
  const instead = context.side === 'kubernetes' ? INSTEAD[name] : undefined;
  const fix = instead ?? (near === undefined ? 'haldane --help lists them' : `did you mean haldane ${near}?`);
  const what = instead === undefined ? 'is no command' : 'is no command for a cluster';
  context.say(`error: "${name}" ${what}\n  fix: ${fix}`);
  context.exit(1);
}
