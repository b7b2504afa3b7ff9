// haldane judge: a verdict on recorded data, by the same analysis as a live release. Needs no agent.
import { Command, Option } from 'commander';
import { parseDuration } from '../../core/model/duration.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import { type CommonOptions, collect, examples, withCommon } from '../common.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { assemble } from '../recorded/assemble.ts';
import { type GatherOptions, gather } from '../recorded/gather.ts';
import { type CheckFlags, chosenChecks, policyOfFile, policyOfFlags } from '../recorded/judge-policy.ts';
import { judgeRecorded } from '../recorded/judge-recorded.ts';
import { judgementJson, judgementText } from '../recorded/judge-text.ts';
import { JUDGE_EXITS, outcomeOf } from '../recorded/outcome.ts';
import { FORMATS } from '../recorded/read-file.ts';
import { parseMoment } from '../recorded/times.ts';
import { comparedVersions } from '../recorded/versions.ts';

interface Options extends CommonOptions, CheckFlags, Omit<GatherOptions, 'step'> {
  readonly file?: string;
  readonly policy?: string;
  readonly check?: readonly string[];
  readonly stable?: string;
  readonly canary?: string;
  readonly from?: string;
  readonly step?: string;
  readonly weight?: string;
  readonly warmUp: boolean;
}

export function judgeCommand(context: Context): Command {
  const command = withCommon(context, new Command('judge'))
    .description('a verdict on recorded data, as a live release would reach it; needs no agent')
    .option('-f, --file <file>', 'policy file; without one, the flags below say what is checked')
    .option('--policy <name>', 'which of several policies in the file')
    .option('-d, --data <file>', 'recorded data; - reads standard input; may be given several times', collect)
    .option('--data-bad <file>', 'Prometheus: the counters of bad requests, beside those of all in --data', collect)
    .addOption(new Option('--format <format>', 'what the data is; else by its content').choices([...FORMATS]))
    .option('--check <name>', 'judge this check only; may be given several times', collect)
    .option('--stable <version>', 'the version trusted before')
    .option('--canary <version>', 'the version on trial')
    .option('--from <time>', "windows before it tell of stable's past (default: until the canary's first request)")
    .option('--step <duration>', 'length of a window, where the data does not tell')
    .option('--weight <percent>', 'percent of requests asked for the canary, where the data does not tell')
    .option('--no-warm-up', "count the canary's first seconds too")
    .option('--errors', 'without -f: check errors (the default)')
    .option('--latency [quantile]', 'without -f: check latency (default quantile 0.99)')
    .option('--tolerance <ratio>', 'without -f: as many times as bad as stable is accepted (default 1.1)')
    .option('--margin <percent>', 'without -f: and this much of the requests on top (default 0.2% of errors, 1% slow)')
    .option('--version-label <label>', 'Prometheus: the label that tells the version (default version)')
    .option('--replica-label <label>', "Prometheus: the label that tells the replica: stable's own scatter is learnt")
    .option('--bad-when <label=pattern>', 'Prometheus: series that count bad requests, as in code=5..')
    .option('--prometheus <url>', 'ask this Prometheus instead of reading files')
    .option('--query-total <query>', 'the raw counter of all requests (no rate, no sum)')
    .option('--query-bad <query>', 'the raw counter of bad requests')
    .option('--query-latency <query>', 'the raw counter of a classic histogram (..._bucket)')
    .option('--start <time>', 'first moment asked for: 2026-05-01T10:00:00Z, or -2h')
    .option('--end <time>', 'last moment asked for (default now)')
    .action((options: Options) => run(context, options));
  examples(command, [
    ['haldane judge -f haldane.yaml --data windows.csv', 'in CI, on counts of a load test or of last night'],
    ['haldane judge --data windows.csv --margin 0.5%', 'without a policy: errors, and this tolerance'],
    ['haldane judge --data requests.json --bad-when code=5..', 'what Prometheus answered to query_range'],
    ['haldane judge -f haldane.yaml --data w.csv --check latency', 'one check only'],
  ]);
  return command.addHelpText('after', exitsText());
}

function exitsText(): string {
  const lines = Object.values(JUDGE_EXITS)
    .sort((a, b) => a.code - b.code)
    .map(({ code, word, means }) => `  ${code}  ${word.padEnd(10)} ${means}`);
  return `\nExit codes:\n${lines.join('\n')}\n\nColumns and shapes of the data: docs/judge.md`;
}

async function run(context: Context, options: Options): Promise<void> {
  const policy = await policyFor(context, options);
  const checks = chosenChecks(policy.checks, options.check ?? []);
  if (checks.length === 0) {
    throw new CliError('the policy checks nothing', { code: 'no-checks', path: '-f', fix: 'add spec.checks' });
  }
  const stepMs = durationOf(options.step, '--step');
  const data = await gather(context, { ...options, step: stepMs ?? policy.intervalMs });
  const named = { stable: options.stable ?? null, canary: options.canary ?? null };
  const isEmpty = data.reads.every(({ parts }) => parts.length === 0);
  const versions = isEmpty
    ? { stable: named.stable ?? 'stable', canary: named.canary ?? 'canary' }
    : comparedVersions(data.reads, named);
  const parts = data.reads.flatMap((read) => read.parts);
  const { windows, notes } = assemble(parts, { checks, all: policy.checks.map(({ name }) => name) });
  const length = stepMs ?? data.stepMs ?? spacing(windows) ?? policy.intervalMs;
  const judged = judgeRecorded({
    policy,
    checks,
    windows,
    versions,
    fromMs: momentOf(options.from, '--from'),
    stepMs: length,
    weightPercent: weightOf(options),
    warmUp: options.warmUp,
  });
  const outcome = outcomeOf(judged);
  const hints = judged.checks.flatMap(({ verdict }) =>
    verdict.reason === 'LearningStable'
      ? [`${verdict.check} learns what is slow from stable's past: give windows from before the canary, or --from`]
      : [],
  );
  const judgement = {
    policy: policy.name,
    versions,
    stepMs: length,
    judged,
    outcome,
    notes: [...data.notes, ...notes, ...hints],
  };
  if (options.json === true) context.print(JSON.stringify(judgementJson(judgement)));
  else context.print(judgementText(judgement, options.plain === true));
  const { code } = JUDGE_EXITS[outcome.word];
  if (code !== 0) context.exit(code);
}

async function policyFor(context: Context, options: Options): Promise<ReleasePolicy> {
  const { file, policy } = options;
  if (file === undefined) return policyOfFlags(options);
  for (const flag of ['errors', 'latency', 'tolerance', 'margin'] as const) {
    if (options[flag] === undefined) continue;
    const fix = 'leave it out and change the policy, or leave -f out';
    throw new CliError('the policy says what is checked', { code: 'usage', path: `--${flag}`, fix });
  }
  return policyOfFile(context, file, policy ?? null);
}

function durationOf(text: string | undefined, option: string): number | null {
  if (text === undefined) return null;
  const parsed = parseDuration(text);
  if (!parsed.ok) throw new CliError(parsed.reason, { code: 'usage', path: option, fix: parsed.fix });
  if (parsed.durationMs > 0) return parsed.durationMs;
  throw new CliError('a window of no length', { code: 'usage', path: option, fix: 'write --step 10s' });
}

function momentOf(text: string | undefined, option: string): number | null {
  if (text === undefined) return null;
  const parsed = parseMoment(text, Date.now());
  if (parsed.ok) return parsed.atMs;
  throw new CliError(parsed.problem, { code: 'usage', path: option, fix: parsed.fix });
}

function weightOf({ weight }: Options): number | null {
  if (weight === undefined) return null;
  const percent = Number(weight.replace(/%$/, ''));
  if (percent > 0 && percent < 100) return percent;
  const fix = 'write the percent asked for the canary, as in --weight 10';
  throw new CliError(`"${weight}" is no weight`, { code: 'usage', path: '--weight', fix });
}

/** Windows are as long as the nearest two are apart. */
function spacing(windows: readonly { readonly atMs: number }[]): number | null {
  let least: number | null = null;
  for (let i = 1; i < windows.length; i++) {
    const apart = (windows[i]?.atMs ?? 0) - (windows[i - 1]?.atMs ?? 0);
    if (apart > 0 && (least === null || apart < least)) least = apart;
  }
  return least;
}
