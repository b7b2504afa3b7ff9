// Gates that are asked from this machine: web hooks and jobs. Each key is run once and its answer kept on disk.
// Approvals are people's commands and are answered by the engine; asking for one here is refused.
import { join } from 'node:path';
import type { GateRequest } from '../../core/model/effect.ts';
import type { GateAnswer } from '../../core/model/observed.ts';
import { HaldaneError } from '../../lib/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Gates } from '../../ports/gate.ts';
import { GateAnswers, type GateRecord } from './local/answers.ts';
import { endJob, type JobGate, runJob } from './local/job.ts';
import { runWebhook, type WebhookGate } from './local/webhook.ts';

export class GateError extends HaldaneError {
  constructor(code: string, message: string) {
    super(message, { code });
  }
}

export interface LocalGatesOptions {
  readonly stateDir: string;
  readonly clock: Clock;
}

const CUT_SHORT = 'was cut short by a restart, so it gave no answer';
const NOT_RUN: GateAnswer = { status: 'pending', message: 'not asked yet' };

export class LocalGates implements Gates {
  readonly #clock: Clock;
  readonly #answers: GateAnswers;
  readonly #running = new Set<string>();
  readonly #watchers = new Set<() => void>();
  readonly #closing = new AbortController();

  constructor(options: LocalGatesOptions) {
    this.#clock = options.clock;
    this.#answers = new GateAnswers(join(options.stateDir, 'gates'));
    this.#answers.tidy(Date.parse(options.clock.now().wallTime));
  }

  async run(request: GateRequest): Promise<void> {
    const { gate, key } = request;
    if (gate.kind === 'approval') throw new GateError('gate-kind', 'approvals are given by people, not run');
    if (this.#running.has(key) || this.#closing.signal.aborted) return;
    const known = this.#afterRestart(key);
    if (known !== null && known.answer.status !== 'pending') return;
    this.#keep({ schema: 1, key, kind: gate.kind, answer: { status: 'pending', message: 'asked' }, process: null });
    this.#running.add(key);
    const run = gate.kind === 'webhook' ? this.#askHook(request, gate) : this.#runJob(request, gate);
    void run
      .catch((error: unknown): GateAnswer => ({ status: 'error', message: `could not be run: ${String(error)}` }))
      .then((answer) => this.#finish(request, gate.kind, answer));
  }

  async answer(key: string): Promise<GateAnswer> {
    return (this.#running.has(key) ? this.#answers.get(key) : this.#afterRestart(key))?.answer ?? NOT_RUN;
  }

  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  /** Stops asking. Hooks are asked again by the next agent; jobs that still run are cut short by it. */
  close(): void {
    this.#closing.abort();
  }

  #askHook(request: GateRequest, gate: WebhookGate): Promise<GateAnswer | null> {
    return runWebhook(request, gate, {
      clock: this.#clock,
      signal: this.#closing.signal,
      interim: (answer) => this.#keep({ schema: 1, key: request.key, kind: 'webhook', answer, process: null }),
    });
  }

  #runJob(request: GateRequest, gate: JobGate): Promise<GateAnswer | null> {
    const { key } = request;
    return runJob(request, gate, {
      clock: this.#clock,
      logPath: this.#answers.logPath(key),
      started: (process) =>
        this.#keep({ schema: 1, key, kind: 'job', answer: { status: 'pending', message: 'the job runs' }, process }),
    });
  }

  #finish({ key }: GateRequest, kind: GateRecord['kind'], answer: GateAnswer | null): void {
    if (answer === null || this.#closing.signal.aborted) return;
    try {
      this.#keep({ schema: 1, key, kind, answer, process: null });
    } catch {
      // Not on disk: a yes that a crash could take back is not given; it stays pending and is asked again.
      return;
    } finally {
      this.#running.delete(key);
    }
  }

  /** A job that was pending when its agent ended can no longer answer; what is left of it is ended. */
  #afterRestart(key: string): GateRecord | null {
    const record = this.#answers.get(key);
    if (record === null || record.kind !== 'job' || record.answer.status !== 'pending') return record;
    if (record.process !== null) void endJob(record.process, this.#clock);
    return this.#keep({ ...record, answer: { status: 'error', message: CUT_SHORT }, process: null });
  }

  #keep(record: GateRecord): GateRecord {
    this.#answers.set(record);
    for (const watcher of this.#watchers) watcher();
    return record;
  }
}
