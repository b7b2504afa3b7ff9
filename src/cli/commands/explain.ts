// haldane explain spec.stages.weight: what a field of the policy means. Needs no agent.
import { Command } from 'commander';
import type { ExplainResult, Explanation } from '../../core/policy/index.ts';
import { wrap } from '../../core/views/index.ts';
import { type CommonOptions, examples, tableText, withCommon } from '../common.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';

interface Options extends CommonOptions {
  readonly schema?: boolean;
}

export function explainCommand(context: Context): Command {
  const command = withCommon(context, new Command('explain'), 'never')
    .description('what a field of the policy means, what may be written, what happens without it')
    .argument('[field]', 'a path such as spec.checks.tolerance, or a name such as weight', 'spec')
    .option('--schema', 'print the JSON Schema of the whole policy, for editors')
    .action(async (field: string, options: Options) => {
      const { explainField, policyJsonSchema } = await import('../../core/policy/index.ts');
      if (options.schema === true) return context.print(JSON.stringify(policyJsonSchema(), null, 2));
      const found = explainField(field);
      if (found.kind === 'field') return show(context, found, options);
      const named = isName(field) ? found.named.map((path) => explainField(path)).filter(isField) : [];
      const [only, ...others] = named;
      if (only !== undefined && others.length === 0) return show(context, only, options);
      if (only !== undefined) return list(context, { name: field, named }, options);
      throw new CliError(`there is no field "${field}"`, {
        code: 'field-unknown',
        path: field,
        fix:
          found.nearest.length > 0
            ? `did you mean ${found.nearest.join(' or ')}?`
            : `below ${found.knownPath || 'the document'} are ${found.children.join(', ')}`,
      });
    });
  return examples(command, [
    ['haldane explain', 'the fields of spec'],
    ['haldane explain spec.checks.tolerance', 'one field'],
    ['haldane explain weight', 'every field of that name'],
    ['haldane explain --schema > policy.schema.json', 'for editors'],
  ]);
}

const isName = (field: string) => !/[.[]/.test(field);
const isField = (found: ExplainResult): found is Explanation => found.kind === 'field';

interface Namesakes {
  readonly name: string;
  readonly named: readonly Explanation[];
}

function list(context: Context, { name, named }: Namesakes, options: Options): void {
  if (options.json === true) return context.print(JSON.stringify({ kind: 'several', name, fields: named }));
  const rows = named.map(({ path, type, description }) => [`  ${path}`, type, description]);
  context.print(`${named.length} fields are called "${name}"; explain one by its path\n`);
  context.print(tableText(['  FIELD', 'TYPE', 'MEANING'], rows));
}

function show(context: Context, found: Explanation, options: Options): void {
  if (options.json === true) return context.print(JSON.stringify(found));
  const written = JSON.stringify(found.example);
  const lines = [
    found.path,
    ...wrap(found.description, 96).map((line) => `  ${line}`),
    '',
    `  type      ${found.type}${found.required ? ', required' : ''}`,
    ...(found.values.length > 0 ? [`  values    ${found.values.join(', ')}`] : []),
    ...(found.default === null ? [] : [`  default   ${JSON.stringify(found.default)}`]),
    ...(found.absent === null ? [] : [`  without   ${found.absent}`]),
    `  example   ${written}`,
    ...(found.notYet.length > 0 ? [`  refused   not available here yet: ${found.notYet.join(', ')}`] : []),
  ];
  context.print(lines.join('\n'));
  if (found.children.length === 0) return;
  const rows = found.children.map((child) => [
    `  ${child.name}${child.required ? ' *' : ''}`,
    child.type,
    child.description,
  ]);
  context.print(`\n${tableText(['  FIELD', 'TYPE', 'MEANING'], rows)}`);
}
