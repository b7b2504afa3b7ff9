// The mark every process of a replica carries in its environment: <state id>/<policy>/<revision>/<slot>.<launch>.
// Children inherit it, so whatever a replica leaves behind can be found, and what nobody registered is an orphan.
import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { readTextFile, writeFileAtomic } from '../../../lib/atomic-file.ts';
import { type ProcessIdentity, processesWithEnvironment, signalProcess } from '../../../lib/proc.ts';
import { randomId } from '../../../lib/random-id.ts';

export const MARKER = 'HALDANE_REPLICA';

/**
 * Who we are, in marks: a random part, so that another folder of the same name (in a container that shares our
 * processes) is not us, and the folder's path, so that a copy of it is not us either.
 */
export function stateId(root: string): string {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const path = join(root, 'id');
  let random = readTextFile(path)?.trim();
  if (random === undefined || random === '') {
    random = randomId();
    writeFileAtomic(path, `${random}\n`);
  }
  return `${random}-${createHash('sha256').update(realpathSync(root)).digest('hex').slice(0, 12)}`;
}

export interface Marked {
  readonly identity: ProcessIdentity;
  readonly policy: string;
  readonly revision: string;
  readonly launch: string;
}

/** Every living process that carries our mark. */
export function markedProcesses(id: string): readonly Marked[] {
  const found: Marked[] = [];
  for (const { identity, value } of processesWithEnvironment(MARKER)) {
    const [owner, policy, revision, replica] = value.split('/');
    const launch = replica?.slice(replica.indexOf('.') + 1);
    if (owner === id && policy !== undefined && revision !== undefined && launch !== undefined) {
      found.push({ identity, policy, revision, launch });
    }
  }
  return found;
}

/** What is left of one launch: its process, its children, whatever inherited the mark. */
export function processesOfLaunch(id: string, launch: string): readonly ProcessIdentity[] {
  return markedProcesses(id)
    .filter((marked) => marked.launch === launch)
    .map((marked) => marked.identity);
}

/** Ends every marked process whose launch is not registered and that is not spared. Returns them, for the log. */
export function endOrphans(
  id: string,
  known: { readonly launches: ReadonlySet<string>; readonly isSpared: (policy: string) => boolean },
): readonly Marked[] {
  const orphans = markedProcesses(id).filter(
    ({ launch, policy }) => !known.launches.has(launch) && !known.isSpared(policy),
  );
  for (const orphan of orphans) signalProcess(orphan.identity, 'SIGKILL');
  return orphans;
}
