/**
 * Kept mutants of the shipped code: each is a mistake somebody could make, and each must be caught by an invariant
 * within 1,000 seeds (`npm run sim:mutants`). `find` must be in `file` exactly once, so that they stay in step with
 * the code: a mutant that no longer applies is an error, not a pass.
 */

export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const engine = (file: string): string => `src/core/engine/${file}.ts`;
const analysis = (file: string): string => `src/core/analysis/${file}.ts`;
const controller = (file: string): string => `src/controller/${file}.ts`;

const DRAIN_AND_CAPACITY: readonly Mutant[] = [
  {
    name: 'no drain gate',
    file: engine('share'),
    find: 'return inFlight === 0 || (turn.state.draining[revision] ?? 0) >= drainMs;',
    replace: 'return true;',
  },
  {
    name: 'retire without a look at the share',
    file: engine('share'),
    find: "if (!isCutOff(turn, revision) || router.kind === 'error') return false;",
    replace: "if (router.kind === 'error') return false;",
  },
  {
    name: 'drain clock runs while traffic still comes',
    file: engine('share'),
    find: '    if (!isCutOff(turn, revision)) continue;\n',
    replace: '',
  },
  {
    name: 'stable shrinks while it serves',
    file: engine('capacity'),
    find: "wanted.push({ version: state.stable, replicas, role: 'stable' });",
    replace: "wanted.push({ version: state.stable, replicas: 1, role: 'stable' });",
  },
  {
    name: 'canary shrinks before its share does',
    file: engine('effects'),
    find: "if (wanted.role !== 'canary') return wanted;",
    replace: 'return wanted;',
  },
  {
    name: 'weight rises before its replicas are there',
    file: engine('effects'),
    find: 'return ready >= neededReplicas(release) ? weightPercent : Math.min(weightPercent, applied);',
    replace: 'return weightPercent;',
  },
  {
    name: 'promotion waits for more replicas than it asks for',
    file: engine('capacity'),
    find: 'return isInPlace(release.policy) ? tried(release) : release.baseReplicas;',
    replace: 'return 1;',
  },
  {
    name: 'a failed look is an absence',
    file: controller('observe'),
    find: "    (error: unknown) => ({ kind: 'error', message: describeError(error) }),",
    replace:
      "    () => ({ kind: 'seen', value: { versions: [], state: 'absent', reason: '', split: null, endpoints: {}, healthy: {}, inFlight: {}, instances: [] } as never }),",
  },
];

const WEIGHT: readonly Mutant[] = [
  {
    name: 'weight rises on undecided',
    file: engine('advance'),
    find: "const outcome = verdict?.exposure.outcome ?? 'undecided';",
    replace: "const outcome = verdict?.exposure.outcome === 'error' ? 'error' : 'pass';",
  },
  {
    name: 'no data counts as heard',
    file: analysis('silence'),
    find: 'return { ...evidence, silentMs, isHeard: false, trouble };',
    replace: 'return { ...evidence, silentMs: 0, isHeard: true, trouble: null };',
  },
  {
    name: 'a broken reading counts as heard',
    file: analysis('silence'),
    find: "return { ...evidence, isHeard: false, trouble: { outcome: 'error', message } };",
    replace: 'return { ...evidence, isHeard: true, trouble: null };',
  },
  {
    name: 'a rise on its way is not held',
    file: engine('effects'),
    find: '  if (isRiseHeld(release, applied)) return Math.min(weightPercent, applied);\n',
    replace: '',
  },
  {
    name: 'risk bound ignored',
    file: analysis('judge'),
    find: 'return risk <= 0 ? 100 : Math.min(100, (100 * badPerInterval) / risk);',
    replace: 'return 100;',
  },
  {
    name: 'bake time ignored',
    file: engine('advance'),
    find: '  if (bakeMs > 0) return hold(',
    replace: '  if (bakeMs > 1e12) return hold(',
  },
  {
    name: 'bake time runs before the weight is in use',
    file: engine('passing'),
    find: 'isAtWeight && release.isAtWeight && release.parked === null',
    replace: 'release.parked === null',
  },
  {
    name: 'clocks run while paused',
    file: engine('passing'),
    find: 'if (release === null || release.paused !== null) return;',
    replace: 'if (release === null) return;',
  },
  {
    name: 'durations by the wall clock',
    file: 'src/core/model/time.ts',
    find: 'return from.epoch === to.epoch ? Math.max(0, to.monotonicMs - from.monotonicMs) : 0;',
    replace: 'return Math.max(0, Date.parse(to.wallTime) - Date.parse(from.wallTime));',
  },
  {
    name: 'a stage is skipped',
    file: engine('advance'),
    find: 'enterStage(turn, { stage: plateau.index + 1, weightPercent: plateau.nextWeightPercent, why });',
    replace: 'enterStage(turn, { stage: plateau.index + 2, weightPercent: plateau.nextWeightPercent, why });',
  },
  {
    name: 'never advances',
    file: engine('advance'),
    find: '  enterStage(turn, { stage: plateau.index + 1, weightPercent: plateau.nextWeightPercent, why });',
    replace: "  hold(turn, 'stays');",
  },
  {
    name: 'exposure bound ignored',
    file: engine('exposure'),
    find: 'return canaryRequests + Math.max(canaryRequests / windows, atThisWeight) > totalRequests;',
    replace: 'return false;',
  },
  {
    name: 'harm ends nothing',
    file: engine('testing'),
    find: "const isHarm = release.logHarm >= line || blamed?.outcome === 'fail';",
    replace: 'const isHarm = release.logHarm >= line * 1e6;',
  },
  {
    name: 'harm is seen where there is none',
    file: engine('testing'),
    find: 'const line = -Math.log(release.policy.alphas.abort);',
    replace: 'const line = 0.1;',
  },
  {
    name: 'a split in use is taken for the right one',
    file: engine('effects'),
    find: '    sameWeights(a.weights, b.weights) &&\n    a.salt === b.salt &&',
    replace: '    a.salt === b.salt &&',
  },
];

const PROMOTION: readonly Mutant[] = [
  {
    name: 'promoted without proof',
    file: engine('advance'),
    find: "if (verdict.promotion.outcome !== 'pass' && !isAcceptedLate(release, verdict)) return verdict.message;",
    replace: '',
  },
  {
    name: 'proof at a lower line',
    file: analysis('numbers'),
    find: 'const logNoHarmLine = -Math.log(settings.alphaPromote);',
    replace: 'const logNoHarmLine = 0.2;',
  },
  {
    name: 'the newest version becomes stable instead of the analysed one',
    file: engine('ending'),
    find: 'turn.state = { ...turn.state, stable: release.to };',
    replace: 'turn.state = { ...turn.state, stable: turn.observation.declared ?? release.to };',
  },
  {
    name: 'a newer version slips into the release under way',
    file: engine('lifecycle'),
    find: "  beginAbort(turn, 'superseded', `${wanted.label} was declared in mid-release and takes its place`);",
    replace: '  turn.state = { ...turn.state, release: { ...release, to: wanted } };',
  },
  {
    name: 'a person promotes what is not proven',
    file: engine('refusals'),
    find: "    if (verdict?.promotion.outcome !== 'pass') {",
    replace: '    if (verdict === undefined) {',
  },
  {
    name: 'skipped analysis leaves no mark',
    file: engine('commands'),
    find: "  if (command.skipAnalysis) updateRelease(turn, { unanalysed: { why: 'skip-analysis', by } });\n",
    replace: '',
  },
  {
    name: 'skips analysis without a reason',
    file: engine('commands'),
    find: "if (command.verb === 'promote' && command.skipAnalysis && command.reason === null) {",
    replace: "if (command.verb === 'abort' && command.skipAnalysis && command.reason === null) {",
  },
  {
    name: 'an aborted version passes as promoted before',
    file: engine('lifecycle'),
    find: "if (known?.fate === 'promoted') return { why: 'promoted before' };",
    replace: "if (known !== undefined) return { why: 'promoted before' };",
  },
  {
    name: 'everything passes as suspended',
    file: engine('lifecycle'),
    find: "return state.suspended === null ? null : { why: 'suspended', by: state.suspended };",
    replace: "return { why: 'suspended', by: { actor: 'nobody', reason: null, wallTime: '' } };",
  },
  {
    name: 'evidence against another stable is carried over',
    file: engine('start'),
    find: '  if (earlier.against !== (turn.state.stable?.revision ?? null)) return {};\n',
    replace: '',
  },
];

const PEOPLE_AND_GATES: readonly Mutant[] = [
  {
    name: 'gates are not asked',
    file: engine('advance'),
    find: "if (gated !== 'open') return;",
    replace: "if (gated === 'open') return goOn(turn, release, plateau);",
  },
  {
    name: 'a gate that failed is a yes',
    file: engine('gates'),
    find: "if (answer?.status === 'yes') return true;",
    replace: "if (answer !== undefined && answer.status !== 'pending') return true;",
  },
  {
    name: 'one approval is enough',
    file: engine('gates'),
    find: 'if (given >= gate.approvals) return true;',
    replace: 'if (given >= 1) return true;',
  },
  {
    name: 'an approval holds for every stage',
    file: engine('gates'),
    find: 'approval.gate === gate.name && approval.stage === stage && approval.revision === release.to.revision,',
    replace: 'approval.gate === gate.name && approval.revision === release.to.revision,',
  },
  {
    name: 'a gate is run again with each window',
    file: engine('gates'),
    find: 'return `${release.id}/${stage}/${gate.name}`;',
    replace: 'return `${release.id}/${stage}/${gate.name}/${release.windows}`;',
  },
  {
    name: 'manual stages go on by themselves',
    file: engine('advance'),
    find: "if (release.policy.decision !== 'manual') return false;",
    replace: 'return false;',
  },
  {
    name: 'abort ignored while paused',
    file: engine('commands'),
    find: "if (underWay(turn.state)?.phase.kind === 'aborting') return 'it is being aborted already';",
    replace: "if (underWay(turn.state)?.paused !== null) return 'it is paused';",
  },
  {
    name: 'abort ignored during promotion',
    file: engine('commands'),
    find: "if (underWay(turn.state)?.phase.kind === 'aborting') return 'it is being aborted already';",
    replace: "if (underWay(turn.state)?.phase.kind === 'promoting') return 'too late';",
  },
  {
    name: 'an aborted version is tried again by itself',
    file: engine('lifecycle'),
    find: "if (known !== undefined && known.fate !== 'promoted' && !known.isFreeToTry && !isRetried) {",
    replace: "if (known?.fate === 'rolled back' && !isRetried) {",
  },
];

const CONTROLLER: readonly Mutant[] = [
  {
    name: 'effect before record',
    file: controller('pass'),
    find: '    const recorded = await record(',
    replace:
      "    for (const early of decision.effects) if (early.kind === 'ensureSplit') await this.#deps.router.ensure(declared.policy, early.split, early.backends);\n    const recorded = await record(",
  },
  {
    name: 'evidence counted twice: the cursor stays',
    file: engine('weigh'),
    find: '    cursor: measurement.cursor,\n',
    replace: '    cursor: release.cursor ?? measurement.cursor,\n',
  },
  {
    name: 'performs what it could not record',
    file: controller('worker'),
    find: 'harmlessEffects(decision.effects, before.state, seen)',
    replace: 'decision.effects',
  },
  {
    name: 'commands are obeyed and not answered',
    file: controller('record'),
    find: '[...decision.answers, ...input.refusals].map(',
    replace: '[...input.refusals].map(',
  },
  {
    name: 'decides on its own memory after a conflict',
    file: controller('pass'),
    find: 'if (this.#known === null || this.#known.version !== version) {',
    replace: 'if (this.#known === null) {',
  },
];

export const MUTANTS: readonly Mutant[] = [
  ...DRAIN_AND_CAPACITY,
  ...WEIGHT,
  ...PROMOTION,
  ...PEOPLE_AND_GATES,
  ...CONTROLLER,
];
