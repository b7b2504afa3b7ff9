/**
 * Named lists of stages: `fast`, `slow`, `soak`, and every predefined deployment configuration of AWS CodeDeploy.
 *
 * It refuses names that count instances instead of requests (OneAtATime): a share of requests cannot stand for them.
 */
import { nearestName } from '../model/nearest.ts';
import { describeValue, listed, quoted } from './describe-value.ts';
import { accept, type Parsed, refuse } from './fields.ts';

export interface PresetStage {
  readonly weightPercent: number;
  readonly bakeMs: number;
}

export interface Preset {
  readonly name: string;
  readonly description: string;
  readonly stages: readonly PresetStage[];
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

function at(weights: readonly number[], bakeMs: number): readonly PresetStage[] {
  return weights.map((weightPercent) => ({ weightPercent, bakeMs }));
}

function canary(name: string, minutes: number): Preset {
  return {
    name,
    description: `10 % for ${minutes} minutes, then promote.`,
    stages: at([10], minutes * MINUTE_MS),
  };
}

function linear(name: string, minutes: number): Preset {
  return {
    name,
    description: `10 % more every ${minutes === 1 ? 'minute' : `${minutes} minutes`}: 10, 20, ... 90, then promote.`,
    stages: at([10, 20, 30, 40, 50, 60, 70, 80, 90], minutes * MINUTE_MS),
  };
}

function allAtOnce(name: string): Preset {
  return { name, description: 'Straight to promotion; only with `analysis: none`.', stages: [] };
}

const OWN: readonly Preset[] = [
  {
    name: 'fast',
    description: '5, 25 and 50 %, 10 minutes each, then promote.',
    stages: at([5, 25, 50], 10 * MINUTE_MS),
  },
  {
    name: 'slow',
    description: '1, 5, 10, 25 and 50 %, one hour each, then promote.',
    stages: at([1, 5, 10, 25, 50], HOUR_MS),
  },
  { name: 'soak', description: '10 % for 30 minutes, then promote.', stages: at([10], 30 * MINUTE_MS) },
];

/** AWS CodeDeploy user guide, "Predefined deployment configurations". */
const CODE_DEPLOY: readonly Preset[] = [
  canary('LambdaCanary10Percent5Minutes', 5),
  canary('LambdaCanary10Percent10Minutes', 10),
  canary('LambdaCanary10Percent15Minutes', 15),
  canary('LambdaCanary10Percent30Minutes', 30),
  linear('LambdaLinear10PercentEvery1Minute', 1),
  linear('LambdaLinear10PercentEvery2Minutes', 2),
  linear('LambdaLinear10PercentEvery3Minutes', 3),
  linear('LambdaLinear10PercentEvery10Minutes', 10),
  allAtOnce('LambdaAllAtOnce'),
  canary('ECSCanary10Percent5Minutes', 5),
  canary('ECSCanary10Percent15Minutes', 15),
  linear('ECSLinear10PercentEvery1Minutes', 1),
  linear('ECSLinear10PercentEvery3Minutes', 3),
  allAtOnce('ECSAllAtOnce'),
  allAtOnce('AllAtOnce'),
  {
    name: 'HalfAtATime',
    description: '50 % for 5 minutes, then promote (CodeDeploy: half of the instances at a time).',
    stages: at([50], 5 * MINUTE_MS),
  },
];

export const PRESETS: readonly Preset[] = [...OWN, ...CODE_DEPLOY];
export const PRESET_EXAMPLES = ['fast', 'slow', 'soak', 'LambdaCanary10Percent5Minutes'] as const;
export const CODE_DEPLOY_PREFIX = 'CodeDeployDefault.';

/** The preset of a name, with or without CodeDeploy's prefix; `fast`, `slow` and `soak` take none. */
export function presetOf(name: string): Preset | undefined {
  if (!name.startsWith(CODE_DEPLOY_PREFIX)) return PRESETS.find((preset) => preset.name === name);
  const bare = name.slice(CODE_DEPLOY_PREFIX.length);
  return CODE_DEPLOY.find((preset) => preset.name === bare);
}

/** Judges a preset's name; the name is kept as written. */
export function parsePresetName(value: unknown): Parsed<string> {
  const fix = `write ${listed(OWN.map((preset) => preset.name))}, or a name of CodeDeploy such as LambdaCanary10Percent5Minutes`;
  if (typeof value !== 'string') return refuse(`${describeValue(value)} is not a preset`, fix);
  if (presetOf(value) !== undefined) return accept(value);
  if (/^(?:CodeDeployDefault\.)?OneAtATime$/.test(value)) {
    return refuse(
      'OneAtATime counts instances, and a stage is a share of requests',
      'write stages of the weights you want, or preset: slow',
    );
  }
  const bare = value.startsWith(CODE_DEPLOY_PREFIX) ? value.slice(CODE_DEPLOY_PREFIX.length) : value;
  const nearest = nearestName(
    bare,
    PRESETS.map((preset) => preset.name),
  );
  const meant = nearest === undefined ? fix : `did you mean ${nearest}? Or ${fix}`;
  return refuse(`${quoted(value)} is not a preset`, meant, nearest);
}
