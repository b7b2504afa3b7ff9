// The targets the project set itself, each met or not, from the figures of the run.

import { comparedRows } from './report-compared.ts';
import { equalRows, isShipped, ofKind, timesGeometric } from './report-evidence.ts';
import { number, percentText, table } from './report-format.ts';
import type { Results } from './results.ts';
import { drawScenarios, REPORTED_SEED } from './scenarios.ts';
import { type BareSummary, geometricMean, type ReleaseSummary, upperLimit } from './summary.ts';

interface Target {
  readonly what: string;
  readonly asked: string;
  readonly found: string;
  readonly isMet: boolean;
}

export function targets(results: Results): string {
  const all = [...evidenceTargets(results), ...peerTargets(results), ...sweptTargets(results)];
  return table(
    ['', 'asked', 'found', 'met'],
    all.map(({ what, asked, found, isMet }) => [what, asked, found, isMet ? 'yes' : '**no**']),
  );
}

function atMost(
  what: string,
  value: number,
  most: number,
  text: (value: number) => string = (v) => v.toFixed(2),
): Target {
  return { what, asked: `at most ${text(most)}`, found: text(value), isMet: value <= most };
}

function atLeast(what: string, value: number, least: number): Target {
  return {
    what,
    asked: `at least ${least.toFixed(1)} times`,
    found: `${value.toFixed(2)} times`,
    isMet: value >= least,
  };
}

function evidenceTargets(results: Results): readonly Target[] {
  const fair = new Set(drawScenarios(REPORTED_SEED).equal.map(({ id }) => id));
  const worst = Math.max(
    0,
    ...equalRows(results)
      .filter(({ scenario }) => fair.has(scenario.id))
      .map(({ aborted }) => upperLimit(aborted.count, aborted.of, 0.99)),
  );
  const harm = ofKind(results, 'harm');
  const bare = harm.filter((row) => !isShipped(row));
  const easy = bare.filter(({ id }) => id.endsWith('r 1') && !id.includes('share 0.01 '));
  const hard = bare.filter((row) => !easy.includes(row));
  const most = (rows: readonly BareSummary[]): number => Math.max(0, ...rows.map(({ times }) => times.mean));
  const latency = ofKind(results, 'latency');
  const hang = latency.filter(({ id }) => id.includes('hang'));
  const { same } = results;
  return [
    {
      what: 'releases that the full controller carries out as rehearsed, byte for byte',
      asked: 'all',
      found: `${same.of - same.differences.length} of ${same.of}`,
      isMet: same.of > 0 && same.differences.length === 0,
    },
    atMost('false aborts of equal versions, worst world, 99 % upper limit', worst, 0.01, percentText),
    atMost('detection, r = 1, share of 5 % and more, worst cell, times the limit', most(easy), 1.5),
    atMost('detection, r = 1.1 or share of 1 %, worst cell', most(hard), 1.65),
    atMost('detection, r = 1, share of 5 % and more, geometric mean', timesGeometric(easy), 1.35),
    atMost(
      'detection, defaults as shipped, geometric mean (no target set; 2 is shown)',
      timesGeometric(harm.filter(isShipped)),
      2,
    ),
    atMost('crash: bad answers before the deciding window, mean', most(ofKind(results, 'crash')), 2),
    atMost('no harm, worst cell, times its limit', most(ofKind(results, 'no-harm')), 1.4),
    atMost('latency beside the best line, worst but hangs', most(latency.filter((row) => !hang.includes(row))), 2),
    atMost('latency, hang', most(hang), 3.5),
  ];
}

const PEERS = ['Flagger', 'Argo', 'Kayenta'] as const;

function peerTargets(results: Results): readonly Target[] {
  const harmful = [...comparedRows(results).values()].filter(
    ([row]) => row?.scenario.truth === 'harmful' && row.scenario.latency === null,
  );
  return PEERS.flatMap((peer) => {
    const ratios = harmful.flatMap((rows) => {
      const ours = rows.find(({ contestant }) => contestant === 'Haldane default');
      const theirs = rows.find(({ contestant }) => contestant.startsWith(peer));
      return ours === undefined || theirs === undefined ? [] : [ratio(theirs.excessBad.mean, ours.excessBad.mean)];
    });
    return ratios.length === 0
      ? []
      : [
          atLeast(
            `${peer} at its documented defaults: its bad requests over ours, geometric mean`,
            geometricMean(ratios),
            10,
          ),
        ];
  });
}

function ratio(theirs: number, ours: number): number {
  return Math.max(0.5, theirs) / Math.max(0.5, ours);
}

function sweptTargets(results: Results): readonly Target[] {
  return results.swept.flatMap(({ family, reported }) => {
    const bad = reported.filter(({ scenario }) => scenario.truth === 'harmful');
    const healthy = reported.filter(({ scenario }) => scenario.truth === 'equal');
    const seconds = (row: ReleaseSummary, kind: 'abortSeconds' | 'promoteSeconds'): number =>
      row[kind]?.mean ?? row.scenario.horizonSeconds;
    const over = (rows: typeof reported, kind: 'abortSeconds' | 'promoteSeconds'): number =>
      geometricMean(rows.map(({ own, ours }) => seconds(own, kind) / seconds(ours, kind)));
    const exposure = geometricMean(bad.map(({ own, ours }) => ratio(ours.excessBad.mean, own.excessBad.mean)));
    return [
      atMost(`${family}, best single swept setting: our bad requests over its, geometric mean`, exposure, 1, number),
      atLeast(`${family}, best single swept setting: its seconds to abort over ours`, over(bad, 'abortSeconds'), 1.8),
      atLeast(
        `${family}, best single swept setting: its seconds to promotion over ours`,
        over(healthy, 'promoteSeconds'),
        1.9,
      ),
    ];
  });
}
