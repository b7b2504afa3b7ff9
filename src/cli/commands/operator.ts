// haldane operator: the controller on Kubernetes, as a pod runs it. It holds no state of its own and may be killed at any
// moment; of several only the one that holds the lease decides.
import { Command, Option } from 'commander';
import type { LogLevel } from '../../lib/log.ts';
import { examples } from '../common.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import type { OperatorOutcome } from '../hooks.ts';

interface Options {
  readonly namespace?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly leaseNamespace?: string;
  readonly identity?: string;
  readonly listen: string;
  readonly stateDir: string;
  readonly logLevel: LogLevel;
  readonly logFormat?: 'human' | 'json';
}

const LAST_WORDS: Readonly<Record<OperatorOutcome, string>> = {
  stopped: 'ended; what serves goes on',
  'lease lost': 'the lease was lost; another instance goes on',
  'could not lead': 'the lease was given up, as the log says why; what serves goes on',
};

export function operatorCommand(context: Context): Command {
  const command = new Command('operator')
    .description('run the controller on Kubernetes: releases the Deployments that policies name')
    .option('-n, --namespace <namespace>', 'only policies of this namespace (default: all)')
    .option('--kubeconfig <file>', 'how to reach the cluster (default: as a pod, else KUBECONFIG, else ~/.kube/config)')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--lease-namespace <namespace>', 'where the lease is (default: the namespace it runs in)')
    .option('--identity <name>', 'its name in the lease (default: host name and process)')
    .option('--listen <port>', 'port of /healthz, /readyz and /metrics; 0 is any free one', '8081')
    .option('--state-dir <folder>', 'answers of webhooks that are under way', '/tmp/haldane')
    .addOption(
      new Option('--log-level <level>', 'what is logged').choices(['debug', 'info', 'warn', 'error']).default('info'),
    )
    .addOption(
      new Option('--log-format <format>', 'how (default: human in a terminal, else json)').choices(['human', 'json']),
    )
    .action((options: Options) => operate(context, options));
  command.addCommand(handBackCommand(context));
  return examples(command, [
    ['haldane operator', 'in a pod, with its service account'],
    ['haldane operator --kubeconfig haldane.kubeconfig', 'beside the cluster, as the account that admission exempts'],
    ['haldane operator hand-back --all', 'before it is uninstalled: give every workload back'],
  ]);
}

function handBackCommand(context: Context): Command {
  return new Command('hand-back')
    .description('delete every policy, and wait until each workload is given back; run before uninstalling')
    .option('--all', 'all namespaces')
    .option('-n, --namespace <namespace>', 'this namespace only')
    .option('--kubeconfig <file>', 'how to reach the cluster')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--timeout <seconds>', 'how long to wait', '600')
    .action(
      async (
        options: { all?: boolean; namespace?: string; timeout: string } & Pick<Options, 'kubeconfig' | 'context'>,
      ) => {
        if (options.all !== true && options.namespace === undefined) {
          throw new CliError('which policies are meant is not said', {
            code: 'usage',
            path: '--all',
            fix: 'give --all, or -n and a namespace',
          });
        }
        const code = await context.hooks.handBackAll({
          namespace: options.namespace ?? null,
          kubeconfig: options.kubeconfig ?? null,
          context: options.context ?? null,
          timeoutMs: Number(options.timeout) * 1_000,
          print: context.print,
        });
        context.exit(code);
      },
    );
}

async function operate(context: Context, options: Options): Promise<void> {
  const port = Number(options.listen);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new CliError(`"${options.listen}" is no port`, {
      code: 'usage',
      path: '--listen',
      fix: 'write --listen 8081',
    });
  }
  const isTerminal = context.terminal().isTTY;
  const running = await context.hooks.startOperator({
    namespace: options.namespace ?? null,
    kubeconfig: options.kubeconfig ?? null,
    context: options.context ?? null,
    leaseNamespace: options.leaseNamespace ?? null,
    identity: options.identity ?? null,
    port,
    stateDir: options.stateDir,
    log: {
      level: options.logLevel,
      format: options.logFormat ?? (isTerminal ? 'human' : 'json'),
      write: context.say,
    },
  });
  context.print(
    `haldane operator ${running.version} as ${running.identity}; health and metrics on port ${running.port}`,
  );
  const onSignal = () => void running.stop();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, onSignal);
  const outcome = await running.ended;
  context.print(LAST_WORDS[outcome]);
  context.exit(outcome === 'stopped' ? 0 : 1);
}
