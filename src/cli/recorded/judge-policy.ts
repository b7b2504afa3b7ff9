// The policy that recorded data is judged by: a file, or a few flags that are compiled as a file would be, so that
// defaults, limits and refusals are the policy's own.
import type { Check } from '../../core/model/check.ts';
import { nearestName } from '../../core/model/nearest.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import { sha256Hex } from '../../lib/sha256.ts';
import { readPolicyFile } from '../commands/apply.ts';
import type { Context } from '../context.ts';
import { CliError, problemText } from '../errors.ts';

export interface CheckFlags {
  readonly errors?: boolean;
  readonly latency?: string | boolean;
  readonly tolerance?: string;
  readonly margin?: string;
}

export interface WantedPolicy {
  readonly file: string | null;
  /** Which of several in the file. */
  readonly policy: string | null;
  readonly flags: CheckFlags;
}

export async function policyOfFile(context: Context, file: string, named: string | null): Promise<ReleasePolicy> {
  const { text } = readPolicyFile(context, file);
  const policies = await compiled(text, file);
  const names = policies.map(({ name }) => name);
  const found = named === null ? policies[0] : policies.find(({ name }) => name === named);
  if (found === undefined) {
    const near = named === null ? undefined : nearestName(named, names);
    const fix = near === undefined ? `there are ${names.join(', ')}` : `did you mean ${near}?`;
    throw new CliError(`there is no policy "${named}" in the file`, { code: 'policy-unknown', path: '--policy', fix });
  }
  if (named === null && policies.length > 1) {
    const fix = `name one: --policy ${names.join(', --policy ')}`;
    throw new CliError('the file has several policies', { code: 'policy-needed', path: file, fix });
  }
  return found;
}

async function compiled(text: string, file: string): Promise<readonly ReleasePolicy[]> {
  const { parsePolicyText } = await import('../../core/policy/index.ts');
  const parsed = parsePolicyText(text, { hash: sha256Hex, file, source: 'recorded' });
  if (parsed.kind === 'ok') return parsed.documents.map(({ policy }) => policy);
  const [first, ...more] = parsed.errors;
  const rest = more.map((each) => `\n${problemText(each)}`).join('');
  throw new CliError(`${first?.problem ?? 'refused'}${rest}`, {
    code: 'policy-invalid',
    path: `${file}${first?.line == null ? '' : `:${first.line}`}${first?.path ? `: ${first.path}` : ''}`,
    ...(first?.fix == null ? {} : { fix: first.fix }),
  });
}

/** Without a file: the checks of the flags, each with the tolerance given. The address is never listened on. */
export async function policyOfFlags(flags: CheckFlags): Promise<ReleasePolicy> {
  const latency = flags.latency === undefined ? null : quantileOf(flags.latency);
  const tolerance = {
    ...(flags.tolerance === undefined ? {} : { ratio: ratioOf(flags.tolerance) }),
    ...(flags.margin === undefined ? {} : { margin: marginOf(flags.margin) }),
  };
  const common = { ...(Object.keys(tolerance).length === 0 ? {} : { tolerance }), warmUp: '0s' };
  const wantsErrors = flags.errors === true || latency === null;
  const checks = [
    ...(wantsErrors ? [{ name: 'errors', metric: { errors: {} }, ...common }] : []),
    ...(latency === null ? [] : [{ name: 'latency', metric: { latency: { quantile: latency } }, ...common }]),
  ];
  const written = {
    apiVersion: 'haldane.dev/v1alpha1',
    kind: 'ReleasePolicy',
    metadata: { name: 'flags' },
    spec: {
      workload: { upstreams: { template: { version: 'v1', endpoints: ['127.0.0.1:1'] } } },
      router: { gateway: { listen: '127.0.0.1:2' } },
      checks,
    },
  };
  const [policy] = await compiled(JSON.stringify(written), 'flags');
  if (policy === undefined) throw new Error('the policy of flags is empty');
  return policy;
}

function quantileOf(latency: string | boolean): number {
  const quantile = typeof latency === 'boolean' ? 0.99 : Number(latency);
  if (quantile >= 0.5 && quantile <= 0.9999) return quantile;
  const fix = 'write a quantile from 0.5 to 0.9999, as in --latency 0.99';
  throw new CliError(`"${latency}" is no quantile`, { code: 'usage', path: '--latency', fix });
}

function ratioOf(text: string): number {
  const ratio = Number(text);
  if (ratio >= 1 && ratio <= 100) return ratio;
  const fix = 'write how many times as bad as stable is accepted, from 1 to 100: --tolerance 1.1';
  throw new CliError(`"${text}" is no ratio`, { code: 'usage', path: '--tolerance', fix });
}

function marginOf(text: string): string {
  if (/^\d+(?:\.\d+)?%$/.test(text)) return text;
  const fix = /^\d+(?:\.\d+)?$/.test(text) ? `write --margin ${text}%` : 'write --margin 0.2%';
  throw new CliError(`"${text}" is not a percentage`, { code: 'usage', path: '--margin', fix });
}

/** Those named, or all; refused with the nearest name. */
export function chosenChecks(checks: readonly Check[], named: readonly string[]): readonly Check[] {
  if (named.length === 0) return checks;
  const names = checks.map(({ name }) => name);
  for (const name of named) {
    if (names.includes(name)) continue;
    const near = nearestName(name, names);
    const known = `the policy has ${names.join(', ')}`;
    const fix = near === undefined ? known : `did you mean ${near}? (${known})`;
    throw new CliError(`there is no check "${name}"`, { code: 'check-unknown', path: '--check', fix });
  }
  return checks.filter(({ name }) => named.includes(name));
}
