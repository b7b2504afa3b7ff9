/** deploy/crds.yaml and deploy/install.yaml, from the schema and from tools/deploy. */
import { stringify } from 'yaml';
import { customResources } from '../deploy/custom-resources.ts';
import { installation } from '../deploy/install.ts';
import type { GeneratedFile } from '../generate.ts';

export async function generate(): Promise<readonly GeneratedFile[]> {
  return [
    {
      path: 'deploy/crds.yaml',
      text: file('The custom resources of Haldane. Generated from the schema: see tools/generate/deploy.ts.', customResources()),
    },
    {
      path: 'deploy/install.yaml',
      text: file(
        'The operator: namespace, custom resources, rights, workload. Generated: see tools/generate/deploy.ts. Beside it an\n# administrator applies admission.yaml.',
        installation(),
      ),
    },
  ];
}

function file(head: string, objects: readonly object[]): string {
  const documents = objects.map((each) => stringify(each, { lineWidth: 120, aliasDuplicateObjects: false }));
  return `# ${head}\n${documents.join('---\n')}`;
}
