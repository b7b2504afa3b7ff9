/**
 * The text that exporters show to Prometheus (exposition format 0.0.4, and OpenMetrics as far as counters and histograms
 * go): samples with their names, labels and values. It refuses lines it cannot read instead of leaving them out.
 */
import { HaldaneError } from './errors.ts';

export interface TextSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export class MetricsTextError extends HaldaneError {
  constructor(line: number, text: string) {
    super(`line ${line} is not a sample: ${text.slice(0, 80)}`, {
      code: 'metrics-text',
      path: `line ${line}`,
      fix: 'let the endpoint speak the Prometheus text format',
    });
  }
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+[0-9.e+-]+)?(?:\s+#.*)?$/;
const LABEL = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|$)/y;

/** @param wanted names that are kept; others are read past. */
export function parseMetricsText(text: string, wanted: ReadonlySet<string>): readonly TextSample[] {
  const samples: TextSample[] = [];
  const lines = text.split('\n');
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const found = SAMPLE.exec(line);
    const name = found?.[1];
    if (found === null || name === undefined) throw new MetricsTextError(index + 1, line);
    if (!wanted.has(name)) continue;
    const labels = labelsOf(found[2] ?? '');
    if (labels === null) throw new MetricsTextError(index + 1, line);
    samples.push({ name, labels, value: numberOf(found[3] ?? '') });
  }
  return samples;
}

function labelsOf(text: string): Readonly<Record<string, string>> | null {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const found = LABEL.exec(text);
    if (found === null) return null;
    labels[found[1] ?? ''] = (found[2] ?? '').replace(/\\(.)/g, (_, each: string) => (each === 'n' ? '\n' : each));
  }
  return labels;
}

/** "+Inf", "1e3", "NaN" as they stand; anything else that is no number is NaN. */
export function numberOf(text: string): number {
  if (text === '+Inf' || text === 'Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  return text === '' ? Number.NaN : Number(text);
}
