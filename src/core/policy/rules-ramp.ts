/** Rules of stages, presets and ramps: weights rise, 100 is last, with checks a share of stable remains. */

import { DEFAULT_CHECKS, MAX_CHECKED_WEIGHT_PERCENT } from './defaults.ts';
import { listed } from './describe-value.ts';
import { presetOf } from './presets.ts';
import { type Report, type RuleContext, refuseTwice, refuseUnknown } from './rule-report.ts';
import type { ReadSpec } from './schema.ts';
import type { Holes } from './walk.ts';

type Stages = NonNullable<Holes<NonNullable<ReadSpec['stages']>>>;
type Gates = NonNullable<Holes<NonNullable<NonNullable<ReadSpec['stages']>[number]['gates']>>>;

export function rampRules(context: RuleContext): void {
  const { spec, report, isWritten } = context;
  const chosen = ['stages', 'preset', 'ramp'].filter((key) => isWritten(key));
  if (chosen.length > 1) {
    report.refuse([chosen[1] ?? ''], `${listed(chosen, 'and')} are all written`, `keep one of ${listed(chosen)}`);
  }
  const isAnalysed = spec.analysis !== 'none';
  if (!isAnalysed && (chosen.length === 0 || chosen[0] === 'ramp')) {
    report.refuse(
      chosen.length === 0 ? ['analysis'] : ['ramp'],
      'analysis: none leaves an adaptive ramp nothing to follow',
      'write stages or a preset, or take analysis: none out',
    );
  }
  if (spec.stages !== undefined) stagesRules(context, spec.stages, isAnalysed);
  gateRules(context);
  const preset = spec.preset === undefined ? undefined : presetOf(spec.preset);
  if (isAnalysed && preset?.stages.length === 0) refuseUnmeasured(report, ['preset']);
  if (preset?.stages.length === 0 && !isAnalysed) {
    report.warn(['preset'], 'every new version goes straight to everyone, unmeasured', 'write preset: fast');
  }
}

function refuseUnmeasured(report: Report, path: readonly (string | number)[]): void {
  report.refuse(
    path,
    'promotes without a single measurement, and analysis is asked for',
    'add a stage below 100, for example {weight: 5, bake: 10m}; or write analysis: none',
  );
}

function stagesRules(context: RuleContext, stages: Stages, isAnalysed: boolean): void {
  const { report } = context;
  if (stages.length === 0) {
    report.refuse(['stages'], 'is an empty list', 'write at least one stage, as in - {weight: 5, bake: 10m}');
  } else if (isAnalysed && stages.length === 1 && stages[0]?.weight === 100) refuseUnmeasured(report, ['stages', 0]);
  let before = 0;
  for (const [index, stage] of stages.entries()) {
    const path = ['stages', index];
    const weight = stage?.weight;
    if (weight !== undefined) {
      if (weight <= before) {
        report.refuse(
          [...path, 'weight'],
          `${weight} does not rise above ${before} of the stage before`,
          'order the stages by rising weight',
        );
      }
      before = Math.max(before, weight);
    }
    if (weight === 100) promoteRules(context, index, stages.length);
    else if (weight !== undefined && isAnalysed && weight > MAX_CHECKED_WEIGHT_PERCENT) {
      report.refuse(
        [...path, 'weight'],
        `${weight} leaves too little of stable to compare with`,
        `write ${MAX_CHECKED_WEIGHT_PERCENT} or less, or 100 to promote`,
      );
    }
    stageChecksRules(context, index, isAnalysed);
  }
}

function promoteRules({ spec, report }: RuleContext, index: number, count: number): void {
  const path = ['stages', index];
  if (index !== count - 1) {
    report.refuse([...path, 'weight'], '100 means promote, and stages follow it', 'move it to the end, or take it out');
  }
  const stage = spec.stages?.[index];
  for (const key of ['bake', 'checks', 'gates', 'advance'] as const) {
    if (stage?.[key] === undefined) continue;
    const fix = index === 0 ? `take ${key} out` : `move ${key} to the stage before`;
    report.refuse([...path, key], `a stage of 100 means promote, so ${key} would never be used`, fix);
  }
  report.warn([...path, 'weight'], '100 means promote: it is no stage', 'nothing to do; it may be left out');
}

function stageChecksRules({ spec, report }: RuleContext, index: number, isAnalysed: boolean): void {
  const stage = spec.stages?.[index];
  const path = ['stages', index, 'checks'];
  if (!isAnalysed && stage?.advance === 'proven') {
    report.refuse(['stages', index, 'advance'], 'analysis: none proves nothing', 'take advance out');
  }
  const asked = stage?.checks;
  if (asked === undefined || stage?.weight === 100) return;
  if (!isAnalysed) {
    report.refuse(path, 'analysis: none never asks checks', 'take checks out, or take analysis: none out');
    return;
  }
  if (asked.length === 0) report.refuse(path, 'is an empty list', 'take the line out to ask all checks');
  refuseTwice(report, path, asked, 'check');
  const checks = spec.checks ?? DEFAULT_CHECKS;
  const names = checks.map((check) => check?.name).filter((name) => name !== undefined);
  for (const [at, name] of asked.entries()) refuseUnknown(report, [...path, at], name, { what: 'check', names });
}

function gateRules({ spec, report }: RuleContext): void {
  const lists: { path: (string | number)[]; gates: Gates }[] = (spec.stages ?? []).map((stage, index) => ({
    path: ['stages', index, 'gates'],
    gates: stage?.gates ?? [],
  }));
  lists.push({ path: ['ramp', 'gates'], gates: spec.ramp?.gates ?? [] });
  const seen = new Set<string>();
  for (const { path, gates } of lists) {
    for (const [index, gate] of gates.entries()) {
      const kind = (['approval', 'webhook', 'job'] as const).find((each) => gate?.[each] !== undefined);
      const name = kind === undefined ? undefined : gate?.[kind]?.name;
      if (kind === undefined || name === undefined) continue;
      if (seen.has(name)) {
        report.refuse(
          [...path, index, kind, 'name'],
          `a gate called "${name}" is there already`,
          'give each gate its own name',
        );
      }
      seen.add(name);
    }
  }
}
