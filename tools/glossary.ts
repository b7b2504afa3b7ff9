/**
 * The words of this project, once: docs/glossary.md is generated from here, and `npm run boundaries` refuses the
 * words of `not` in identifiers, in what people read on screens, and in the documents.
 */

export interface GlossaryEntry {
  readonly word: string;
  readonly meaning: string;
  /** What other tools call it, in prose. */
  readonly elsewhere?: string;
  /** Words never used for it here; each is looked for as a whole word, in the singular and the plural. */
  readonly not?: readonly string[];
}

export const GLOSSARY: readonly GlossaryEntry[] = [
  {
    word: 'release',
    meaning: 'One attempt to replace stable by a new version.',
    elsewhere: 'the Rollout object of Argo; "deployment" is only the Kubernetes kind',
    not: ['rollout'],
  },
  {
    word: 'stable',
    meaning: 'The version trusted now; it takes the rest of the traffic.',
    elsewhere: 'Flagger and Vercel have other names for it',
    not: ['primary'],
  },
  {
    word: 'canary',
    meaning: 'The version on trial.',
    elsewhere: 'Kayenta has another name for it',
    not: ['candidate', 'treatment', 'challenger'],
  },
  {
    word: 'baseline',
    meaning: 'A fresh copy of the stable version, sized like the canary, run only for fair comparison.',
    elsewhere: 'not a synonym of stable; "control" in statistics',
  },
  { word: 'weight', meaning: 'The percent of requests a version is *asked* to get.', elsewhere: 'SetWeight (Argo)' },
  { word: 'share', meaning: 'The percent of requests a version is *seen* to get.', elsewhere: 'ActualWeight (Argo)' },
  {
    word: 'split',
    meaning: 'Who gets which version: all weights together (sum 100), with rules and affinity.',
    elsewhere: 'traffic split',
  },
  {
    word: 'stage',
    meaning: 'What a person writes: a plateau with a weight, a bake time, checks and gates.',
    elsewhere: '"step" in Argo',
  },
  { word: 'step', meaning: 'One internal action that a stage compiles to.', elsewhere: 'not a word for people' },
  {
    word: 'bake (soak) time',
    meaning: 'The least time at a stage, even if all is well.',
    elsewhere: 'interval x iterations (Flagger)',
  },
  {
    word: 'analysis',
    meaning: 'The running comparison during a stage; it is made of checks.',
    elsewhere: 'AnalysisRun (Argo)',
  },
  {
    word: 'check',
    meaning: 'One question about harm, put to one metric.',
    elsewhere: 'metric template, analysis metric',
  },
  {
    word: 'measurement',
    meaning: 'One reading of one metric, all versions together, over one window.',
    elsewhere: 'sample',
  },
  {
    word: 'tolerance',
    meaning: 'The largest harm accepted on a metric: the line on the chart.',
    elsewhere: 'threshold, margin',
  },
  {
    word: 'verdict',
    meaning: 'The outcome of a check: pass, fail, undecided, no data, error.',
    elsewhere: 'Successful and Inconclusive (Argo), Marginal, High and Low (Kayenta)',
  },
  {
    word: 'no data',
    meaning: 'Nothing was measured. Neither a failure nor a success: it holds, and says so.',
    elsewhere: 'often taken for success elsewhere',
  },
  {
    word: 'hold',
    meaning: 'The engine waits: the evidence does not decide yet.',
    elsewhere: '"halt advancement" (Flagger)',
  },
  {
    word: 'pause',
    meaning: 'A person stopped the clock.',
    elsewhere: 'Argo also pauses itself: here that is hold or gate',
  },
  {
    word: 'gate',
    meaning: 'A yes that must come from outside; an **approval** is a person’s recorded yes.',
    elsewhere: 'confirm webhooks (Flagger)',
  },
  {
    word: 'advance',
    meaning: 'Go to the next stage. To **skip** is to advance without the evidence; it needs a reason.',
    elsewhere: '`promote` without `--full` (Argo)',
  },
  {
    word: 'promote',
    meaning: 'The canary becomes stable; the release ends well.',
    elsewhere: '`promote --full` (Argo)',
  },
  {
    word: 'abort',
    meaning: 'The release ends and all traffic goes to stable, by the engine or by a person.',
    elsewhere: '"rollback" (Flagger)',
  },
  { word: 'rollback', meaning: 'After a promotion, the return to an earlier version.', elsewhere: '`undo` (Argo)' },
  {
    word: 'session affinity',
    meaning: 'A user keeps the version first given.',
    not: ['sticky', 'stickiness'],
  },
  { word: 'mirror', meaning: 'A copy of requests whose answers are thrown away.', elsewhere: 'shadow traffic' },
  {
    word: 'sample-ratio mismatch',
    meaning: 'The shares seen disagree with the weights asked beyond chance.',
    elsewhere: 'SRM',
  },
  { word: 'forecast', meaning: 'What happens next if all checks pass.', elsewhere: 'ETA' },
];

/** Names of other people’s things, in which the words above are right. */
export const FOREIGN_PHRASES: readonly RegExp[] = [
  /Argo Rollouts?/gi,
  /argo-rollouts/gi,
  /rollout (?:status|undo|resume|pause|history|restart)/gi,
  /primary keys?/gi,
];

export interface BannedUse {
  readonly banned: string;
  readonly say: string;
}

/** The banned words in a text, each with the word to use. Words are found inside camelCase and snake_case too. */
export function bannedWords(text: string): BannedUse[] {
  const own = FOREIGN_PHRASES.reduce((rest, phrase) => rest.replaceAll(phrase, ' '), text);
  const words = new Set(
    own
      .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
      .toLowerCase()
      .split(/[^a-z]+/),
  );
  return GLOSSARY.flatMap(({ word, not = [] }) =>
    not.filter((banned) => words.has(banned) || words.has(`${banned}s`)).map((banned) => ({ banned, say: word })),
  );
}
