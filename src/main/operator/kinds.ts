// Every kind of router and of metric source that a cluster has, behind one port each, chosen by the policy. It refuses kinds
// that it does not know.
import type { MetricsFrom, ReleasePolicy } from '../../core/model/policy.ts';
import { HaldaneError } from '../../lib/errors.ts';
import type { MetricSource, Router } from '../../ports/index.ts';

export class KindElsewhere extends HaldaneError {
  constructor(path: string, kind: string) {
    super(`"${kind}" is not had on Kubernetes`, {
      code: 'kind-elsewhere',
      path,
      fix: 'kubectl haldane explain spec lists what is',
    });
  }
}

type RouterKinds = Readonly<Partial<Record<ReleasePolicy['router']['kind'], Router>>>;

export function routersByKind(kinds: RouterKinds): Router {
  const of = ({ router }: ReleasePolicy): Router => {
    const kind = kinds[router.kind];
    if (kind === undefined) throw new KindElsewhere('spec.router', router.kind);
    return kind;
  };
  const first = Object.values(kinds)[0];
  if (first === undefined) throw new Error('there is no router');
  return {
    capabilities: first.capabilities,
    ensure: async (policy, split, backends) => of(policy).ensure(policy, split, backends),
    observe: async (policy) => of(policy).observe(policy),
    inFlight: async (policy) => of(policy).inFlight(policy),
    handBack: async (policy) => of(policy).handBack?.(policy),
    watch: (policy, changed) => of(policy).watch(policy, changed),
  };
}

type SourceKinds = Readonly<Partial<Record<MetricsFrom['kind'], MetricSource>>>;

export function sourcesByKind(kinds: SourceKinds): MetricSource {
  const of = ({ metrics }: ReleasePolicy): MetricSource => {
    const kind = kinds[metrics.kind];
    if (kind === undefined) throw new KindElsewhere('spec.metrics', metrics.kind);
    return kind;
  };
  return {
    measure: async (query) => of(query.policy).measure(query),
    history: async (query) => of(query.policy).history(query),
  };
}
