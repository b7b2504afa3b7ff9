// Peers by name: their documented defaults, and the grids their settings are swept over. Each sweep has about as many
// settings as Flagger's own natural grid, and each knows the true base rate ("x1.5" is a line at 1.5 times of it).
import type { Contestant, World } from '../contestant.ts';
import type { Contestants } from '../units.ts';
import type { ScenarioWorld } from '../worlds/world.ts';
import { ARGO_DEFAULT, argo } from './argo.ts';
import { FLAGGER_DEFAULT, flagger } from './flagger.ts';
import { KAYENTA_DEFAULT, kayenta } from './kayenta.ts';
import { Z_TESTS, zTest } from './z-tests.ts';

const DEFAULTS: readonly Contestant[] = [
  flagger('Flagger, documented defaults', FLAGGER_DEFAULT),
  argo('Argo, documented example', ARGO_DEFAULT),
  kayenta('Kayenta, documented defaults', KAYENTA_DEFAULT),
  ...Z_TESTS.map(([name, settings]) => zTest(name, settings)),
];

/** Lines as multiples of the base rate. */
const LINES = [1.3, 1.6, 2, 3, 5] as const;

function product<A, B>(as: readonly A[], bs: readonly B[]): readonly (readonly [A, B])[] {
  return as.flatMap((a) => bs.map((b) => [a, b] as const));
}

/** A contestant whose line is set by the world's own base rate. */
function informed(name: string, of: (baseRate: number) => Contestant): Contestant {
  return { name, run: (world: World, seed) => of((world as ScenarioWorld).scenario.stableRate).run(world, seed) };
}

const FLAGGER_SWEEP: readonly Contestant[] = product(
  product([2, 5, 10], [20, 50]),
  product([15, 30, 60], product([1, 2, 3, 5], LINES)),
).map(([[step, max], [intervalSeconds, [threshold, line]]]) =>
  informed(`Flagger step ${step} max ${max} every ${intervalSeconds} s threshold ${threshold} line x${line}`, (base) =>
    flagger('', { intervalSeconds, step, max, threshold, successPercent: 100 * (1 - base * line), p99Ms: null }),
  ),
);

const ARGO_STEPS: readonly (readonly number[])[] = [
  [5, 10, 20, 40],
  [10, 25, 50],
  [20, 40, 60, 80],
];

const ARGO_SWEEP: readonly Contestant[] = product(
  product(ARGO_STEPS, [60, 180, 600]),
  product([15, 30, 60], product([0, 1, 3], LINES)),
).map(([[stepWeights, pauseSeconds], [intervalSeconds, [failureLimit, line]]]) =>
  informed(
    `Argo steps ${stepWeights.join('/')} x ${pauseSeconds} s every ${intervalSeconds} s limit ${failureLimit} line x${line}`,
    (base) =>
      argo('', {
        stepWeights,
        pauseSeconds,
        intervalSeconds,
        failureLimit,
        successFraction: 1 - base * line,
        initialDelaySeconds: intervalSeconds,
      }),
  ),
);

const KAYENTA_SWEEP: readonly Contestant[] = product(
  product([2, 5, 10, 20], [300, 600, 1200, 1800, 3600]),
  product([1, 2, 3], product([0.95, 0.98, 0.999], [0, 0.25])),
).map(([[weightPercent, intervalSeconds], [judgements, [confidence, tolerance]]]) =>
  kayenta(
    `Kayenta ${weightPercent} % ${judgements} x ${intervalSeconds} s confidence ${confidence} tolerance ${tolerance}`,
    {
      weightPercent,
      judgements,
      intervalSeconds,
      confidence,
      tolerance,
    },
  ),
);

const ALL = new Map([...DEFAULTS, ...FLAGGER_SWEEP, ...ARGO_SWEEP, ...KAYENTA_SWEEP].map((peer) => [peer.name, peer]));

export function peerByName(name: string): Contestant {
  const peer = ALL.get(name);
  if (peer === undefined) throw new Error(`there is no contestant called ${JSON.stringify(name)}`);
  return peer;
}

export const peerNames: Contestants = {
  defaults: DEFAULTS.map(({ name }) => name),
  sweep: () => [...FLAGGER_SWEEP, ...ARGO_SWEEP, ...KAYENTA_SWEEP].map(({ name }) => name),
};
