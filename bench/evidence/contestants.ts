// Contestants by name, so that a unit of work can be sent to another thread.
import type { Contestant } from './contestant.ts';
import { HALDANE, haldane } from './haldane.ts';
import { peerByName } from './peers/index.ts';

export function contestantByName(name: string): Contestant {
  const ours = HALDANE.find((settings) => settings.name === name);
  return ours === undefined ? peerByName(name) : haldane(ours);
}
