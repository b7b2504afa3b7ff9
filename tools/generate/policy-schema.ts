/** schemas/release-policy.generated.json and docs/reference/policy.generated.md from src/core/policy. */
import { DEFAULT_CHECKS, HEALTH_PATHS } from '../../src/core/policy/defaults.ts';
import type { Json } from '../../src/core/policy/fields.ts';
import { type FieldOutline, outlinePolicy, PRESETS, policyJsonSchema, showPath } from '../../src/core/policy/index.ts';
import { flow } from '../../src/core/policy/walk.ts';
import type { GeneratedFile } from '../generate.ts';

export async function generate(): Promise<readonly GeneratedFile[]> {
  return [
    { path: 'schemas/release-policy.generated.json', text: JSON.stringify(policyJsonSchema(), null, 2) },
    { path: 'docs/reference/policy.generated.md', text: referencePage() },
  ];
}

function referencePage(): string {
  const fields = outlinePolicy();
  return `# ReleasePolicy

Every field a policy may hold. Made from the schema in \`src/core/policy\`, as are the JSON Schema for editors
(\`schemas/release-policy.generated.json\`) and \`haldane explain <path>\`. Unknown fields are refused. What is designed
and not built is refused with "not available here yet".

**Durations** are written with their unit (\`250ms\`, \`30s\`, \`10m\`, \`1h30m\`), **sizes** as \`10MiB\`, **shares** as
\`0.2%\`. A weight may be a number of percent (\`5\`) or text (\`"5%"\`).

**YAML** is read so that every reader would read the same: keys twice, anchors, aliases, merge keys, tags, and the
words and numbers of YAML 1.1 (\`yes\`, \`on\`, \`017\`, \`1:30\`) are refused. A file may hold several policies.

**A version** is the template of the workload. Its revision is the first 12 hex digits of the SHA-256 of the template,
the label \`version\` included: editing the label alone is a new version and starts a release. Without a label the
revision serves as one.

${section('The document', fields)}
${fields.flatMap(sections).join('\n')}
## Presets

| preset | stages |
|---|---|
${PRESETS.map((preset) => `| \`${preset.name}\` | ${preset.description} |`).join('\n')}

The names of AWS CodeDeploy may carry its prefix: \`CodeDeployDefault.LambdaCanary10Percent5Minutes\`. OneAtATime is
refused: it counts instances, and a stage is a share of requests. A preset without stages needs \`analysis: none\`.

## Checks when none are written

${DEFAULT_CHECKS.map((check) => `- \`${check.name}\`: required, against stable, with the default tolerance of its metric`).join('\n')}

## What counts as an error

Status classes and codes of \`spec.errors\`, and these endings without a status: \`connect-failed\`, \`timeout\`, \`reset\`,
\`no-endpoint\`; \`client-closed\` (the user went away) only where it is written. Requests of the built-in route \`health\`
are left out. It takes ${HEALTH_PATHS.map((path) => `\`${path}\``).join(', ')} and the paths of the probes (not \`/\`), except those that
a route of yours names exactly; a route called \`health\` replaces it.
`;
}

function sections(field: FieldOutline): readonly string[] {
  if (field.children.length === 0) return [];
  const own = field.path.length === 0 ? [] : [section(`\`${showPath(field.path)}\``, field.children, field)];
  return [...own, ...field.children.flatMap(sections)];
}

function section(title: string, fields: readonly FieldOutline[], parent?: FieldOutline): string {
  const oneKey = parent?.oneKey === true ? ' Exactly one of these.' : '';
  const intro = parent === undefined ? '' : `${cell(parent.description)}${oneKey}\n\n`;
  const notYet = parent?.notYet ?? [];
  const planned =
    notYet.length === 0 ? '' : `\nNot available here yet: ${notYet.map((name) => `\`${name}\``).join(', ')}.\n`;
  return `## ${title}

${intro}| field | type | left out | meaning | example |
|---|---|---|---|---|
${fields.map(row).join('\n')}
${planned}`;
}

function row(field: FieldOutline): string {
  const name = `\`${field.path.at(-1) ?? ''}\``;
  return `| ${name} | ${cell(field.type)} | ${cell(leftOut(field))} | ${cell(field.description)} | \`${cell(example(field.example))}\` |`;
}

function leftOut(field: FieldOutline): string {
  if (field.required) return '**required**';
  if (field.alternative) return 'another is chosen';
  return field.absent ?? `\`${flow(field.default)}\``;
}

function example(value: Json): string {
  return flow(value);
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
