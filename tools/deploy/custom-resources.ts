/** The three CustomResourceDefinitions. The spec of a ReleasePolicy comes from the schema people write against. */
import { policyJsonSchema } from '../../src/core/policy/index.ts';
import { lower, type Schema } from './lower.ts';
import { commandRules, commandSpec, commandStatus, policyStatus, releaseSpec, releaseStatus } from './status.ts';

const GROUP = 'haldane.dev';
const VERSION = 'v1alpha1';

interface Kind {
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly description: string;
  readonly spec: Schema;
  readonly status: Schema;
  readonly rules: readonly Schema[];
  readonly columns: readonly Schema[];
}

const AGE = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

function column(name: string, jsonPath: string, description: string, priority = 0): Schema {
  return { name, type: 'string', jsonPath, description, ...(priority === 0 ? {} : { priority }) };
}

const SHOWN = [
  column('Share', '.status.share', 'Share of the requests that the new version is seen to get'),
  column('Verdict', '.status.verdict', 'What the checks say'),
  column('Next', '.status.next', 'What happens next'),
];

/** A name goes into labels, and a Release adds a number to it. */
const NAME_RULE = {
  rule: "self.metadata.name.size() <= 52 && self.metadata.name.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')",
  message: 'the name of a policy has small letters, digits and "-", and at most 52 characters',
};

function kinds(): readonly Kind[] {
  const document = policyJsonSchema() as { readonly properties: Readonly<Record<string, Schema>> };
  const spec = document.properties.spec as Schema;
  return [
    {
      kind: 'ReleasePolicy',
      plural: 'releasepolicies',
      shortNames: ['rp'],
      description:
        'How versions of one Deployment are released. The Deployment stays as it is: a new pod template waits in it until it is proven harmless.',
      spec: lower(spec, 'spec'),
      status: policyStatus,
      rules: [NAME_RULE],
      columns: [column('Version', '.status.version', 'The version under release, or the stable one'), ...SHOWN, AGE],
    },
    {
      kind: 'Release',
      plural: 'releases',
      shortNames: ['rel'],
      description: 'One attempt to replace stable by a new version, with its evidence. Made by Haldane.',
      spec: {
        ...releaseSpec,
        'x-kubernetes-validations': [
          {
            rule: 'self.policy == oldSelf.policy && self.number == oldSelf.number && self.revision == oldSelf.revision',
            message: 'a release cannot become another one',
          },
        ],
      },
      status: releaseStatus,
      rules: [],
      columns: [
        column('Version', '.spec.label', 'What people call the version'),
        ...SHOWN,
        column('Outcome', '.status.outcome', 'How it ended', 1),
        AGE,
      ],
    },
    {
      kind: 'ReleaseCommand',
      plural: 'releasecommands',
      shortNames: ['rcmd'],
      description: "A person's command: created with the person's own rights, stamped with the person's name.",
      spec: commandSpec,
      status: commandStatus,
      rules: commandRules,
      columns: [
        column('Policy', '.spec.policy', 'The policy'),
        column('Verb', '.spec.verb', 'What is wished'),
        column('Actor', '.spec.actor', 'Who'),
        { name: 'Accepted', type: 'boolean', jsonPath: '.status.accepted' },
        column('Message', '.status.message', 'The answer', 1),
        AGE,
      ],
    },
  ];
}

function definition(kind: Kind): Schema {
  const singular = kind.kind.toLowerCase();
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${kind.plural}.${GROUP}`,
      labels: { 'app.kubernetes.io/name': 'haldane' },
      // Removing the package must not remove the policies: then every workload would lose its hold, and its history.
      annotations: { 'helm.sh/resource-policy': 'keep' },
    },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular,
        shortNames: kind.shortNames,
        categories: ['haldane'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: kind.columns,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description: kind.description,
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string', description: `${GROUP}/${VERSION}` },
                kind: { type: 'string', description: kind.kind },
                metadata: { type: 'object' },
                spec: kind.spec,
                status: kind.status,
              },
              ...(kind.rules.length === 0 ? {} : { 'x-kubernetes-validations': kind.rules }),
            },
          },
        },
      ],
    },
  };
}

export function customResources(): readonly Schema[] {
  return kinds().map(definition);
}
