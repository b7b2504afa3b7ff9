// Asks a Prometheus for raw counters over a range of the past. It only reads, and refuses queries that have already made
// rates or sums of the counters.
import { type CounterBody, readBody } from './prometheus-body.ts';
import { badData } from './recorded.ts';

export interface RangeQuery {
  readonly address: string;
  readonly query: string;
  /** Named in errors: --query-total and so on. */
  readonly option: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

const MOST_POINTS = 11_000;
const TIMEOUT_MS = 30_000;
const MADE =
  /\b(rate|irate|increase|delta|idelta|deriv|sum|avg|max|min|count|topk|histogram_quantile)\s*(?:by\s*\(|without\s*\(|\()/i;

export async function queryRange(range: RangeQuery): Promise<CounterBody> {
  const { address, query, option, startMs, endMs, stepMs } = range;
  const place = { file: option, line: null };
  const made = MADE.exec(query)?.[1];
  if (made !== undefined) {
    throw badData(
      place,
      `${made}() loses the counts`,
      'ask for the raw counter alone: increases and sums are made here',
    );
  }
  if ((endMs - startMs) / stepMs > MOST_POINTS) {
    const least = Math.ceil((endMs - startMs) / MOST_POINTS / 1_000);
    throw badData({ file: '--step', line: null }, `that is more than ${MOST_POINTS} windows`, `write --step ${least}s`);
  }
  const url = new URL(`${address.replace(/\/$/, '')}/api/v1/query_range`);
  const body = new URLSearchParams({
    query,
    start: String(startMs / 1_000),
    end: String(endMs / 1_000),
    step: String(stepMs / 1_000),
  });
  let response: Response;
  try {
    response = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    const cause = (error as { cause?: Error }).cause?.message ?? (error as Error).message;
    throw badData({ file: '--prometheus', line: null }, `${address} does not answer: ${cause}`, 'is it its address?');
  }
  const answer: unknown = await response.json().catch(() => null);
  if (answer === null) {
    const problem = `${address} answered with status ${response.status} and no JSON`;
    throw badData({ file: '--prometheus', line: null }, problem, 'name the address under which /api/v1 is found');
  }
  return readBody(answer, option);
}
