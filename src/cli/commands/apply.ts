// haldane apply -f haldane.yaml [--dry-run]
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Command } from 'commander';
import type { AppliedAnswer, Difference } from '../../core/views/index.ts';
import { type CommonOptions, collect, connectAgent, examples, withCommon } from '../common.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';

interface Options extends CommonOptions {
  readonly file: readonly string[];
  readonly dryRun?: boolean;
}

export function applyCommand(context: Context): Command {
  const command = withCommon(context, new Command('apply'))
    .description('declare policies and the versions they want')
    .requiredOption(
      '-f, --file <file>',
      'policy file, YAML or JSON; - reads standard input; may be given several times',
      collect,
    )
    .option('--dry-run', 'show what would change, and change nothing')
    .action(async (options: Options) => {
      const client = connectAgent(context, options);
      const answers: AppliedAnswer[] = [];
      for (const file of options.file) {
        const body = { ...readPolicyFile(context, file), dryRun: options.dryRun === true };
        const { policies } = await client.post<{ policies: AppliedAnswer[] }>('/v1/apply', body);
        answers.push(...policies);
      }
      if (options.json === true)
        return context.print(JSON.stringify({ dryRun: options.dryRun === true, policies: answers }));
      for (const answer of answers) context.print(appliedText(answer, options.dryRun === true));
    });
  return examples(command, [
    ['haldane apply -f haldane.yaml', 'declare it; a new version starts a release'],
    ['haldane apply -f haldane.yaml --dry-run', 'the difference, field by field'],
  ]);
}

export function readPolicyFile(context: Context, file: string): { readonly text: string; readonly folder: string } {
  if (file === '-') return { text: readFileSync(0, 'utf8'), folder: context.cwd };
  const path = resolve(context.cwd, file);
  try {
    return { text: readFileSync(path, 'utf8'), folder: dirname(path) };
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new CliError(isMissing ? 'there is no such file' : `it cannot be read: ${(error as Error).message}`, {
      code: 'file',
      path: file,
      fix: isMissing ? 'name a file that is there: -f haldane.yaml' : 'name a file that you may read: -f haldane.yaml',
      cause: error,
    });
  }
}

export function appliedText(answer: AppliedAnswer, dryRun: boolean): string {
  const would = dryRun ? 'would be ' : '';
  const what = answer.change === 'unchanged' ? 'unchanged' : `${would}${answer.change}`;
  const next = answer.newVersion
    ? answer.change === 'created'
      ? `; ${answer.version} ${dryRun ? 'would be' : 'is to be'} served on ${answer.listen}`
      : `; a release of ${answer.version} ${dryRun ? 'would start' : 'starts'}`
    : '';
  return [
    `${answer.policy}: ${what}${next}`,
    ...answer.differences.map(differenceText),
    ...answer.warnings.map((each) => `  warning: ${each.path}: ${each.problem}\n    fix: ${each.fix}`),
    ...answer.findings.map((each) => `  ${each.severity}: ${each.path}: ${each.problem}\n    fix: ${each.fix}`),
  ].join('\n');
}

function differenceText({ path, from, to, kind }: Difference): string {
  const value = (each: unknown) => JSON.stringify(each);
  switch (kind) {
    case 'added':
      return `  + ${path}: ${value(to)}`;
    case 'removed':
      return `  - ${path}: ${value(from)}`;
    case 'changed':
      return `  ~ ${path}: ${value(from)} → ${value(to)}`;
  }
}
