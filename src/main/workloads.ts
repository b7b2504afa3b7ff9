// Every kind of workload behind one port, chosen by the policy. Refuses kinds it does not know.
import type { ReleasePolicy } from '../core/model/policy.ts';
import { HaldaneError } from '../lib/errors.ts';
import type { Workload } from '../ports/index.ts';

/** Only `haldane operator` releases Deployments, and only `haldane up` runs processes. */
export class WorkloadElsewhere extends HaldaneError {
  constructor(kind: string) {
    super(`a workload of the kind "${kind}" is not released by this program`, {
      code: 'workload-elsewhere',
      path: 'spec.workload',
      fix: kind === 'deployment' ? 'kubectl apply it; haldane operator releases it' : 'haldane up releases it',
    });
  }
}

/** The kinds that can be had where this runs. */
export type WorkloadKinds = Readonly<Partial<Record<ReleasePolicy['workload']['kind'], Workload>>>;

/**
 * A version that was run by another kind before the policy changed is still seen and retired: all kinds are asked what
 * they have of a policy, and each is told to retire what it has.
 */
export function workloadsByKind(kinds: WorkloadKinds): Workload {
  const of = (policy: ReleasePolicy) => {
    const kind = kinds[policy.workload.kind];
    if (kind === undefined) throw new WorkloadElsewhere(policy.workload.kind);
    return kind;
  };
  const others = (policy: ReleasePolicy) => Object.values(kinds).filter((kind) => kind !== of(policy));
  return {
    observe: async (policy) => {
      const own = await of(policy).observe(policy);
      const left = await Promise.all(others(policy).map((kind) => kind.observe(policy).catch(nothingElsewhere)));
      return { ...own, versions: [...own.versions, ...left.flatMap(({ versions }) => versions)] };
    },
    ensure: (policy, wanted) => of(policy).ensure(policy, wanted),
    retire: async (policy, revisions) => {
      await Promise.all(Object.values(kinds).map((kind) => kind.retire(policy, revisions)));
    },
    handBack: async (policy, stable) => of(policy).handBack?.(policy, stable),
    watch: (policy, changed) => {
      const stops = Object.values(kinds).map((kind) => kind.watch(policy, changed));
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}

/** A kind that cannot work on this machine at all has nothing; every other error is no absence (row 71). */
function nothingElsewhere(error: unknown): { versions: [] } {
  if (error instanceof HaldaneError && error.code === 'needs-linux') return { versions: [] };
  throw error;
}
