// haldane doctor: is a release going to work, asked before there is one.
import { Command } from 'commander';
import type { Diagnosis, Finding } from '../../core/views/index.ts';
import { type CommonOptions, connect, examples, listViews, policyOf, policyPath, withCommon } from '../common.ts';
import type { Context } from '../context.ts';

const MARK: Readonly<Record<Finding['status'], string>> = { ok: '✔', warning: '!', problem: '✖' };

export function doctorCommand(context: Context): Command {
  const command = withCommon(new Command('doctor'))
    .description('before a release: does every query answer, is every check able to fail, is everything reachable')
    .argument('[policy]', 'its name; all of them if left out')
    .action(async (name: string | undefined, options: CommonOptions) => {
      const client = connect(context, options);
      const names =
        name === undefined
          ? (await listViews(client)).map((view) => view.policy.name)
          : [(await policyOf(client, name)).policy.name];
      const health = await client.get<{ version: string; notes: readonly string[] }>('/v1/health');
      const found: Diagnosis[] = [];
      for (const each of names) found.push(await client.get<Diagnosis>(`${policyPath(each)}/doctor`));
      if (options.json === true) context.print(JSON.stringify({ agent: health, policies: found }));
      else {
        context.print(`agent ${health.version} at ${client.address}`);
        for (const note of health.notes) context.print(`  ! ${note}`);
        if (found.length === 0) context.print('  ! no policy is declared yet\n    fix: haldane apply -f haldane.yaml');
        for (const diagnosis of found) context.print(text(diagnosis, options.plain === true));
      }
      if (found.some(({ findings }) => findings.some(({ status }) => status === 'problem'))) context.exit(1);
    });
  return examples(command, [
    ['haldane doctor', 'exit code 1 if anything would keep a release from working'],
    ['haldane doctor shop --json', 'the same for machines'],
  ]);
}

function text({ policy, findings }: Diagnosis, plain: boolean): string {
  const lines = findings.map(({ area, status, message, fix }) => {
    const mark = plain ? status.padEnd(7) : MARK[status];
    return `  ${mark} ${area.padEnd(8)} ${message}${fix === null || status === 'ok' ? '' : `\n             fix: ${fix}`}`;
  });
  return [policy, ...lines].join('\n');
}
