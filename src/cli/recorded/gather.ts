// Everything the command line names as data, read: files of all forms together, or one Prometheus asked. Refuses a mix
// that could count a request twice.
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import type { CounterBody } from './prometheus-body.ts';
import { queryRange } from './prometheus-live.ts';
import { type PrometheusOptions, readPrometheusParts } from './prometheus-parts.ts';
import { type Format, readDataFile } from './read-file.ts';
import type { ReadData } from './recorded.ts';
import { parseMoment } from './times.ts';

export interface GatherOptions {
  readonly data?: readonly string[];
  readonly dataBad?: readonly string[];
  readonly format?: Format;
  /** Milliseconds. */
  readonly step: number;
  readonly versionLabel?: string;
  readonly replicaLabel?: string;
  readonly badWhen?: string;
  readonly prometheus?: string;
  readonly queryTotal?: string;
  readonly queryBad?: string;
  readonly queryLatency?: string;
  readonly start?: string;
  readonly end?: string;
}

export interface Gathered {
  readonly reads: readonly ReadData[];
  readonly notes: readonly string[];
  readonly stepMs: number | null;
}

export async function gather(context: Context, options: GatherOptions): Promise<Gathered> {
  const reads = options.prometheus === undefined ? fromFiles(context, options) : await fromPrometheus(options);
  return {
    reads,
    notes: reads.flatMap(({ notes }) => notes),
    stepMs: reads.find(({ stepMs }) => stepMs !== null)?.stepMs ?? null,
  };
}

function fromFiles(context: Context, options: GatherOptions): ReadData[] {
  const files = options.data ?? [];
  if (files.length === 0) {
    const fix = 'haldane judge --data windows.csv, or --prometheus http://127.0.0.1:9090 with --query-total';
    throw usage('--data', 'say which data is judged', fix);
  }
  const reading = { cwd: context.cwd, format: options.format ?? null, rawStepMs: options.step };
  const reads: ReadData[] = [];
  const total: CounterBody[] = [];
  for (const file of files) {
    const content = readDataFile(file, reading);
    if (content.kind === 'data') reads.push(content.data);
    else total.push(content.body);
  }
  const bad = (options.dataBad ?? []).map((file) => {
    const content = readDataFile(file, { ...reading, format: 'prometheus' });
    if (content.kind === 'counters') return content.body;
    throw usage('--data-bad', 'it is no answer of Prometheus', 'give what /api/v1/query_range answered');
  });
  if (total.length + bad.length === 0) return reads;
  return [...reads, readCounters({ total, bad }, options)];
}

function readCounters(
  data: { readonly total: readonly CounterBody[]; readonly bad: readonly CounterBody[] },
  options: GatherOptions,
): ReadData {
  const plain = data.total.filter(({ series }) => series.some(({ labels }) => labels.le === undefined));
  if (plain.length > 0 && data.bad.length === 0 && options.badWhen === undefined) {
    const fix = 'say --bad-when code=5.. (a label and a pattern), or give their counters with --data-bad';
    throw usage('--bad-when', 'which of these requests are bad?', fix);
  }
  if (data.bad.length > 0 && options.badWhen !== undefined) {
    throw usage('--bad-when', 'bad requests are told twice', 'give --bad-when or the counters of bad requests');
  }
  return readPrometheusParts(data, prometheusOptions(options));
}

function prometheusOptions({ versionLabel, replicaLabel, badWhen }: GatherOptions): PrometheusOptions {
  return {
    versionLabel: versionLabel ?? 'version',
    replicaLabel: replicaLabel ?? null,
    badWhen: badWhen === undefined ? null : badWhenOf(badWhen),
  };
}

/** Anchored at both ends, as Prometheus does it. */
function badWhenOf(text: string): PrometheusOptions['badWhen'] {
  const match = /^(?<label>[a-zA-Z_]\w*)(?:=~|=)(?<pattern>.+)$/.exec(text)?.groups;
  const fix = 'write a label and a pattern: --bad-when code=5..';
  if (match?.label === undefined || match.pattern === undefined) {
    throw usage('--bad-when', `"${text}" is no label=pattern`, fix);
  }
  try {
    return { label: match.label, pattern: new RegExp(`^(?:${match.pattern})$`) };
  } catch {
    throw usage('--bad-when', `"${match.pattern}" is no regular expression`, fix);
  }
}

async function fromPrometheus(options: GatherOptions): Promise<ReadData[]> {
  const { prometheus = '', queryTotal, queryBad, queryLatency } = options;
  if (!/^https?:\/\//.test(prometheus)) {
    throw usage('--prometheus', `"${prometheus}" is no address`, 'write --prometheus http://127.0.0.1:9090');
  }
  if (options.data !== undefined) throw usage('--data', 'files and a Prometheus at once', 'give one of the two');
  if (queryTotal === undefined && queryLatency === undefined) {
    throw usage('--query-total', 'say what is asked', 'write --query-total \'http_requests_total{job="shop"}\'');
  }
  const range = rangeOf(options);
  const ask = async (query: string | undefined, option: string) =>
    query === undefined ? [] : [await queryRange({ address: prometheus, query, option, ...range })];
  const total = [...(await ask(queryTotal, '--query-total')), ...(await ask(queryLatency, '--query-latency'))];
  return [readCounters({ total, bad: await ask(queryBad, '--query-bad') }, options)];
}

function rangeOf({ start, end, step }: GatherOptions): { startMs: number; endMs: number; stepMs: number } {
  if (start === undefined) throw usage('--start', 'say from when', 'write --start -2h, or a time');
  const nowMs = Date.now();
  const moment = (text: string, option: string) => {
    const parsed = parseMoment(text, nowMs);
    if (parsed.ok) return parsed.atMs;
    throw usage(option, parsed.problem, parsed.fix);
  };
  const [startMs, endMs] = [moment(start, '--start'), moment(end ?? 'now', '--end')];
  if (endMs - startMs >= step) return { startMs, endMs, stepMs: step };
  throw usage('--end', 'the range is shorter than a window', 'write an earlier --start');
}

function usage(path: string, problem: string, fix: string): CliError {
  return new CliError(problem, { code: 'usage', path, fix });
}
