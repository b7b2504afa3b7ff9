// What became of the version that somebody just wrote into a Deployment: the recipe for CI that does not race. A status is
// only believed when it is of the Deployment's newest generation, and only for the very template that was meant: whoever
// applies and asks at once is not told of the version before.
import type { Deployment } from '../../cluster/objects.ts';
import { lockOf } from '../../cluster/places.ts';
import { templateRevision } from '../../cluster/revision.ts';
import { EXIT_CODES, type ExitMeaning, exitOf, outcomeSentence, type ReleaseView } from '../../core/views/index.ts';
import type { PolicyObject } from './cluster.ts';

export interface Wanted {
  /** As it stands in the Deployment, e.g. "app:v2"; null: whatever stands there. */
  readonly image: string | null;
  /** Of its template, once that was seen. */
  readonly revision: string | null;
}

export interface Facts {
  readonly policy: PolicyObject;
  readonly deployment: Deployment | null;
  readonly view: ReleaseView;
}

export interface WaitLook {
  readonly wanted: Wanted;
  /** null: it goes on. */
  readonly end: ExitMeaning | null;
  readonly sentence: string;
}

export function waitLook(facts: Facts, before: Wanted): WaitLook {
  const wanted = before.revision === null ? seen(facts, before) : before;
  if (wanted.revision === null) return { wanted, end: null, sentence: notYet(facts, wanted) };
  const { end, sentence } = endOf(facts, wanted.revision);
  return { wanted, end, sentence };
}

/** While another version is restored its template stands in the place of the owner's. */
function isOwners(deployment: Deployment): boolean {
  return lockOf(deployment)?.verb !== 'restore';
}

function seen({ deployment }: Facts, wanted: Wanted): Wanted {
  if (deployment === null || !isOwners(deployment)) return wanted;
  const { template } = deployment.spec;
  const images = template.spec.containers.map(({ image = '' }) => image);
  const isMeant = wanted.image === null || images.some((image) => isImage(image, wanted.image ?? ''));
  return isMeant ? { ...wanted, revision: templateRevision(template) } : wanted;
}

/** "app:v2" is "registry.example/team/app:v2" too; a tag with its digest is the tag. */
function isImage(image: string, wanted: string): boolean {
  const [named = ''] = image.split('@');
  return [image, named].some((each) => each === wanted || each.endsWith(`/${wanted}`));
}

function notYet({ deployment, policy }: Facts, { image }: Wanted): string {
  const name = policy.spec?.workload?.deployment?.name ?? '';
  if (deployment === null) return `waits for Deployment ${name}`;
  if (!isOwners(deployment)) return `waits until Deployment ${name} has its owner's template again`;
  return `waits for ${image} in Deployment ${name}`;
}

type End = Pick<WaitLook, 'end' | 'sentence'>;

function endOf(facts: Facts, revision: string): End {
  const { policy, deployment, view } = facts;
  const { release } = view;
  const headline = view.headline;
  const goesOn: End = { end: null, sentence: headline };
  const refused = policy.status?.conditions?.find(
    ({ type, reason }) => type === 'Stalled' && reason === 'PolicyRefused',
  );
  if (refused?.status === 'True')
    return { end: EXIT_CODES.other, sentence: refused.message ?? 'the policy is refused' };
  const isTheirs =
    deployment === null || (isOwners(deployment) && templateRevision(deployment.spec.template) !== revision);
  if (!isTheirs && !isObserved(policy, deployment)) {
    return { end: null, sentence: 'the operator has not seen the newest template yet' };
  }
  if (release?.toRevision === revision) {
    const end = exitOf(view, release.id);
    return {
      end,
      sentence: end !== null && release.outcome !== null ? outcomeSentence(release, view.evidence) : headline,
    };
  }
  if (policy.status?.revision === revision && (release === null || release.phase === 'ended')) {
    return { end: EXIT_CODES.promoted, sentence: headline };
  }
  if (isTheirs)
    return { end: EXIT_CODES.superseded, sentence: 'another template has taken its place in the Deployment' };
  if (view.policy.waiting?.revision === revision && view.needs !== null) {
    return { end: EXIT_CODES.waiting, sentence: `${view.policy.waiting.sentence}: it waits for ${view.needs}` };
  }
  return goesOn;
}

function isObserved({ status }: PolicyObject, deployment: Deployment): boolean {
  return (status?.workload?.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0);
}
