// What commands have in common: their options, which policy is meant, how results are printed.
import { type Command, Option } from 'commander';
import { nearestName } from '../core/model/nearest.ts';
import type { ReleaseView } from '../core/views/index.ts';
import { stateDirOf } from '../lib/state-dir.ts';
import { type Client, findAgent } from './client.ts';
import type { Context } from './context.ts';
import { CliError } from './errors.ts';

export interface CommonOptions {
  readonly stateDir?: string;
  readonly json?: boolean;
  readonly plain?: boolean;
}

/** Options every command takes. */
export function withCommon(command: Command): Command {
  return command
    .option(
      '--state-dir <folder>',
      'the agent meant, by its state folder (default: HALDANE_STATE_DIR, or ~/.local/state/haldane)',
    )
    .option('--json', 'print JSON')
    .addOption(new Option('--plain', 'no colours, no pictures: one fact a line'));
}

export function connect(context: Context, options: CommonOptions): Client {
  return findAgent(stateDirOf(options.stateDir, context.env), context.actor);
}

export async function listViews(client: Client): Promise<readonly ReleaseView[]> {
  return (await client.get<{ policies: ReleaseView[] }>('/v1/policies')).policies;
}

/** The policy meant: as named, or the only one there is. */
export async function policyOf(client: Client, named: string | undefined): Promise<ReleaseView> {
  const views = await listViews(client);
  const names = views.map((view) => view.policy.name);
  if (named !== undefined) {
    const found = views.find((view) => view.policy.name === named);
    if (found !== undefined) return found;
    const near = nearestName(named, names);
    const known =
      names.length === 0 ? 'none is declared yet: haldane apply -f haldane.yaml' : `known are ${names.join(', ')}`;
    throw new CliError(`there is no policy "${named}"`, {
      code: 'policy-unknown',
      path: named,
      fix: near === undefined ? known : `did you mean ${near}?`,
    });
  }
  const [only] = views;
  if (only === undefined) {
    throw new CliError('no policy is declared yet', { code: 'policy-unknown', fix: 'haldane apply -f haldane.yaml' });
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

export const policyPath = (name: string) => `/v1/policies/${encodeURIComponent(name)}`;

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
