// kubectl haldane status --wait: looks once a second until it is known what became of the version meant, and says on the
// way what it waits for.
import type { Deployment } from '../../cluster/objects.ts';
import { decisionKey, decisionLine, EXIT_CODES, type ExitMeaning, type ReleaseView } from '../../core/views/index.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import type { KubernetesClient } from './client.ts';
import { isAbsence, isForbidden } from './errors.ts';
import { type Facts, type WaitLook, type Wanted, waitLook } from './wait.ts';

export interface WaitOptions {
  readonly image: string | null;
  readonly timeoutMs: number | null;
  readonly json: boolean;
}

const LOOK_MS = 1_000;

export async function waitForVersion(
  context: Context,
  client: KubernetesClient,
  name: string,
  options: WaitOptions,
): Promise<ExitMeaning> {
  let wanted: Wanted = { image: options.image, revision: null };
  let last: { readonly look: WaitLook; readonly view: ReleaseView } | null = null;
  let said = '';
  const startMs = client.wallMs;
  for (let waitedMs = 0; ; waitedMs += LOOK_MS) {
    const facts = await unlessAway(factsOf(client, name));
    if (facts !== null) {
      const look = waitLook(facts, wanted);
      wanted = look.wanted;
      last = { look, view: facts.view };
      if (look.end !== null) return finish(context, options, { ...last, end: look.end });
      const line = lineOf(context, look, facts.view);
      if (line.key !== said && !options.json) context.say(line.text);
      said = line.key;
    }
    // A slow API server takes of the time too.
    if (options.timeoutMs !== null && Math.max(waitedMs, client.wallMs - startMs) >= options.timeoutMs) break;
    await client.sleep(LOOK_MS);
  }
  const look = last?.look ?? { wanted, end: null, sentence: 'the API server did not answer' };
  return finish(context, options, { look, view: last?.view ?? null, end: EXIT_CODES.deadline });
}

/** null: the API server does not answer just now. */
async function unlessAway<T>(looking: Promise<T>): Promise<T | null> {
  try {
    return await looking;
  } catch (error) {
    if (isAbsence(error)) return null;
    throw error;
  }
}

function lineOf(context: Context, { wanted, sentence }: WaitLook, view: ReleaseView) {
  const isFollowed = wanted.revision !== null && view.release?.toRevision === wanted.revision;
  if (!isFollowed) return { key: sentence, text: sentence };
  return { key: decisionKey(view), text: decisionLine(view, context.offsetMinutes) };
}

async function factsOf(client: KubernetesClient, name: string): Promise<Facts> {
  const policy = await client.policyObject(name);
  const view = await client.policy(name);
  if (policy === null || view === null) {
    throw new CliError(`there is no policy "${name}"`, { code: 'policy-unknown', path: name, fix: 'haldane status' });
  }
  return { policy, view, deployment: await deploymentOf(client, policy) };
}

async function deploymentOf(client: KubernetesClient, policy: Facts['policy']): Promise<Deployment | null> {
  const { api, kinds } = client.cluster;
  const { namespace = '' } = policy.metadata;
  const at = { namespace, name: policy.spec?.workload?.deployment?.name ?? '' };
  try {
    return await api.get<Deployment>(kinds.deployments, at);
  } catch (error) {
    if (!isForbidden(error)) throw error;
    throw new CliError(`to wait for a version takes the right to read Deployments in ${namespace}`, {
      code: 'forbidden',
      path: namespace,
      fix: `kubectl create rolebinding view -n ${namespace} --clusterrole=view --user=NAME`,
      cause: error,
    });
  }
}

function finish(
  context: Context,
  { json }: WaitOptions,
  found: { readonly look: WaitLook; readonly view: ReleaseView | null; readonly end: ExitMeaning },
): ExitMeaning {
  const { look, view, end } = found;
  const word = end === EXIT_CODES.deadline && look.end === null ? 'timed out' : end.word;
  const { sentence } = look;
  if (json) {
    const release = view?.release?.toRevision === look.wanted.revision ? (view?.release?.id ?? null) : null;
    context.print(JSON.stringify({ exitCode: end.code, outcome: word, sentence, release, view }));
  } else context.print(`${word}: ${sentence}`);
  return end;
}
