// haldane lint: is the policy valid, and is it wise. Needs no agent.
import { Command } from 'commander';
import type { LintFinding, PolicyError } from '../../core/policy/index.ts';
import { sha256Hex } from '../../lib/sha256.ts';
import { type CommonOptions, collect, examples, withCommon } from '../common.ts';
import type { Context } from '../context.ts';
import { CliError, problemText } from '../errors.ts';
import type { DryRun } from '../kubernetes/dry-run.ts';
import { readPolicyFile } from './apply.ts';

interface Options extends CommonOptions {
  readonly file: readonly string[];
  readonly rps?: string;
  readonly strict?: boolean;
  readonly server?: boolean;
}

interface Linted {
  readonly file: string;
  readonly errors: readonly PolicyError[];
  readonly findings: readonly (LintFinding & { readonly policy: string })[];
}

export function lintCommand(context: Context): Command {
  const command = withCommon(context, new Command('lint'), 'with --server')
    .description('is the policy valid, and is it wise; needs no agent')
    .requiredOption('-f, --file <file>', 'policy file; - reads standard input; may be given several times', collect)
    .option('--rps <number>', 'requests per second of stable: names stages too short for the traffic')
    .option('--strict', 'warnings fail too')
    .action(async (options: Options) => {
      const results: Linted[] = [];
      for (const file of options.file) results.push(await lint(context, file, options));
      if (options.json === true) context.print(JSON.stringify({ files: results }));
      else for (const result of results) context.print(text(result));
      const warnings = results.some(({ findings }) => findings.some(({ severity }) => severity === 'warning'));
      const errors = results.some((result) => result.errors.length > 0);
      if (errors || (options.strict === true && warnings)) context.exit(1);
    });
  if (context.side === 'kubernetes') {
    command.option('--server', 'ask the API server too, without writing anything (server-side dry run)');
    return examples(command, [
      ['haldane lint -f policy.yaml', 'mistakes with line and fix; unwise settings with what to do; asks no cluster'],
      ['haldane lint -f policy.yaml --server', 'and would the API server take it?'],
    ]);
  }
  return examples(command, [
    ['haldane lint -f haldane.yaml', 'mistakes with line and fix; unwise settings with what to do'],
    ['haldane lint -f haldane.yaml --rps 5', 'are its stages long enough for five requests a second?'],
  ]);
}

function rpsOf({ rps }: Options): number | undefined {
  if (rps === undefined) return undefined;
  const value = Number(rps);
  if (Number.isFinite(value) && value >= 0) return value;
  throw new CliError(`"${rps}" is not a number`, { code: 'usage', path: '--rps', fix: 'write --rps 20' });
}

async function lint(context: Context, file: string, options: Options): Promise<Linted> {
  const requestsPerSecond = rpsOf(options);
  const { lintPolicy, parsePolicyText } = await import('../../core/policy/index.ts');
  const { text: written } = readPolicyFile(context, file);
  const place = context.side === 'agent' ? {} : { namespace: await namespaceOf(context, options) };
  const parsed = parsePolicyText(written, { hash: sha256Hex, ...place });
  if (parsed.kind === 'refused') return { file, errors: parsed.errors, findings: [] };
  const asked = options.server === true ? await askServer(context, written, options) : { errors: [], findings: [] };
  const findings = parsed.documents.flatMap(({ policy, version, warnings }) => [
    ...warnings.map((each) => ({ policy: policy.name, code: 'warning', severity: 'warning' as const, ...each })),
    ...lintPolicy(policy, { version, ...(requestsPerSecond === undefined ? {} : { requestsPerSecond }) }).map(
      (each) => ({ policy: policy.name, ...each }),
    ),
  ]);
  return { file, errors: asked.errors, findings: [...findings, ...asked.findings] };
}

/** Where a policy lies that does not say it. Without the API server the context's namespace is not asked for. */
async function namespaceOf(context: Context, options: Options): Promise<string> {
  if (options.server !== true) return options.namespace ?? 'default';
  const { KubernetesClient } = await import('../kubernetes/client.ts');
  return (await KubernetesClient.connect(context, options)).cluster.namespace;
}

async function askServer(context: Context, text: string, options: Options): Promise<DryRun> {
  const { dryRun } = await import('../kubernetes/dry-run.ts');
  return dryRun(context, text, options);
}

function text({ file, errors, findings }: Linted): string {
  if (errors.length > 0) {
    const lines = errors.map((each) => problemText(each));
    return `${file}: refused\n${lines.join('\n')}`;
  }
  if (findings.length === 0) return `${file}: valid, and nothing to remark`;
  const lines = findings.map(
    (each) => `${each.severity}: ${each.policy}: ${each.path}: ${each.problem} [${each.code}]\n  fix: ${each.fix}`,
  );
  return `${file}: valid\n${lines.join('\n')}`;
}
