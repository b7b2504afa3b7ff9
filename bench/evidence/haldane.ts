// Haldane as a contestant: the shipped engine, statistics and policy defaults, rehearsed in a world. Nothing here decides.

import type { ReleasePolicy } from '../../src/core/model/policy.ts';
import { compilePolicy } from '../../src/core/policy/index.ts';
import { type Rehearsal, type RehearsalInput, rehearse, type Truth } from '../../src/core/rehearsal/index.ts';
import { sha256Hex } from '../../src/lib/sha256.ts';
import type { Contestant, Outcome, World } from './contestant.ts';
import { excessOver } from './excess.ts';
import type { ScenarioWorld } from './worlds/world.ts';

export interface HaldaneSettings {
  readonly name: string;
  /** Parts of `spec` beside workload and checks. */
  readonly spec: Readonly<Record<string, unknown>>;
  /** The source's windows are this old when they are read. */
  readonly lagSeconds: number;
  /** Warm-up as written in each check. Absent: the shipped default. */
  readonly warmUp?: string;
}

export const HALDANE: readonly HaldaneSettings[] = [
  { name: 'Haldane default', spec: { ramp: { adaptive: 'default' } }, lagSeconds: 0 },
  {
    name: 'Haldane default, 15 s scrapes 15 s late',
    spec: { ramp: { adaptive: 'default' }, interval: '15s' },
    lagSeconds: 15,
  },
  { name: 'Haldane cautious', spec: { ramp: { adaptive: 'cautious' } }, lagSeconds: 0 },
  { name: 'Haldane bold', spec: { ramp: { adaptive: 'bold' } }, lagSeconds: 0 },
  { name: 'Haldane constant 5 %', spec: { stages: [{ weight: 5, bake: '5m' }] }, lagSeconds: 0 },
];

export function haldane(settings: HaldaneSettings): Contestant {
  return {
    name: settings.name,
    run: (world) => outcomeOf(world, rehearseIn(settings, world as ScenarioWorld)),
  };
}

export function rehearseIn(settings: HaldaneSettings, world: ScenarioWorld): Rehearsal {
  return rehearse(rehearsalOf(settings, world));
}

export function rehearsalOf(settings: HaldaneSettings, world: ScenarioWorld): RehearsalInput {
  return {
    policy: policyFor(settings, world),
    truth: truthOf(world),
    horizonMs: world.horizonSeconds * 1000,
    past: world.past(),
    metricsLagMs: settings.lagSeconds * 1000,
  };
}

const POLICIES = new Map<string, ReleasePolicy>();

/** Checks for what the world has: errors, latency where there is any, and the healthy ones beside. */
function policyFor({ name, spec, warmUp }: HaldaneSettings, { scenario }: ScenarioWorld): ReleasePolicy {
  const extra = scenario.extraChecks ?? 0;
  const key = `${name}/${scenario.latency !== null}/${extra}`;
  let policy = POLICIES.get(key);
  if (policy === undefined) {
    const own = warmUp === undefined ? {} : { warmUp };
    const checks: object[] = [{ name: 'errors', metric: { errors: {} }, ...own }];
    if (scenario.latency !== null) checks.push({ name: 'latency', metric: { latency: { quantile: 0.99 } }, ...own });
    for (let i = 1; i <= extra; i++) checks.push({ name: `other-${i}`, metric: { errors: {} }, ...own });
    policy = compiled({ checks, ...spec });
    POLICIES.set(key, policy);
  }
  return policy;
}

function compiled(spec: object): ReleasePolicy {
  const result = compilePolicy(
    {
      apiVersion: 'haldane.dev/v1alpha1',
      kind: 'ReleasePolicy',
      metadata: { name: 'shop' },
      spec: { workload: { processes: { template: { command: ['node', 'server.js'] } } }, ...spec },
    },
    sha256Hex,
  );
  if (result.kind === 'refused')
    throw new Error(result.errors.map((each) => `${each.path}: ${each.problem}`).join('; '));
  return result.policy;
}

function truthOf(world: ScenarioWorld): Truth {
  const extra = world.scenario.extraChecks ?? 0;
  if (extra === 0) return world;
  return {
    boundaries: world.boundaries,
    draw(from, to, weight) {
      const window = world.draw(from, to, weight);
      const others = Object.fromEntries(
        Array.from({ length: extra }, (_, i) => [
          `other-${i + 1}`,
          {
            canary: { total: window.canary.total, bad: world.drawOther(window.canary.total) },
            stable: { total: window.stable.total, bad: world.drawOther(window.stable.total) },
          },
        ]),
      );
      return { ...window, others };
    },
  };
}

function outcomeOf(world: World, rehearsal: Rehearsal): Outcome {
  const { end, atMs, canaryRequests, canaryBad, weights } = rehearsal;
  const atSeconds = atMs / 1000;
  const steps = weights.map(([fromMs, weight]) => [fromMs / 1000, weight] as const);
  return { end, atSeconds, canaryRequests, canaryBad, excessBad: excessOver(world, steps, { end, atSeconds }) };
}
