// A Deployment whose template waits for a policy that goes and never released anything of it: nobody else would ever let it
// go. One that another policy names or releases is left to that one (row 63), and what was released is handed back, not this.
import { givenBack } from '../../../cluster/marks.ts';
import type { Deployment } from '../../../cluster/objects.ts';
import { writeMarks } from '../../../cluster/write-marks.ts';
import { DEPLOYMENTS, type KubeApi } from '../../../kubernetes/index.ts';
import { factsIn, lastVersion, namedDeployment, ownDeployment, type PolicyResource } from './documents.ts';
import type { StoreCaches } from './policies.ts';

/** Idempotent. */
export async function letGo(
  { api, caches }: { readonly api: KubeApi; readonly caches: StoreCaches },
  going: PolicyResource,
): Promise<void> {
  const { namespace } = going.metadata;
  const at = { namespace, name: namedDeployment(going) };
  const facts = factsIn(going);
  const isHandedBack = lastVersion(facts) !== null && (ownDeployment(facts) ?? at.name) === at.name;
  if (at.name === '' || isHandedBack || others(caches, going).some((policy) => has(policy, at.name))) return;
  const live = await api.get<Deployment>(DEPLOYMENTS, at);
  if (live === null) return;
  const noteWritten = (written: Deployment) => caches.deployments.noteWritten(written);
  await writeMarks({ api, noteWritten }, live, givenBack(live, null));
}

function others(caches: StoreCaches, { metadata }: PolicyResource): readonly PolicyResource[] {
  const policies = caches.policies.list(metadata.namespace) as readonly PolicyResource[];
  return policies.filter((policy) => policy.metadata.uid !== metadata.uid);
}

/** One that goes as well, and has nothing to give back, has it no longer: of two such, each lets go. */
function has(policy: PolicyResource, deployment: string): boolean {
  const isNamed = namedDeployment(policy) === deployment;
  try {
    const facts = factsIn(policy);
    const isGoing = policy.metadata.deletionTimestamp !== undefined && lastVersion(facts) === null;
    return !isGoing && (isNamed || ownDeployment(facts) === deployment);
  } catch {
    // A record that this program cannot read is that of another policy: it holds up nothing but what that one names (row 68).
    return isNamed;
  }
}
