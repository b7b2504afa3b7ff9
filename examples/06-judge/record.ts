// How the data of this example was made: a service at 100 requests a second, a canary at 10 %, windows of ten seconds.
// Twenty of them are from before the canary. Run it again and the same files come out.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom, type Random } from '../../src/core/statistics/index.ts';

const START_MS = Date.parse('2026-05-04T09:00:00Z');
const STEP_SECONDS = 10;
const PAST_WINDOWS = 20;
const WINDOWS = 90;
const PER_WINDOW = 1_000;
const WEIGHT = 10;
/** Parts of the requests that are faster than so many seconds. */
const FASTER = [
  [0.05, 0.3],
  [0.1, 0.7],
  [0.25, 0.95],
  [0.5, 0.99],
  [1, 0.999],
] as const;

interface Counted {
  readonly window: number;
  readonly version: 'v1' | 'v2';
  readonly total: number;
  readonly bad: number;
  readonly cumulative: readonly number[];
}

function* recorded(seed: string, canaryErrorRate: number): Generator<Counted> {
  const random = createRandom(seed);
  for (let window = 0; window < PAST_WINDOWS + WINDOWS; window++) {
    const canary = window < PAST_WINDOWS ? 0 : random.binomial(PER_WINDOW, WEIGHT / 100);
    yield counted(random, { window, version: 'v1', total: PER_WINDOW - canary, errorRate: 0.002 });
    if (canary > 0) yield counted(random, { window, version: 'v2', total: canary, errorRate: canaryErrorRate });
  }
}

function counted(random: Random, of: Pick<Counted, 'window' | 'version' | 'total'> & { errorRate: number }): Counted {
  let left = of.total;
  let before = 0;
  const cumulative = FASTER.map(([, part]) => {
    left -= random.binomial(left, (part - before) / (1 - before));
    before = part;
    return of.total - left;
  });
  return { ...of, bad: random.binomial(of.total, of.errorRate), cumulative };
}

function csv(seed: string, canaryErrorRate: number): string {
  const header = ['time', 'version', 'weight', 'total', 'bad', ...FASTER.map(([seconds]) => `le_${seconds}`)];
  const rows = [...recorded(seed, canaryErrorRate)].map(({ window, version, total, bad, cumulative }) => {
    const time = new Date(START_MS + window * STEP_SECONDS * 1_000).toISOString().replace('.000', '');
    return [time, version, window < PAST_WINDOWS ? '' : WEIGHT, total, bad, ...cumulative].join(',');
  });
  return `${[header.join(','), ...rows].join('\n')}\n`;
}

/** The raw counters of the same requests, as Prometheus answers them; stable's process restarts in the middle. */
function prometheus(seed: string, canaryErrorRate: number): string {
  const series = new Map<string, [number, string][]>();
  const sums = new Map<string, number>();
  for (const { window, version, total, bad } of recorded(seed, canaryErrorRate)) {
    const atSeconds = START_MS / 1_000 + window * STEP_SECONDS;
    for (const [code, count] of [
      ['200', total - bad],
      ['500', bad],
    ] as const) {
      const key = `${version}/${code}`;
      const values = series.get(key) ?? [[atSeconds, '0']];
      series.set(key, values);
      const before = version === 'v1' && window === PAST_WINDOWS + WINDOWS / 2 ? 0 : (sums.get(key) ?? 0);
      sums.set(key, before + count);
      values.push([atSeconds + STEP_SECONDS, String(before + count)]);
    }
  }
  const result = [...series].map(([key, values]) => {
    const [version, code] = key.split('/');
    return {
      metric: { __name__: 'http_requests_total', job: 'shop', instance: `${version}:9000`, version, code },
      values,
    };
  });
  return `${JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } })}\n`;
}

const folder = import.meta.dirname;
writeFileSync(join(folder, 'good.csv'), csv('good', 0.002));
writeFileSync(join(folder, 'harmful.csv'), csv('harmful', 0.02));
writeFileSync(join(folder, 'harmful-counters.json'), prometheus('harmful', 0.02));
