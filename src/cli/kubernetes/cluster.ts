// A cluster as the command line is given it: an API server with the rights of the person who asks, and what only adapters
// know how to do. And the fields of custom resources that are read here; what a newer operator wrote beside them is left.
import type { Condition } from '../../cluster/objects.ts';
import type { PodTemplate } from '../../cluster/revision.ts';
import type { Check } from '../../core/model/check.ts';
import type { ReleasePolicy } from '../../core/model/policy.ts';
import type { Detection } from '../../core/views/index.ts';
import type { KubeApi, KubeObject, Resource } from '../../kubernetes/index.ts';
import type { JournalEntry } from '../../ports/index.ts';

export interface Kinds {
  readonly policies: Resource;
  readonly releases: Resource;
  readonly commands: Resource;
  readonly deployments: Resource;
  readonly replicaSets: Resource;
  readonly pods: Resource;
  readonly services: Resource;
  readonly routes: Resource;
  readonly configMaps: Resource;
  readonly leases: Resource;
  readonly mutatingPolicies: Resource;
  readonly mutatingBindings: Resource;
  readonly validatingPolicies: Resource;
  readonly validatingBindings: Resource;
}

export interface Adopted {
  /** For the policy: router.gatewayApi.route. */
  readonly route: object;
  readonly name: string;
  /** false: it was there already. */
  readonly isNew: boolean;
  /** The route whose rules for this Service its owner takes out next. */
  readonly replaces: string;
}

export interface Cluster {
  readonly api: KubeApi;
  readonly kinds: Kinds;
  /** As asked, else of the context. */
  readonly namespace: string;
  /** Where it is, for people. */
  readonly server: string;
  readonly version: string;
  /** The policy's adopted route becomes an owned one; `name` is the new route's, null for one made from the old. */
  readonly adopt: (policy: ReleasePolicy, name: string | null) => Promise<Adopted>;
  /** What the data plane cannot do of what the policy asks; null: nobody says that. */
  readonly whyNotRouted: (policy: ReleasePolicy) => Promise<string | null>;
  /** How soon a check would see harm, at this traffic. */
  readonly detect: (
    policy: ReleasePolicy,
    check: Check,
    baseline: { readonly perSecond: number; readonly badRate: number | null },
  ) => Detection;
}

export interface PolicyObject extends KubeObject {
  readonly spec?: { readonly workload?: { readonly deployment?: { readonly name?: string } } };
  readonly status?: {
    readonly view?: string;
    readonly observedGeneration?: number;
    readonly revision?: string | null;
    readonly suspended?: boolean;
    readonly conditions?: readonly Condition[];
    readonly workload?: { readonly deployment?: string; readonly observedGeneration?: number } | null;
    readonly record?: PolicyRecord;
  };
}

/** What is decided and not yet written to its own object, and the end of the journal. */
export interface PolicyRecord {
  readonly chain?: { readonly sequence: number; readonly hash: string };
  readonly tail?: readonly JournalEntry[];
  readonly pending?: {
    readonly releases?: readonly {
      readonly id: string;
      readonly document: string | null;
      readonly journal?: readonly JournalEntry[];
    }[];
  };
}

export interface ReleaseObject extends KubeObject {
  readonly spec?: {
    readonly policy?: string;
    readonly number?: number;
    readonly revision?: string;
    readonly label?: string;
    readonly template?: PodTemplate;
  };
  readonly status?: {
    readonly document?: string;
    readonly journal?: readonly JournalEntry[];
    readonly trace?: string;
    readonly phase?: string;
    readonly outcome?: string;
    readonly sentence?: string;
    readonly startedAt?: string;
    readonly endedAt?: string;
  };
}

export interface CommandObject extends KubeObject {
  readonly spec?: { readonly policy?: string; readonly verb?: string; readonly actor?: string };
  readonly status?: { readonly accepted?: boolean; readonly message?: string };
}
