/**
 * What a field means on Kubernetes, where that is not what it means on one machine. `kubectl explain` shows these in place of
 * the schema's own words, and an error about a missing field gives these examples. It says nothing of any other field.
 */
import type { Json } from './fields.ts';

export interface ClusterWords {
  /** The whole text, with what happens when the field is left out. */
  readonly description?: string;
  readonly example?: Json;
  /** It has a default on one machine and must be written on Kubernetes. */
  readonly mustBeWritten?: true;
}

const SPEC_EXAMPLE: Json = {
  workload: { deployment: { name: 'shop' } },
  router: { replicaShare: { service: 'shop' } },
  metrics: { pods: {} },
};

const APPROVAL = { description: 'What is approved; `kubectl haldane approve` names it. Unique in the policy.' };

/** By path, as in `spec.stages[].weight`. */
export const CLUSTER_WORDS: Readonly<Record<string, ClusterWords>> = {
  spec: { example: SPEC_EXAMPLE },
  'spec.workload': { description: 'What is released.', example: { deployment: { name: 'shop' } } },
  'spec.router': { example: { replicaShare: { service: 'shop' } }, mustBeWritten: true },
  'spec.metrics': {
    description: 'Where measurements come from. What is measured stands in `spec.checks`.',
    example: { pods: {} },
    mustBeWritten: true,
  },
  'spec.stages[].gates[].approval.name': APPROVAL,
  'spec.ramp.gates[].approval.name': APPROVAL,
  'spec.checks[].metric.count.event': {
    description:
      'What is counted per second of replica life: `restarts` of containers, or `oomKills`, those for memory. `throttledPeriods` are refused: only recorded data has them.',
  },
  'spec.checks[].tolerance': {
    description:
      'Largest harm accepted against stable. Left out: ratio 1.1 and the margin of the metric; with a limit, or with the rule of a peer, stable is not compared.',
  },
  'spec.checks[].tolerance.margin': {
    description:
      'The margin delta: and worse by this on top; harmless is p_canary <= r x p_stable + delta. A share of requests, or for a count a rate per replica: 1/h is one more event per hour of a replica, which about 4.2 replica-hours without any event prove. Above 0: at zero errors a ratio alone could never be proven. Left out: 0.2% for errors, 1% for latency, 1/h for restarts and oomKills.',
  },
  'spec.checks[].limit': {
    description: 'An absolute line, whatever stable does. Left out: there is no absolute line.',
  },
  'spec.checks[].limit.above': {
    description: 'Harm is a value above this line: percent for errors, a duration for latency.',
  },
  'spec.checks[].limit.below': {
    description: 'Harm is a value below this line. No metric of Kubernetes takes it: of all of them more is harm.',
    example: '1%',
  },
  'spec.checks[].direction': {
    description: 'Which way is harm. Of all metrics of Kubernetes more is. Left out: increase.',
  },
  'spec.userKey': {
    description:
      'Refused: no router of Kubernetes reads the key of a user. With `router.gatewayApi`, affinity keeps the version first given.',
  },
  'spec.affinity': {
    description: 'Keep the version first given by a cookie that the owned route sets. Left out: no cookie is set.',
  },
  'spec.affinity.cookie': { description: 'Name of the cookie that the owned route sets.' },
  'spec.canary': { description: 'Capacity of the canary. Left out: minReplicas 1, ratio 1.' },
  'spec.notify[].log': { description: "Write to the operator's log. Written `log: {}`." },
};
