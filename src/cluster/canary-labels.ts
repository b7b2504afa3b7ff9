// Whose a canary's Deployment is and which version it runs. A label that somebody took off the Deployment is still on its
// template, and there it stays: it selects the pods. So a hand at the labels never hides a canary from the way back (I3).
import { LABEL } from './names.ts';
import type { Deployment } from './objects.ts';

export function isCanaryOf(deployment: Deployment, policy: string): boolean {
  return labelOf(deployment, LABEL.policy) === policy;
}

export function canaryRevision(deployment: Deployment): string {
  return labelOf(deployment, LABEL.revision) ?? '';
}

function labelOf({ metadata, spec }: Deployment, label: string): string | undefined {
  return metadata.labels?.[label] ?? spec.template.metadata?.labels?.[label];
}
