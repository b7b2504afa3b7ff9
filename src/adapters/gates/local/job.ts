// A gate that runs a command, without a shell: exit code 0 is yes, another code is no. A job that was killed, ran out of
// time, could not be started or whose end nobody saw has given no answer: an error, never a yes (rows 41, 42).
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { GateRequest } from '../../../core/model/effect.ts';
import type { GateAnswer } from '../../../core/model/observed.ts';
import type { Gate } from '../../../core/model/policy.ts';
import { identify, isRunning, type ProcessIdentity, signalGroup } from '../../../lib/proc.ts';
import type { Clock } from '../../../ports/clock.ts';

export type JobGate = Extract<Gate, { kind: 'job' }>;

const INHERITED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'];
/** From SIGTERM to SIGKILL. */
const STOP_MS = 5_000;

export interface JobOptions {
  readonly clock: Clock;
  readonly logPath: string;
  /** Told once it runs, before anything is waited for. */
  started(identity: ProcessIdentity | null): void;
}

export function runJob(request: GateRequest, gate: JobGate, options: JobOptions): Promise<GateAnswer> {
  const [program, ...given] = gate.command;
  if (program === undefined) return Promise.resolve({ status: 'error', message: 'the command is empty' });
  mkdirSync(dirname(options.logPath), { recursive: true, mode: 0o700 });
  const log = openSync(options.logPath, 'a', 0o600);
  try {
    const child = spawn(program, given, {
      shell: false,
      detached: true,
      stdio: ['ignore', log, log],
      env: environment(request, gate),
    });
    const identity = child.pid === undefined ? null : identify(child.pid);
    const ended = new AbortController();
    let tooLate = false;
    const answer = new Promise<GateAnswer>((resolve) => {
      const end = (found: GateAnswer) => {
        ended.abort();
        resolve(found);
      };
      child.once('error', (error: NodeJS.ErrnoException) =>
        end({ status: 'error', message: `"${program}" could not be started: ${error.code ?? error.message}` }),
      );
      child.once('exit', (code, signal) => {
        if (tooLate) end({ status: 'error', message: `was ended: it ran longer than ${gate.timeoutMs} ms` });
        else end(answerOf(code, signal));
      });
    });
    options.started(identity);
    void options.clock.sleep(gate.timeoutMs, ended.signal).then(async () => {
      if (ended.signal.aborted || identity === null) return;
      tooLate = true;
      await endJob(identity, options.clock);
    });
    return answer;
  } finally {
    closeSync(log);
  }
}

/** Ends a job and what it started. */
export async function endJob(identity: ProcessIdentity, clock: Clock): Promise<void> {
  if (!signalGroup(identity, 'SIGTERM')) return;
  for (let waitedMs = 0; waitedMs < STOP_MS && isRunning(identity); waitedMs += 50) await clock.sleep(50);
  signalGroup(identity, 'SIGKILL');
}

function answerOf(code: number | null, signal: NodeJS.Signals | null): GateAnswer {
  if (code === 0) return { status: 'yes', message: 'exited with code 0' };
  if (code === null) return { status: 'error', message: `was killed by ${signal}, so it gave no answer` };
  return { status: 'no', message: `exited with code ${code}` };
}

function environment(request: GateRequest, gate: JobGate): NodeJS.ProcessEnv {
  const inherited = INHERITED.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(inherited),
    HALDANE_GATE: gate.name,
    HALDANE_GATE_KEY: request.key,
    HALDANE_RELEASE: request.release,
    HALDANE_REVISION: request.revision,
    HALDANE_STAGE: String(request.stage),
  };
}
