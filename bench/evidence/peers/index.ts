// Peers by name: their documented defaults, and every setting of their sweeps (grids.ts).
import type { Contestant } from '../contestant.ts';
import type { Contestants } from '../units.ts';
import type { ScenarioWorld } from '../worlds/world.ts';
import { ARGO_DEFAULT, argo } from './argo.ts';
import { FLAGGER_DEFAULT, flagger } from './flagger.ts';
import { ARGO_GRID, FLAGGER_GRID, KAYENTA_GRID, type Swept } from './grids.ts';
import { KAYENTA_DEFAULT, kayenta } from './kayenta.ts';
import { Z_TESTS, zTest } from './z-tests.ts';

const DEFAULTS: readonly Contestant[] = [
  flagger('Flagger, documented defaults', FLAGGER_DEFAULT),
  argo('Argo, documented example', ARGO_DEFAULT),
  kayenta('Kayenta, documented defaults', KAYENTA_DEFAULT),
  ...Z_TESTS.map(([name, settings]) => zTest(name, settings)),
];

const SWEPT: readonly Contestant[] = [
  ...FLAGGER_GRID.map((swept) => informed(swept, flagger)),
  ...ARGO_GRID.map((swept) => informed(swept, argo)),
  ...KAYENTA_GRID.map((swept) => informed(swept, kayenta)),
];

/** A contestant whose limit is set by the world's own base rate. */
function informed<S>({ name, settings }: Swept<S>, of: (name: string, settings: S) => Contestant): Contestant {
  const made = new Map<number, Contestant>();
  return {
    name,
    run(world, seed) {
      const rate = (world as ScenarioWorld).scenario.stableRate;
      const contestant = made.get(rate) ?? of(name, settings(rate));
      made.set(rate, contestant);
      return contestant.run(world, seed);
    },
  };
}

const ALL = new Map([...DEFAULTS, ...SWEPT].map((peer) => [peer.name, peer]));

export function peerByName(name: string): Contestant {
  const peer = ALL.get(name);
  if (peer === undefined) throw new Error(`there is no contestant called ${JSON.stringify(name)}`);
  return peer;
}

export const peerNames: Contestants = {
  defaults: DEFAULTS.map(({ name }) => name),
  sweep: () => SWEPT.map(({ name }) => name),
};
