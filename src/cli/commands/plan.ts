// haldane plan: what a policy will do at your traffic, before anything starts. Needs no agent; asks one if it runs.
import { Command } from 'commander';
import { parseDuration } from '../../core/model/duration.ts';
import { type CommonOptions, collect, examples, withCommon } from '../common.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { planText } from '../plan-text.ts';
import { harmOf, type TrafficOptions, trafficOf } from '../plan-traffic.ts';
import { policyOfFile } from '../recorded/judge-policy.ts';

interface Options extends CommonOptions, TrafficOptions {
  readonly file: string;
  readonly policy?: string;
  readonly p99?: string;
  readonly bad?: readonly string[];
  readonly runs?: string;
  readonly seed: string;
}

const RUNS = 200;
const MOST_RUNS = 10_000;

export function planCommand(context: Context): Command {
  const command = withCommon(context, new Command('plan'))
    .description('before a release: how long it takes at your traffic, what it can detect, what a bad version costs')
    .requiredOption('-f, --file <file>', 'policy file; - reads standard input')
    .option('--policy <name>', 'which of several policies in the file')
    .option('--rps <number>', 'requests per second of all versions (default: what the running agent sees)')
    .option('--error-rate <percent>', 'errors of the version of today (default: what the running agent sees)')
    .option(
      '--base <check=percent[@rps]>',
      'bad requests, and traffic if not all, of one check; several times',
      collect,
    )
    .option('--p99 <duration>', 'latency of today, for scale; what is slow is always said by stable itself')
    .option('--bad <harm>', 'a bad version: 2%, 5x or all; may be given several times (default 2x, 5x, all)', collect)
    .option('--runs <number>', `rehearsals of a healthy version (default ${RUNS}; fewer where releases are long)`)
    .option('--seed <text>', 'of the rehearsals: the same seed gives the same plan', 'plan')
    .action((options: Options) => run(context, options));
  return examples(command, [
    ['haldane plan -f haldane.yaml --rps 100 --error-rate 0.1%', 'nothing runs yet'],
    ['haldane plan -f haldane.yaml', 'at the traffic of the running agent'],
    ['haldane plan -f haldane.yaml --rps 1 --error-rate 1% --bad 5x', 'is one request a second enough?'],
    ['haldane plan -f haldane.yaml --rps 100 --base checkout-errors=0.5%@20', 'a check of one route'],
  ]);
}

async function run(context: Context, options: Options): Promise<void> {
  const policy = await policyOfFile(context, options.file, options.policy ?? null);
  const { isTried, planRelease } = await import('../../core/rehearsal/index.ts');
  const traffic = await trafficOf(context, policy, policy.checks.filter(isTried), options);
  const isShown = options.json !== true && context.terminal().isTTY;
  let shown = '';
  const plan = planRelease({
    policy,
    ...traffic,
    harms: (options.bad ?? ['2x', '5x', 'all']).map(harmOf),
    quantileSeconds: secondsOf(options.p99),
    runs: runsOf(options.runs),
    seed: options.seed,
    progress: (done, of, what) => {
      const line = `rehearsing ${what}: ${done} of ${of}`;
      // A line for each world, not for each run: progress goes where errors go, and may be a file.
      if (isShown && what !== shown) context.say(line);
      shown = what;
    },
  });
  const noted = { ...plan, notes: [...traffic.notes, ...plan.notes] };
  context.print(options.json === true ? JSON.stringify(noted) : planText(noted));
}

function secondsOf(p99: string | undefined): number {
  if (p99 === undefined) return 0.3;
  const parsed = parseDuration(p99);
  if (!parsed.ok) throw new CliError(parsed.reason, { code: 'usage', path: '--p99', fix: parsed.fix });
  return Math.max(0.001, parsed.durationMs / 1_000);
}

function runsOf(text: string | undefined): number {
  if (text === undefined) return RUNS;
  const runs = Number(text);
  if (Number.isInteger(runs) && runs > 0 && runs <= MOST_RUNS) return runs;
  const fix = `write a whole number up to ${MOST_RUNS}: --runs 200`;
  throw new CliError(`"${text}" is no number of rehearsals`, { code: 'usage', path: '--runs', fix });
}
