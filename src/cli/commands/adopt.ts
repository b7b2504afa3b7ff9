// haldane adopt: an adopted HTTPRoute becomes an owned one without a lost request.
import { Command } from 'commander';
import { stringify } from 'yaml';
import { compileObject } from '../../core/policy/index.ts';
import { sha256Hex } from '../../lib/sha256.ts';
import { type CommonOptions, connect, examples, policyOf, withCommon } from '../common.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';

interface Options extends CommonOptions {
  readonly name?: string;
}

export function adoptCommand(context: Context): Command {
  const command = withCommon(context, new Command('adopt'))
    .description("Kubernetes: make an HTTPRoute of Haldane's own beside the adopted one, with the same weights")
    .argument('[policy]', 'its name; may be left out where there is only one')
    .option('--name <route>', 'of the new route (default: the old one with -owned)')
    .action((name: string | undefined, options: Options) => adopt(context, name, options));
  return examples(command, [
    ['haldane adopt shop', 'both routes carry the same weights; then the policy and git are changed as it says'],
  ]);
}

async function adopt(context: Context, name: string | undefined, options: Options): Promise<void> {
  const client = await connect(context, options);
  const { KubernetesClient } = await import('../kubernetes/client.ts');
  if (!(client instanceof KubernetesClient)) throw new Error('adopt asks a cluster');
  const { policy: line } = await policyOf(client, name);
  const object = await client.policyObject(line.name);
  const compiled = object === null ? null : compileObject(object, { hash: sha256Hex });
  if (compiled?.kind !== 'ok') {
    const problem = compiled?.errors[0]?.problem ?? 'it is gone';
    throw new CliError(`the policy is refused: ${problem}`, { code: 'policy-invalid', path: line.name });
  }
  const adopted = await client.adopt(compiled.policy, options.name ?? null);
  if (options.json === true) return context.print(JSON.stringify({ policy: line.name, ...adopted }));
  const snippet = stringify({ spec: { router: { gatewayApi: { route: { owned: withoutNothing(adopted.route) } } } } });
  context.print(
    [
      `${line.name}: HTTPRoute ${adopted.name} ${adopted.isNew ? 'is made' : 'was there already'}; it carries the weights of ${adopted.replaces}.`,
      '',
      'Next, in this order:',
      `1. In the policy, put this in place of route.adopted, and apply it:`,
      '',
      ...snippet.trimEnd().split('\n'),
      '',
      `2. Take the rules for this Service out of HTTPRoute ${adopted.replaces}, where its owner writes it (or delete it).`,
      '   Of two equal routes the older one is used until then, with the same weights.',
    ].join('\n'),
  );
}

/** As people write it: what is left out is left out. */
function withoutNothing(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNothing);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== null && !(Array.isArray(each) && each.length === 0))
      .map(([key, each]) => [key, withoutNothing(each)]),
  );
}
