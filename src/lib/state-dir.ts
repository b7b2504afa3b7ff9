/**
 * Where an agent keeps what it must not forget: one folder for one agent.
 * `--state-dir`, else HALDANE_STATE_DIR, else the XDG state folder ($XDG_STATE_HOME or ~/.local/state) plus `haldane`.
 */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

export function stateDirOf(given: string | undefined, env: Readonly<Record<string, string | undefined>>): string {
  const named = given ?? env.HALDANE_STATE_DIR;
  if (named !== undefined && named !== '') return resolve(named);
  const xdg = env.XDG_STATE_HOME;
  return join(xdg?.startsWith('/') ? xdg : join(homedir(), '.local', 'state'), 'haldane');
}

/** Where the agent of a state folder can be reached; written by it, read by the command line. */
export interface AgentFile {
  readonly schema: 1;
  /** http://127.0.0.1:<port> */
  readonly address: string;
  readonly pid: number;
  /** Clock ticks since boot, so that another process with this number is not taken for it; null where unknown. */
  readonly startTicks: string | null;
  readonly version: string;
  readonly startedAt: string;
}

export const agentFileOf = (stateDir: string) => join(stateDir, 'agent.json');
export const tokenFileOf = (stateDir: string) => join(stateDir, 'token');
