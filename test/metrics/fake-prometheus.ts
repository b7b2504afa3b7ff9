// A Prometheus in memory behind real HTTP: targets that count, scrapes at the moments a test says, and the raw samples of a
// selector over a range. It refuses queries that are anything else, as the source never asks them.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { parseSelector, type Selector } from '../../src/adapters/metrics/prometheus/selector-text.ts';

export type Labels = Readonly<Record<string, string>>;

export interface Asked {
  readonly query: string;
  readonly headers: IncomingMessage['headers'];
}

export interface FakeAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Something that is scraped: its counters by name and labels. */
export class FakeTarget {
  readonly labels: Labels;
  readonly counters = new Map<string, { readonly name: string; readonly labels: Labels; value: number }>();
  /** Whether its scrapes succeed. */
  isUp = true;

  constructor(labels: Labels) {
    this.labels = labels;
  }

  add(name: string, labels: Labels, count: number): void {
    const key = JSON.stringify([name, labels]);
    const known = this.counters.get(key);
    if (known === undefined) this.counters.set(key, { name, labels, value: count });
    else known.value += count;
  }

  /** Its process starts anew; counters come back when they are counted up. */
  restart(): void {
    this.counters.clear();
  }
}

interface Kept {
  readonly labels: Labels;
  readonly samples: [seconds: number, value: string][];
}

export class FakePrometheus {
  readonly targets = new Set<FakeTarget>();
  readonly asked: Asked[] = [];
  /** Changes what is answered. */
  tamper: (body: string, asked: Asked) => FakeAnswer | Promise<FakeAnswer> = (text) => ({ status: 200, text });
  keepsUp = true;
  connections = 0;
  #kept = new Map<string, Kept>();
  #server: Server | null = null;

  get address(): string {
    const address = this.#server?.address();
    if (address === undefined || address === null || typeof address === 'string') throw new Error('it is not started');
    return `http://127.0.0.1:${address.port}`;
  }

  async start(): Promise<this> {
    const server = createServer((request, response) => void this.#answer(request, response));
    this.#server = server;
    server.on('connection', () => {
      this.connections += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve) ?? resolve(null));
  }

  scrape(atMs: number): void {
    for (const target of this.targets) {
      const { labels, counters, isUp } = target;
      if (this.keepsUp) this.#keep({ __name__: 'up', ...labels }, atMs, isUp ? '1' : '0');
      if (!isUp) continue;
      for (const { name, labels: own, value } of counters.values()) {
        this.#keep({ __name__: name, ...labels, ...own }, atMs, String(value));
      }
    }
  }

  /** All it had is gone: it was started on an empty disk. */
  forget(selects: (labels: Labels) => boolean = () => true): void {
    for (const [key, { labels }] of this.#kept) if (selects(labels)) this.#kept.delete(key);
  }

  put(labels: Labels, atMs: number, value: string): void {
    this.#keep(labels, atMs, value);
  }

  #keep(labels: Labels, atMs: number, value: string): void {
    const key = JSON.stringify(Object.entries(labels).sort());
    const kept = this.#kept.get(key) ?? { labels, samples: [] };
    kept.samples.push([atMs / 1_000, value]);
    this.#kept.set(key, kept);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const form = new URLSearchParams(text);
    const asked = { query: form.get('query') ?? '', headers: request.headers };
    this.asked.push(asked);
    const body = JSON.stringify(this.#evaluate(asked.query, Number(form.get('time'))));
    const { status, headers = {}, text: answer } = await this.tamper(body, asked);
    response.writeHead(status, headers).end(answer);
  }

  #evaluate(query: string, time: number): unknown {
    const [, text = '', seconds = ''] = /^(.*)\[(\d+)s\]$/s.exec(query) ?? [];
    // Only the source itself asks for several names.
    const selector = parseSelector(text.startsWith('{') ? `any${text}` : text);
    const result = [...this.#kept.values()].flatMap(({ labels, samples }) => {
      const values = samples.filter(([at]) => at > time - Number(seconds) && at <= time);
      return values.length > 0 && isSelected(labels, selector) ? [{ metric: labels, values }] : [];
    });
    return { status: 'success', data: { resultType: 'matrix', result } };
  }
}

function isSelected(labels: Labels, { name, matchers }: Selector): boolean {
  if (labels.__name__ !== name && !matchers.some(({ label }) => label === '__name__')) return false;
  return matchers.every(({ label, op, value }) => {
    const is = labels[label] ?? '';
    if (op === '=') return is === value;
    if (op === '!=') return is !== value;
    return new RegExp(`^(?:${value})$`, 's').test(is) === (op === '=~');
  });
}
