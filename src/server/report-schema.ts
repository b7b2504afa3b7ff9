// The shape of report.json, for programs that read it: one schema for the JSON Schema in schemas/ and for the tests that
// hold real reports to it. It refuses fields it does not know, so that none is added without being described.
import * as z from 'zod';

const ms = (description: string) => z.number().min(0).describe(description);
const percent = (description: string) => z.number().min(0).max(100).describe(description);
const count = (description: string) => z.number().min(0).describe(description);
const fraction = (description: string) => z.number().nullable().describe(description);
const instant = (description: string) => z.iso.datetime().describe(description);
const outcome = z.enum(['pass', 'fail', 'undecided', 'no-data', 'error']);

const counts = z.strictObject({ total: count('Requests looked at.'), bad: count('Of them bad.') });

const ending = z
  .strictObject({
    kind: z.enum(['promoted', 'aborted']),
    by: z.string().nullable().describe('Aborted by: verdict, person, author, deadline, superseded, trouble.'),
    check: z.string().nullable().describe('The check to blame, if it was a verdict.'),
    sentence: z.string(),
  })
  .nullable()
  .describe('null while the release is under way.');

const release = z.strictObject({
  id: z.string(),
  number: z.int(),
  from: z.string().nullable().describe('Label of stable; null for the very first version.'),
  to: z.string().describe('Label of the new version.'),
  fromRevision: z.string().nullable(),
  toRevision: z.string(),
  startedAt: instant('When it started.'),
  endedAt: instant('When it ended.').nullable(),
  spentMs: ms('From start to end, by wall time.'),
  phase: z.enum(['starting', 'testing', 'promoting', 'aborting', 'ended']),
  stage: z.int().nullable(),
  weightPercent: percent('Asked now.'),
  highestWeightPercent: percent('The most that was ever asked.'),
  awaiting: z.string().nullable(),
  paused: z.string().nullable(),
  parked: z.string().nullable(),
  unanalysed: z.string().nullable().describe('Why it was not analysed, for ever; null if it was.'),
  outcome: ending,
  exposure: z.strictObject({
    canaryRequests: count('Measured requests of the new version.'),
    stableRequests: count('Measured requests of stable meanwhile.'),
    canaryBad: count('Errors among the former.'),
    canaryUsers: count('Distinct users, where they are told apart.'),
    stableUsers: count('Distinct users of stable.'),
  }),
});

const evidence = z.strictObject({
  check: z.string(),
  title: z.string(),
  metric: z.enum(['errors', 'latency', 'business', 'gauge', 'count', 'mean', 'conversion', 'kayenta']),
  role: z.string(),
  outcome,
  reason: z.string(),
  message: z.string(),
  exposure: outcome.describe('May weight rise?'),
  promotion: outcome.describe('May it be promoted?'),
  canary: counts,
  stable: counts,
  excess: fraction('Canary minus ratio times stable.'),
  lower: fraction('Its lower bound, valid at every moment.'),
  upper: fraction('Its upper bound.'),
  tolerance: fraction('The line: margin against stable, or the limit.'),
  ratio: z.number().nullable(),
  against: z.enum(['stable', 'limit', 'gauge']),
  value: z.number().nullable().describe('Latency: the boundary in seconds. Gauge: the worst value.'),
  unit: z.enum(['bytes', 'percent']).nullable(),
  etaMs: z.number().nullable(),
  log: z
    .strictObject({ harm: z.number(), harmLine: z.number(), noHarm: z.number(), noHarmLine: z.number() })
    .describe('Natural logs of the evidence and of the line it must reach.'),
});

const trace = z.strictObject({
  atMs: ms('Since the start.'),
  weightPercent: percent('Asked.'),
  canaryRequests: count('So far.'),
  stableRequests: count('So far.'),
  checks: z.record(
    z.string(),
    z.strictObject({
      outcome,
      excess: z.number().nullable(),
      lower: z.number().nullable(),
      upper: z.number().nullable(),
      tolerance: z.number().nullable(),
    }),
  ),
});

export const reportSchema = z
  .strictObject({
    schema: z.literal(1).describe('Rises when a field changes its meaning.'),
    madeAt: instant('When the report was made.'),
    haldane: z.string().describe('Version of the program that made it.'),
    policy: z.string(),
    release,
    sentence: z.string().describe('How it ended, with its numbers.'),
    exposed: z.strictObject({
      requests: count('That met the new version.'),
      bad: count('Of them bad.'),
      users: count('That met it; 0 where users are not told apart.'),
      usersPercent: percent('Of the users seen.').nullable(),
      ms: ms('Time with traffic.'),
      extraBad: z.number().nullable().describe("Bad requests beyond stable's rate; negative when it was better."),
      sentence: z.string(),
    }),
    weights: z.array(z.tuple([ms('Since the start.'), percent('Asked from then on.')])),
    evidence: z.array(evidence),
    trace: z.array(trace),
    log: z.array(
      z.strictObject({
        sequence: z.int().describe('Number of the journal entry.'),
        at: instant('When.'),
        kind: z.string(),
        sentence: z.string(),
        release: z.string().nullable(),
        weightPercent: z.number().nullable(),
      }),
    ),
    document: z.strictObject({
      hash: z.string(),
      policy: z.record(z.string(), z.unknown()).describe('As compiled and frozen when the release started.'),
      changes: z
        .array(z.looseObject({ path: z.string(), from: z.unknown(), to: z.unknown() }))
        .nullable()
        .describe('Since the release before; null if that one is not kept.'),
    }),
    quality: z.array(z.string()),
    reproduce: z.array(z.string()),
  })
  .describe('What happened in one release of Haldane.');

export function reportJsonSchema(): object {
  return z.toJSONSchema(reportSchema, { target: 'draft-2020-12', io: 'output' });
}
