// haldane doctor: is a release going to work, asked before there is one.
import { Command } from 'commander';
import type { Diagnosis, Finding } from '../../core/views/index.ts';
import type { Client, Health, NoneYet } from '../client.ts';
import { type CommonOptions, connect, examples, policyOf, withCommon } from '../common.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';

const MARK: Readonly<Record<Finding['status'], string>> = { ok: '✔', warning: '!', problem: '✖' };

export function doctorCommand(context: Context): Command {
  const command = withCommon(context, new Command('doctor'))
    .description('before a release: does every query answer, is every check able to fail, is everything reachable')
    .argument('[policy]', 'its name; all of them if left out')
    .action((name: string | undefined, options: CommonOptions) => ask(context, name, options));
  return examples(command, [
    ['haldane doctor', 'exit code 1 if anything would keep a release from working'],
    ['haldane doctor shop --json', 'the same for machines'],
  ]);
}

async function ask(context: Context, name: string | undefined, options: CommonOptions): Promise<void> {
  const client = await connect(context, options);
  const health = await client.health();
  // Where nothing is installed there is nothing to ask.
  const { found, refused } = health.hasPolicies ? await diagnoses(client, name) : { found: [], refused: null };
  const knows = health.findings.some(({ area, status }) => area === 'rights' && status === 'problem');
  const findings = [...health.findings, ...(refused === null || knows ? [] : [refused])];
  if (options.json === true) {
    const key = context.side === 'agent' ? 'agent' : 'cluster';
    const details = findings.length === 0 ? health.details : { ...health.details, findings };
    context.print(JSON.stringify({ [key]: details, policies: found }));
  } else {
    const hasNone = health.hasPolicies && refused === null && found.length === 0;
    const none = hasNone ? client.noneYet : null;
    print(context, { health: { ...health, findings }, found, none, plain: options.plain === true });
  }
  const all = [...findings, ...found.flatMap((each) => each.findings)];
  if (all.some(({ status }) => status === 'problem')) context.exit(1);
}

/** What may not be read is a finding like others: what was seen before it is said all the same. */
async function diagnoses(
  client: Client,
  name: string | undefined,
): Promise<{ readonly found: readonly Diagnosis[]; readonly refused: Finding | null }> {
  const found: Diagnosis[] = [];
  try {
    for (const each of await namesOf(client, name)) found.push(await client.doctor(each));
    return { found, refused: null };
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== 'forbidden') throw error;
    const refused = { area: 'rights', status: 'problem', message: error.message, fix: error.fix ?? null } as const;
    return { found, refused };
  }
}

async function namesOf(client: Client, name: string | undefined): Promise<readonly string[]> {
  if (name !== undefined) return [(await policyOf(client, name)).policy.name];
  return (await client.policies()).map((view) => view.policy.name);
}

interface Said {
  readonly health: Health;
  readonly found: readonly Diagnosis[];
  /** Said where there is none. */
  readonly none: NoneYet | null;
  readonly plain: boolean;
}

function print(context: Context, { health, found, none, plain }: Said): void {
  context.print(health.line);
  for (const note of health.notes) context.print(`  ! ${note}`);
  if (health.findings.length > 0) context.print(linesOf(health.findings, plain).join('\n'));
  if (none !== null) context.print(`  ! ${none.problem}\n    fix: ${none.fix}`);
  for (const { policy, findings } of found) context.print([policy, ...linesOf(findings, plain)].join('\n'));
}

function linesOf(findings: readonly Finding[], plain: boolean): string[] {
  return findings.map(({ area, status, message, fix }) => {
    const mark = plain ? status.padEnd(7) : MARK[status];
    return `  ${mark} ${area.padEnd(8)} ${message}${fix === null || status === 'ok' ? '' : `\n             fix: ${fix}`}`;
  });
}
