// haldane history: releases so far, the journal of one, and whether the journal is whole.
import { Command } from 'commander';
import { countText, dayText, exitOfOutcome, type ReleaseLine, reachedText, spanText } from '../../core/views/index.ts';
import type { Client } from '../client.ts';
import { type CommonOptions, connect, examples, policyOf, tableText, withCommon } from '../common.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';

interface Options extends CommonOptions {
  readonly log?: string | true;
  readonly verify?: boolean;
}

export function historyCommand(context: Context): Command {
  const command = withCommon(context, new Command('history'))
    .description('releases so far and how they ended')
    .argument('[policy]', 'its name; may be left out where there is only one')
    .option('--log [release]', 'the journal: every decision and command, of one release or of all')
    .option('--verify', 'check the hash chain of the whole journal')
    .action(async (name: string | undefined, options: Options) => {
      const client = await connect(context, options);
      if (options.verify === true) return verify(context, client, options);
      const { policy } = await policyOf(client, name);
      if (options.log !== undefined) return printLog(context, client, options, policy.name);
      const releases = await client.releases(policy.name);
      if (options.json === true) return context.print(JSON.stringify({ policy: policy.name, releases }));
      if (releases.length === 0) return context.print(`${policy.name} has had no release yet`);
      const heads = ['RELEASE', 'VERSION', 'OUTCOME', 'AT MOST', 'TOOK', 'REQUESTS', 'STARTED'];
      context.print(
        tableText(
          heads,
          releases.map((release) => row(release, context.offsetMinutes)),
        ),
      );
    });
  return examples(command, [
    ['haldane history shop', 'one line a release'],
    ['haldane history shop --log shop-2', 'why: every decision of one release'],
    ['haldane history --verify', 'nothing in the journal was changed or taken away'],
  ]);
}

function row(release: ReleaseLine, offsetMinutes: number): string[] {
  const { outcome } = release;
  const word = outcome === null ? release.phase : exitOfOutcome(outcome).word;
  return [
    release.id,
    `${release.from ?? '–'} → ${release.to}`,
    release.unanalysed === null ? word : `${word} (unanalysed)`,
    reachedText(release),
    spanText(release.spentMs),
    countText(release.exposure.canaryRequests),
    dayText(release.startedAt, offsetMinutes),
  ];
}

const PAGE = 500;

async function printLog(context: Context, client: Client, options: Options, policy: string): Promise<void> {
  const which = typeof options.log === 'string' ? { release: options.log } : { policy };
  for (let after = 0; ; ) {
    const entries = await client.journal({ ...which, after, limit: PAGE });
    for (const entry of entries) {
      if (options.json === true) context.print(JSON.stringify(entry));
      else
        context.print(`${dayText(entry.wallTime, context.offsetMinutes)} ${entry.kind.padEnd(15)} ${entry.sentence}`);
    }
    if (after === 0 && entries.length === 0 && typeof options.log === 'string') throw unknownRelease(options.log);
    if (entries.length < PAGE) return;
    after = entries.at(-1)?.sequence ?? after;
  }
}

function unknownRelease(release: string): CliError {
  return new CliError(`nothing is recorded of a release "${release}"`, {
    code: 'release-unknown',
    path: '--log',
    fix: 'haldane history lists the releases that are kept',
  });
}

async function verify(context: Context, client: Client, options: Options): Promise<void> {
  const answer = await client.verifyJournal();
  if (options.json === true) context.print(JSON.stringify(answer));
  else
    context.print(
      answer.intact ? `the journal is whole: ${answer.entries} entries` : `the journal is broken: ${answer.message}`,
    );
  if (!answer.intact) context.exit(1);
}
