// Many releases for a long time in one world under one controller: how much virtual time a minute of real time buys,
// and whether a day of windows stays right. Every invariant is asked as in any other run.

import { gatewayRouterOf } from '../core/model/place.ts';
import { samplePolicy, stage } from './sample-policy.ts';
import { CALM, type Planned, type Scenario, type ServiceScenario } from './scenario.ts';
import { HEALTHY } from './world/truth.ts';

const HOUR_MS = 3_600_000;
const DECLARED_MS = 30_000;

export interface SoakShape {
  readonly releases: number;
  readonly hours: number;
  readonly intervalMs: number;
}

/** Each release stands on its plateau under one error check for the whole time, a window every interval. */
export function soakScenario({ releases, hours, intervalMs }: SoakShape): Scenario {
  const services: ServiceScenario[] = [];
  const plan: Planned[] = [];
  for (let index = 0; index < releases; index++) {
    const name = `shop-${index}`;
    const base = samplePolicy(name, {
      ramp: { kind: 'stages', stages: [stage(5, { bakeMs: hours * HOUR_MS })] },
      intervalMs,
    });
    services.push({
      policy: { ...base, router: { ...gatewayRouterOf(base), listen: { host: '127.0.0.1', port: 8_000 + index } } },
      firstVersion: `${name}-v1`,
      truths: { [`${name}-v1`]: HEALTHY, [`${name}-v2`]: HEALTHY },
      requestsPerSecond: 50,
      traffic: { serviceMs: 50, longShare: 0, longMs: 0, ruleShare: 0 },
      lagsMs: [0],
      metricsLagMs: 0,
      gates: {},
    });
    const what = { kind: 'declare', version: `${name}-v2` } as const;
    plan.push({ when: { atMs: DECLARED_MS + index * 100 }, service: index, what });
  }
  return { name: 'soak', services, plan, faults: CALM, faultsEndMs: 0, endMs: DECLARED_MS + hours * HOUR_MS };
}
