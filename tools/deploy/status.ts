/**
 * The custom resources that Haldane writes itself: the status of a ReleasePolicy, Release, ReleaseCommand. People read them;
 * what they may not change, the API server keeps.
 */
import { VERBS } from '../../src/core/engine/index.ts';
import type { Schema } from './lower.ts';

const text = (description: string, maxLength = 2_000): Schema => ({ type: 'string', maxLength, description });
const whole = (description: string): Schema => ({ type: 'integer', format: 'int64', description });
const yesNo = (description: string): Schema => ({ type: 'boolean', description });
/** A map of JSON, as it is. */
const json = (description: string): Schema => ({
  type: 'object',
  description,
  'x-kubernetes-preserve-unknown-fields': true,
});
const listOfJson = (description: string): Schema => ({
  type: 'array',
  description,
  'x-kubernetes-list-type': 'atomic',
  items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
});
/** What the controller adds is kept, also while an older definition is installed. */
const object = (description: string, properties: Schema, more: Schema = {}): Schema => ({
  type: 'object',
  description,
  properties,
  ...more,
});

const conditions: Schema = {
  type: 'array',
  description:
    'Where the release stands, for kubectl wait and for tools that understand kstatus: Ready, Reconciling, Stalled, Progressing, Promoted, Aborted, Paused, Waiting, Suspended.',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
  items: {
    type: 'object',
    required: ['type', 'status'],
    properties: {
      type: text('Name of the condition.', 316),
      status: { type: 'string', enum: ['True', 'False', 'Unknown'], description: 'Whether it holds.' },
      reason: text('One word for programs.', 1_024),
      message: text('A sentence with the numbers.', 32_768),
      observedGeneration: whole('Of the policy it is about.'),
      lastTransitionTime: { type: 'string', format: 'date-time', description: 'Since when it holds.' },
    },
  },
};

const shown = {
  share: text('Share of the requests that the new version is seen to get.', 64),
  weight: text('Weight that is asked for it.', 64),
  verdict: text('What the checks say.', 4_096),
  next: text('What happens next, when, and what would stop it.', 4_096),
  conditions,
};

export const policyStatus = object(
  'Where the release stands; written by Haldane.',
  {
    observedGeneration: whole('Generation of the policy that this is about.'),
    version: text('What people call the version under release, or the stable one at rest.', 253),
    stable: text('What people call the version that everybody gets.', 253),
    revision: text('Revision of the version under release.', 64),
    release: text('Name of the Release under way, or of the last one.', 253),
    phase: text('at rest, starting, testing, promoting or aborting.', 64),
    ...shown,
    floor: {
      ...whole('While it is there, the Deployment cannot be scaled below this many replicas.'),
      minimum: 0,
    },
    suspended: yesNo('Hands off: new templates are not held and pass unanalysed until unsuspend.'),
    workload: object(
      'What was seen of the Deployment.',
      {
        observedGeneration: whole('Generation of the Deployment that this is about.'),
        deployment: text('Name of the Deployment.', 253),
      },
      { 'x-kubernetes-preserve-unknown-fields': true },
    ),
    record: object(
      'What Haldane remembers: written before anything is done, never read by people.',
      {
        version: whole('Counted up by each write.'),
        state: text('The state of the engine, as JSON.', 700_000),
      },
      { 'x-kubernetes-preserve-unknown-fields': true },
    ),
    view: text('What every screen shows, as JSON.', 700_000),
  },
  { 'x-kubernetes-preserve-unknown-fields': true },
);

export const releaseSpec = object(
  'What was released, and by which policy; never changed.',
  {
    policy: text('Name of the policy, in the same namespace.', 253),
    number: whole('Counted up by policy.'),
    revision: text('Revision of the version.', 64),
    label: text('What people call the version.', 253),
    template: json('The pod template, as it was when the release began.'),
    document: text('The policy as it was when the release began, as JSON.', 262_144),
  },
  { 'x-kubernetes-preserve-unknown-fields': true, required: ['policy', 'number', 'revision'] },
);

export const releaseStatus = object(
  'How it goes; written by Haldane.',
  {
    phase: text('starting, testing, promoting, aborting or ended.', 64),
    outcome: text('promoted, aborted or superseded; nothing while it is under way.', 64),
    sentence: text('How it stands, or how it ended and why, with the numbers.', 4_096),
    ...shown,
    startedAt: { type: 'string', format: 'date-time', description: 'When it began.' },
    endedAt: { type: 'string', format: 'date-time', description: 'When it ended.' },
    document: text('The whole of it with its evidence, as JSON.', 700_000),
    journal: listOfJson('Every decision, chained by hash.'),
    trace: text('Evidence over time, as JSON, for the pictures of reports.', 262_144),
  },
  { 'x-kubernetes-preserve-unknown-fields': true },
);

export const commandSpec = object(
  "A person's wish; never changed.",
  {
    policy: text('Name of the policy, in the same namespace.', 253),
    release: text('Refused if this is not the release under way. Left out: whichever it is.', 253),
    verb: { type: 'string', enum: [...VERBS].sort(), description: 'What is wished.' },
    reason: text('Why; needed where the risky direction is asked for.', 1_000),
    actor: text('Who; written by the API server, whatever is put here.', 1_000),
    gate: text('approve: the gate. Left out: the one that waits.', 63),
    revision: text('rollback: the revision. Left out: the version before.', 64),
    skipAnalysis: yesNo('promote: without the proof of no harm; marked so for ever.'),
  },
  {
    required: ['policy', 'verb'],
    'x-kubernetes-validations': [
      { rule: 'self == oldSelf', message: 'a command cannot be changed: create another one' },
    ],
  },
);

/** Also asked by the engine; here the answer comes at once. Not asked where commands are only read back. */
export const commandRules = [
  {
    rule: "!(self.spec.verb == 'suspend' && !has(self.spec.reason))",
    message: 'suspend needs a reason: hands off is break-glass, and is marked with it',
  },
  {
    rule: '!(has(self.spec.skipAnalysis) && self.spec.skipAnalysis && !has(self.spec.reason))',
    message: 'going past analysis needs a reason, and is marked with it for ever',
  },
  {
    rule: "!(has(self.spec.skipAnalysis) && self.spec.verb != 'promote')",
    message: 'skipAnalysis goes with promote alone',
  },
  { rule: "!(has(self.spec.gate) && self.spec.verb != 'approve')", message: 'gate goes with approve alone' },
  { rule: "!(has(self.spec.revision) && self.spec.verb != 'rollback')", message: 'revision goes with rollback alone' },
];

export const commandStatus = object(
  'The answer.',
  {
    accepted: yesNo('Whether it was obeyed.'),
    message: text('What it did, or why not and what to do instead.', 4_096),
    answeredAt: { type: 'string', format: 'date-time', description: 'When.' },
  },
  { 'x-kubernetes-preserve-unknown-fields': true },
);
