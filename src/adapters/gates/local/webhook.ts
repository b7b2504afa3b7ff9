// A gate that asks a web hook: 2xx is yes, 202 is "not yet", a refusal (other 4xx) is no, everything else is no answer
// and is asked again (row 39). The same key is sent as Idempotency-Key each time; the answer's body is never shown.
import type { GateRequest } from '../../../core/model/effect.ts';
import type { GateAnswer } from '../../../core/model/observed.ts';
import type { Gate } from '../../../core/model/policy.ts';
import { backoffMs } from '../../../lib/backoff.ts';
import { OutboundError, postJson } from '../../../lib/outbound.ts';
import type { Clock } from '../../../ports/clock.ts';

export type WebhookGate = Extract<Gate, { kind: 'webhook' }>;

const RETRY = { initialMs: 500, maxMs: 30_000 };
const NOT_YET_MS = 5_000;
/** Answers that say "try again" rather than "no". */
const AGAIN = new Set([408, 421, 423, 425, 429]);

type Outcome = { readonly done: GateAnswer } | { readonly again: GateAnswer; readonly inMs: number | null };

/** Asks until there is an answer or the signal aborts; tells each interim answer. */
export async function runWebhook(
  request: GateRequest,
  gate: WebhookGate,
  options: { clock: Clock; signal: AbortSignal; interim: (answer: GateAnswer) => void },
): Promise<GateAnswer | null> {
  for (let failures = 1; !options.signal.aborted; failures++) {
    const outcome = await askOnce(request, gate, options.signal);
    if (options.signal.aborted) return null;
    if ('done' in outcome) return outcome.done;
    options.interim(outcome.again);
    await options.clock.sleep(outcome.inMs ?? backoffMs(RETRY, failures), options.signal);
  }
  return null;
}

async function askOnce(request: GateRequest, gate: WebhookGate, signal: AbortSignal): Promise<Outcome> {
  try {
    const answer = await postJson({
      url: gate.url,
      body: {
        key: request.key,
        gate: gate.name,
        release: request.release,
        revision: request.revision,
        stage: request.stage,
      },
      headers: { 'idempotency-key': request.key },
      timeoutMs: gate.timeoutMs,
      signal,
    });
    return judge(answer.status, answer.retryAfterMs);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof OutboundError && error.retry === 'never') return { done: { status: 'error', message } };
    return { again: { status: 'pending', message: `no answer yet, asked again: ${message}` }, inMs: null };
  }
}

function judge(status: number, retryAfterMs: number | null): Outcome {
  const answered = `the hook answered ${status}`;
  if (status === 202) {
    return { again: { status: 'pending', message: `${answered}: not yet` }, inMs: retryAfterMs ?? NOT_YET_MS };
  }
  if (status >= 200 && status < 300) return { done: { status: 'yes', message: answered } };
  if (status >= 300 && status < 400) {
    return { done: { status: 'error', message: `${answered}: redirects are not followed` } };
  }
  if (status >= 500 || AGAIN.has(status)) {
    return { again: { status: 'pending', message: `${answered}, asked again` }, inMs: retryAfterMs };
  }
  return { done: { status: 'no', message: answered } };
}
