// The decision benchmark's results as a page: ratios first, because they hold on other machines, then times of this one.
import type { KindSize } from './kinds.ts';
import type { Size } from './state-size.ts';
import { CANARY_PERCENT, CHECKS, COMPARISONS, REQUESTS_PER_WINDOW } from './subject.ts';

export interface Results {
  readonly about: {
    readonly commit: string;
    /** Whether what was measured is what that commit holds. */
    readonly isCommitted: boolean;
    readonly date: string;
    readonly node: string;
    readonly cpu: string;
    readonly loadAverage: number;
    readonly rounds: number;
    readonly windows: number;
  };
  readonly tick: {
    readonly medianMs: number;
    readonly p99Ms: number;
    readonly quietest: { readonly medianMs: number; readonly p99Ms: number };
    readonly cpuMs: number;
    readonly toJsonRoundTrip: number;
    /** To as many of them as there are comparisons. */
    readonly toNaiveZ: number;
  };
  readonly jsonRoundTripNs: number;
  readonly steps: readonly {
    readonly name: string;
    readonly ns: number;
    readonly toJsonRoundTrip: number;
    readonly toNaiveZ: number;
  }[];
  readonly release: Size;
  readonly checks: readonly KindSize[];
}

const TARGETS = { tickMs: 1, checkBytes: 1024, releaseBytes: 65_536 };

export function markdownOf(results: Results): string {
  const { about, tick } = results;
  return `# Decision benchmark

Commit ${about.commit}${about.isCommitted ? '' : ' with changes that are not committed'}, ${about.date}, Node ${about.node}, ${about.cpu}, load average ${about.loadAverage.toFixed(1)}.
Made with \`npm run bench:decision\`: ${about.rounds} rounds of ${about.windows} windows each.

A release with ${CHECKS} checks: nine of errors (one of them common, with exact factors) and latency at eight lines.
${REQUESTS_PER_WINDOW.toLocaleString('en')} requests in every window, ${CANARY_PERCENT} % of them the canary's, the same counts each time. A tick is the time from
a window's counts to the decision of the shipped \`decide()\`: evidence, verdicts, sentences, the new state.

## Ratios

| what | to a JSON round trip of the release | to a naive z-test |
|---|---|---|
${rows([
  [`a tick, all ten checks (to ${COMPARISONS} z-tests)`, three(tick.toJsonRoundTrip), three(tick.toNaiveZ)],
  ...results.steps.map((step) => [step.name, three(step.toJsonRoundTrip), three(step.toNaiveZ)]),
])}

Medians of the ratios within rounds. A JSON round trip of the release is a fixed yardstick: writing a release down costs half of
one, and is done once per window anyway. A z-test is a dozen operations, and is wrong as soon as it is looked at twice.

## Times on this machine

| what | time |
|---|---|
${rows([
  ['a tick, median', `${three(tick.medianMs)} ms (target: below ${TARGETS.tickMs})`],
  ['a tick, p99', `${three(tick.p99Ms)} ms`],
  ['processor time per window, the rehearsal itself included', `${three(tick.cpuMs)} ms`],
  ['the quietest round, median and p99', `${three(tick.quietest.medianMs)} and ${three(tick.quietest.p99Ms)} ms`],
  ['JSON round trip of the release', `${nsText(results.jsonRoundTripNs)}`],
  ...results.steps.map(({ name, ns }) => [name, nsText(ns)]),
])}

## Size

Raw: 8 bytes per number. Targets: ${TARGETS.checkBytes} bytes raw per check, cohorts aside; ${TARGETS.releaseBytes} bytes of JSON per release.

| state | raw bytes | JSON bytes |
|---|---|---|
${rows([
  ...results.checks.map(({ name, rawBytes, jsonBytes }) => [name, String(rawBytes), String(jsonBytes)]),
  ['the whole release, ten checks', String(results.release.rawBytes), String(results.release.jsonBytes)],
])}
`;
}

function rows(cells: readonly (readonly string[])[]): string {
  return cells.map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function three(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(3);
}

function nsText(ns: number): string {
  return ns >= 1e6 ? `${three(ns / 1e6)} ms` : ns >= 1e3 ? `${three(ns / 1e3)} µs` : `${three(ns)} ns`;
}
