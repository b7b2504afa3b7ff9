// Which of the recorded versions is stable and which is the canary: as said, or as they are called, never guessed.
import { nearestName } from '../../core/model/nearest.ts';
import { CliError } from '../errors.ts';
import type { ReadData } from './recorded.ts';

export interface Compared {
  readonly stable: string;
  readonly canary: string;
}

export interface Named {
  readonly stable: string | null;
  readonly canary: string | null;
}

export function comparedVersions(reads: readonly ReadData[], named: Named): Compared {
  const versions = [...new Set(reads.flatMap(({ parts }) => parts.map(({ version }) => version)))].sort();
  const stable = pick('stable', named.stable ?? saidBy(reads, 'stable'), versions);
  const canary = pick('canary', named.canary ?? saidBy(reads, 'canary'), versions);
  // With two versions in all, naming one names the other.
  const rest = (known: string) => (versions.length === 2 ? versions.find((each) => each !== known) : undefined);
  const chosen = {
    stable: stable ?? (canary === null ? undefined : rest(canary)),
    canary: canary ?? (stable === null ? undefined : rest(stable)),
  };
  if (chosen.stable === undefined || chosen.canary === undefined) {
    const [a = 'v1', b = 'v2'] = versions;
    throw new CliError('which version is stable, and which is the canary?', {
      code: 'versions',
      path: chosen.stable === undefined ? '--stable' : '--canary',
      fix: `the data has ${versions.join(', ') || 'no version'}: write --stable ${a} --canary ${b}`,
    });
  }
  if (chosen.stable !== chosen.canary) return { stable: chosen.stable, canary: chosen.canary };
  throw new CliError('one version cannot be both', { code: 'versions', path: '--canary', fix: 'name two versions' });
}

function saidBy(reads: readonly ReadData[], role: keyof Named): string | null {
  return reads.find((read) => read[role] !== null)?.[role] ?? null;
}

/** A version of which the data has nothing is no mistake but no data; unless its name is nearly one that is there. */
function pick(role: keyof Named, wanted: string | null, versions: readonly string[]): string | null {
  if (wanted === null) return versions.includes(role) ? role : null;
  if (versions.includes(wanted) || versions.length < 2) return wanted;
  const known = `the data has ${versions.join(', ')}`;
  const near = nearestName(wanted, versions);
  throw new CliError(`there is no version "${wanted}" in the data`, {
    code: 'versions',
    path: `--${role}`,
    fix: near === undefined ? known : `did you mean ${near}? (${known})`,
  });
}
