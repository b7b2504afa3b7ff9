// haldane doctor: is a release going to work, asked before there is one.
import { Command } from 'commander';
import type { Diagnosis, Finding } from '../../core/views/index.ts';
import type { Client, Health } from '../client.ts';
import { type CommonOptions, connect, examples, policyOf, withCommon } from '../common.ts';
import type { Context } from '../context.ts';

const MARK: Readonly<Record<Finding['status'], string>> = { ok: '✔', warning: '!', problem: '✖' };
const NONE_DECLARED = '  ! no policy is declared yet\n    fix: haldane apply -f haldane.yaml';

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
  const found: Diagnosis[] = [];
  // Where nothing is installed there is nothing to ask.
  for (const each of health.hasPolicies ? await namesOf(client, name) : []) found.push(await client.doctor(each));
  if (options.json === true) {
    const key = context.side === 'agent' ? 'agent' : 'cluster';
    context.print(JSON.stringify({ [key]: health.details, policies: found }));
  } else print(context, { health, found, plain: options.plain === true });
  const all = [...health.findings, ...found.flatMap(({ findings }) => findings)];
  if (all.some(({ status }) => status === 'problem')) context.exit(1);
}

async function namesOf(client: Client, name: string | undefined): Promise<readonly string[]> {
  if (name !== undefined) return [(await policyOf(client, name)).policy.name];
  return (await client.policies()).map((view) => view.policy.name);
}

function print(
  context: Context,
  { health, found, plain }: { readonly health: Health; readonly found: readonly Diagnosis[]; readonly plain: boolean },
): void {
  context.print(health.line);
  for (const note of health.notes) context.print(`  ! ${note}`);
  if (health.findings.length > 0) context.print(linesOf(health.findings, plain).join('\n'));
  if (found.length === 0 && health.hasPolicies) context.print(NONE_DECLARED);
  for (const { policy, findings } of found) context.print([policy, ...linesOf(findings, plain)].join('\n'));
}

function linesOf(findings: readonly Finding[], plain: boolean): string[] {
  return findings.map(({ area, status, message, fix }) => {
    const mark = plain ? status.padEnd(7) : MARK[status];
    return `  ${mark} ${area.padEnd(8)} ${message}${fix === null || status === 'ok' ? '' : `\n             fix: ${fix}`}`;
  });
}
