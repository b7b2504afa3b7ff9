// haldane report: one release told to the end, as a page, as Markdown for a pull request, and as JSON.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { Command, Option } from 'commander';
import type { ReleaseView } from '../../core/views/index.ts';
import type { Client, ReportFormat } from '../client.ts';
import { type CommonOptions, connect, examples, withCommon } from '../common.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';

interface Options extends CommonOptions {
  readonly output: string;
  readonly format?: ReportFormat;
}

const FORMATS: readonly ReportFormat[] = ['html', 'md', 'json'];

export function reportCommand(context: Context): Command {
  const command = withCommon(context, new Command('report'))
    .description('write what happened in a release: a self-contained page, Markdown and JSON')
    .argument('[release]', 'its id, or a policy for its last one; may be left out where there is only one policy')
    .option('-o, --output <folder>', 'where to write; - prints one format to standard output', '.')
    .addOption(new Option('--format <format>', 'only this one').choices([...FORMATS]))
    .action(async (named: string | undefined, options: Options) => {
      const client = await connect(context, options);
      const id = releaseOf(await client.policies(), named);
      if (options.output === '-' || options.json === true) {
        const format = options.format ?? (options.json === true ? 'json' : 'md');
        return context.print((await client.report(id, format)).trimEnd());
      }
      const formats = options.format === undefined ? FORMATS : [options.format];
      for (const format of formats) context.print(await write(context, { client, options, id, format }));
    });
  return examples(command, [
    ['haldane report shop', 'the last release of shop: shop-3.html, .md and .json here'],
    ['haldane report shop-2 -o reports', 'an earlier one'],
    ['haldane report shop -o - --format md', 'for a pull request'],
  ]);
}

function releaseOf(views: readonly ReleaseView[], named: string | undefined): string {
  const policy =
    named === undefined
      ? views.length === 1
        ? views[0]
        : undefined
      : views.find((view) => view.policy.name === named);
  if (policy !== undefined) {
    if (policy.release !== null) return policy.release.id;
    throw new CliError(`${policy.policy.name} has had no release yet`, {
      code: 'release-unknown',
      fix: `haldane release ${policy.policy.name} --version v2`,
    });
  }
  if (named !== undefined) return named;
  throw new CliError('say which release', {
    code: 'release-needed',
    path: '[release]',
    fix: 'haldane history lists them',
  });
}

interface Writing {
  readonly client: Client;
  readonly options: Options;
  readonly id: string;
  readonly format: ReportFormat;
}

/** Where it was written. */
async function write(context: Context, { client, options, id, format }: Writing): Promise<string> {
  const text = await client.report(id, format);
  const folder = resolve(context.cwd, options.output);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${id.replace(/[^\w.-]/g, '_')}.${format}`);
  writeFileSync(file, text.endsWith('\n') ? text : `${text}\n`);
  const shown = relative(context.cwd, file);
  return shown.startsWith('..') ? file : shown;
}
