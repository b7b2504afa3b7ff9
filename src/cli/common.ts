// What commands have in common: their options, which policy is meant, how results are printed.
import { type Command, Option } from 'commander';
import { parseDuration } from '../core/model/duration.ts';
import { nearestName } from '../core/model/nearest.ts';
import type { ReleaseView } from '../core/views/index.ts';
import { stateDirOf } from '../lib/state-dir.ts';
import { type AgentClient, findAgent } from './agent-client.ts';
import type { Client } from './client.ts';
import type { Context } from './context.ts';
import { CliError } from './errors.ts';

export interface CommonOptions {
  readonly stateDir?: string;
  readonly json?: boolean;
  readonly plain?: boolean;
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly context?: string;
  readonly kubeconfig?: string;
}

/** Whether a command asks the agent or a cluster at all. What it does not need it takes, as kubectl does, and shows nowhere. */
export type Asks = 'always' | 'with --server' | 'never';

/** Options every command takes. */
export function withCommon({ side }: Pick<Context, 'side'>, command: Command, asks: Asks = 'always'): Command {
  for (const option of side === 'agent' ? agentOptions(asks) : clusterOptions(asks)) command.addOption(option);
  return command
    .option('--json', 'print JSON')
    .addOption(new Option('--plain', 'no colours, no pictures: one fact a line'));
}

const STATE_DIR = 'the agent meant, by its state folder (default: HALDANE_STATE_DIR, or ~/.local/state/haldane)';

function agentOptions(asks: Asks): readonly Option[] {
  return [new Option('--state-dir <folder>', STATE_DIR).hideHelp(asks !== 'always')];
}

function clusterOptions(asks: Asks): readonly Option[] {
  const when = asks === 'with --server' ? 'with --server: ' : '';
  const lies =
    asks === 'with --server'
      ? "where policies lie that do not say it (default: default; with --server the context's namespace)"
      : "where its policies lie (default: the context's namespace)";
  return [
    new Option('-n, --namespace <namespace>', lies),
    new Option('-A, --all-namespaces', 'policies of all namespaces, as namespace/name').hideHelp(asks !== 'always'),
    new Option('--context <name>', `${when}context of the kubeconfig`),
    new Option('--kubeconfig <file>', `${when}how to reach the cluster (default: KUBECONFIG, or ~/.kube/config)`),
  ].map((option) => (asks === 'never' ? option.hideHelp() : option));
}

/** Whoever answers on the side that is meant. */
export async function connect(context: Context, options: CommonOptions): Promise<Client> {
  if (context.side === 'agent') return connectAgent(context, options);
  const { KubernetesClient } = await import('./kubernetes/client.ts');
  return KubernetesClient.connect(context, options);
}

export function connectAgent(context: Context, options: CommonOptions): AgentClient {
  return findAgent(stateDirOf(options.stateDir, context.env), context.actor);
}

/** The policy meant: as named, or the only one there is. */
export async function policyOf(client: Client, named: string | undefined): Promise<ReleaseView> {
  const found = named === undefined ? null : await client.policy(named);
  if (found !== null) return found;
  const views = await client.policies();
  const names = views.map((view) => view.policy.name);
  if (named !== undefined) {
    const near = nearestName(named, names);
    const known =
      names.length === 0 ? `${client.noneYet.problem}: ${client.noneYet.fix}` : `known are ${names.join(', ')}`;
    throw new CliError(`there is no policy "${named}"`, {
      code: 'policy-unknown',
      path: named,
      fix: near === undefined ? known : `did you mean ${near}?`,
    });
  }
  const [only] = views;
  if (only === undefined) {
    const { problem, fix } = client.noneYet;
    throw new CliError(problem, { code: 'policy-unknown', fix });
  }
  if (views.length > 1) {
    throw new CliError('there are several policies', {
      code: 'policy-needed',
      path: '[policy]',
      fix: `name one: ${names.join(', ')}`,
    });
  }
  return only;
}

/** "v2": letters, digits and a few signs; kept simple here, judged by the agent. */
export function keyValue(pair: string, before: Record<string, string> = {}): Record<string, string> {
  const at = pair.indexOf('=');
  if (at <= 0) {
    throw new CliError(`"${pair}" is not NAME=VALUE`, {
      code: 'usage',
      path: '--env',
      fix: 'write --env LOG_LEVEL=debug',
    });
  }
  return { ...before, [pair.slice(0, at)]: pair.slice(at + 1) };
}

export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** Milliseconds of --timeout; null without. */
export function timeoutOf(timeout: string | undefined): number | null {
  if (timeout === undefined) return null;
  const parsed = parseDuration(timeout);
  if (parsed.ok) return parsed.durationMs;
  throw new CliError(parsed.reason, { code: 'usage', path: '--timeout', fix: parsed.fix });
}

/** Columns as wide as their widest cell. */
export function tableText(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, index) =>
    Math.max(head.length, ...rows.map((row) => [...(row[index] ?? '')].length)),
  );
  const lineOf = (cells: readonly string[]) =>
    cells
      .map((cell, index) => cell + ' '.repeat(Math.max(0, (widths[index] ?? 0) - [...cell].length)))
      .join('  ')
      .trimEnd();
  return [lineOf(heads), ...rows.map(lineOf)].join('\n');
}

/** Examples below the options of a command. */
export function examples(command: Command, lines: readonly (readonly [line: string, what: string])[]): Command {
  const width = Math.max(...lines.map(([line]) => line.length));
  return command.addHelpText(
    'after',
    `\nExamples:\n${lines.map(([line, what]) => `  ${line.padEnd(width)}  ${what}`).join('\n')}`,
  );
}
