// Speaks to the agent over its local API: found by agent.json in the state folder, with the token beside it. It refuses
// addresses that are not loopback and tokens that others can read.

import type { Diagnosis, ProblemJson, ReleaseLine, ReleaseView } from '../core/views/index.ts';
import { readJsonFile } from '../lib/atomic-file.ts';
import { readPrivateFile } from '../lib/private-file.ts';
import { identify, procAvailable } from '../lib/proc.ts';
import { type AgentFile, agentFileOf, tokenFileOf } from '../lib/state-dir.ts';
import type {
  Answered,
  Client,
  CommandRequest,
  Health,
  JournalLine,
  JournalQuery,
  ObjectNode,
  ReportFormat,
  Verified,
} from './client.ts';
import { AgentRefused, CliError } from './errors.ts';

export class AgentClient implements Client {
  readonly address: string;
  readonly noneYet = { problem: 'no policy is declared yet', fix: 'haldane apply -f haldane.yaml' };
  readonly #token: string;
  readonly #actor: string;

  constructor(address: string, token: string, actor: string) {
    this.address = address;
    this.#token = token;
    this.#actor = actor;
  }

  get<T>(path: string): Promise<T> {
    return this.#json<T>('GET', path);
  }

  post<T>(path: string, body: object): Promise<T> {
    return this.#json<T>('POST', path, body);
  }

  delete<T>(path: string): Promise<T> {
    return this.#json<T>('DELETE', path);
  }

  async policies(): Promise<readonly ReleaseView[]> {
    return (await this.get<{ policies: ReleaseView[] }>('/v1/policies')).policies;
  }

  async policy(name: string): Promise<ReleaseView | null> {
    return (await this.policies()).find((view) => view.policy.name === name) ?? null;
  }

  async releases(policy: string): Promise<readonly ReleaseLine[]> {
    return (await this.get<{ releases: ReleaseLine[] }>(`${policyPath(policy)}/releases`)).releases;
  }

  release(id: string): Promise<ReleaseLine> {
    return this.get<ReleaseLine>(`/v1/releases/${encodeURIComponent(id)}`);
  }

  async report(id: string, format: ReportFormat): Promise<string> {
    const response = await this.#ask('GET', `/v1/releases/${encodeURIComponent(id)}/report.${format}`);
    return response.text();
  }

  async journal({ policy, release, after, limit }: JournalQuery): Promise<readonly JournalLine[]> {
    const which =
      release === undefined ? `policy=${encodeURIComponent(policy ?? '')}` : `release=${encodeURIComponent(release)}`;
    const path = `/v1/journal?${which}&after=${after}&limit=${limit}`;
    return (await this.get<{ entries: JournalLine[] }>(path)).entries;
  }

  verifyJournal(): Promise<Verified> {
    return this.post<Verified>('/v1/journal/verify', {});
  }

  command(policy: string, request: CommandRequest): Promise<Answered> {
    return this.post<Answered>(`${policyPath(policy)}/commands`, request);
  }

  doctor(policy: string): Promise<Diagnosis> {
    return this.get<Diagnosis>(`${policyPath(policy)}/doctor`);
  }

  async health(): Promise<Health> {
    const details = await this.get<{ version: string; notes: readonly string[] }>('/v1/health');
    return {
      line: `agent ${details.version} at ${this.address}`,
      notes: details.notes,
      findings: [],
      hasPolicies: true,
      details,
    };
  }

  async objects(): Promise<readonly ObjectNode[]> {
    return [];
  }

  async *views(policy: string, signal?: AbortSignal): AsyncGenerator<ReleaseView> {
    const response = await this.#ask('GET', `${policyPath(policy)}/events`, undefined, signal);
    if (response.body === null) return;
    let rest = '';
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body) {
        rest += decoder.decode(chunk as Uint8Array, { stream: true });
        const lines = rest.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line !== '') yield JSON.parse(line) as ReleaseView;
      }
    } catch (error) {
      if (signal?.aborted === true) return;
      throw unreachable(this.address, error);
    }
  }

  async #json<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await this.#ask(method, path, body);
    return (await response.json()) as T;
  }

  async #ask(method: string, path: string, body?: object, signal?: AbortSignal): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`${this.address}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.#token}`,
          'x-haldane-actor': encodeURIComponent(this.#actor),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
        redirect: 'error',
      });
    } catch (error) {
      throw unreachable(this.address, error);
    }
    if (response.ok) return response;
    throw await refusalOf(response);
  }
}

export const policyPath = (name: string) => `/v1/policies/${encodeURIComponent(name)}`;

async function refusalOf(response: Response): Promise<CliError> {
  try {
    const problem = (await response.json()) as ProblemJson;
    if (typeof problem.problem === 'string') return new AgentRefused(problem);
  } catch {
    // Not one of ours.
  }
  return new CliError(`the agent answered with status ${response.status}`, { code: 'agent-answer' });
}

function unreachable(address: string, cause: unknown): CliError {
  return new CliError(`no agent answers at ${address}`, {
    code: 'agent-unreachable',
    path: address,
    fix: 'start one: haldane up -f haldane.yaml',
    cause,
  });
}

/** The agent of a state folder; throws with the fix when there is none. */
export function findAgent(stateDir: string, actor: string): AgentClient {
  const file = readJsonFile(agentFileOf(stateDir)) as AgentFile | undefined;
  if (file === undefined || !isAlive(file)) {
    throw new CliError(`no agent runs with the state folder ${stateDir}`, {
      code: 'no-agent',
      path: '--state-dir',
      fix: 'start one: haldane up -f haldane.yaml (or name its folder with --state-dir or HALDANE_STATE_DIR)',
    });
  }
  if (!/^http:\/\/(?:127(?:\.\d{1,3}){3}|\[::1\]):\d{1,5}$/.test(file.address)) {
    throw new CliError(`${file.address} is not a loopback address`, {
      code: 'agent-address',
      path: agentFileOf(stateDir),
      fix: 'delete the file and start the agent again',
    });
  }
  const token = readPrivateFile(tokenFileOf(stateDir))?.trim();
  if (token === undefined || token === '') {
    throw new CliError('there is no token of the agent', {
      code: 'no-token',
      path: tokenFileOf(stateDir),
      fix: 'start the agent again; it makes a new one',
    });
  }
  return new AgentClient(file.address, token, actor);
}

/** An agent that was killed leaves its file behind. */
function isAlive({ pid, startTicks }: AgentFile): boolean {
  if (!procAvailable() || startTicks === null) return true;
  return identify(pid)?.startTicks === startTicks;
}
