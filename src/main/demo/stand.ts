// A place to show Haldane in: a folder of its own, the real agent as a process, the shop behind the real gateway. Used by
// the demo and by the proofs. Commands go through the agent's API like anybody else's; it refuses to reach around it.
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Verb } from '../../core/model/command.ts';
import type { ReleaseReport, ReleaseView } from '../../core/views/index.ts';
import { HaldaneError } from '../../lib/errors.ts';
import { askJson, HttpJsonError } from '../../lib/http-json.ts';
import { type AgentFile, agentFileOf, tokenFileOf } from '../../lib/state-dir.ts';
import { findPlaces, type Places } from './places.ts';
import { type PolicySettings, type ShopVersion, shopPolicy } from './shop-policy.ts';
import { gatewaysOf, takeDown } from './take-down.ts';

export class StandFailed extends HaldaneError {
  constructor(message: string, fix?: string) {
    super(message, { code: 'stand-failed', ...(fix === undefined ? {} : { fix }) });
  }
}

export interface StandOptions {
  /** Thrown away by whoever made it. */
  readonly folder: string;
  readonly name: string;
  /** The policy that versions are put into; the shop's own if not given. */
  readonly policyFile?: string;
  readonly overrides?: Overrides;
}

export type Overrides = NonNullable<PolicySettings['overrides']>;

const ANSWER_MS = 20_000;
const UP_WITHIN_MS = 20_000;
const LOOK_MS = 200;

export class Stand {
  readonly stateDir: string;
  readonly places: Places = findPlaces();
  readonly port: number;
  readonly #options: StandOptions;
  #agent: ChildProcess | null = null;
  #complaint = '';
  #isClosed = false;

  private constructor(options: StandOptions, port: number) {
    this.#options = options;
    this.stateDir = join(options.folder, 'state');
    this.port = port;
  }

  /** Nothing runs yet: see `startAgent`. */
  static async make(options: StandOptions): Promise<Stand> {
    await mkdir(options.folder, { recursive: true });
    return new Stand(options, await freePort());
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get policyPath(): string {
    return join(this.#options.folder, 'haldane.yaml');
  }

  gatewayPids(): readonly number[] {
    return gatewaysOf(this.stateDir).map(({ pid }) => pid);
  }

  /** Starts the agent, of another program if one is given, and waits until it answers. */
  async startAgent(program: string = this.places.program): Promise<void> {
    const log = createWriteStream(join(this.#options.folder, 'agent.log'), { flags: 'a' });
    const agent = spawn(process.execPath, [program, 'up', '--state-dir', this.stateDir], {
      cwd: this.#options.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A session of its own: a Ctrl-C is for the demo, which then ends the agent in good order.
      detached: true,
    });
    this.#agent = agent;
    this.#complaint = '';
    agent.stdout.pipe(log, { end: false });
    agent.stderr.on('data', (chunk: Buffer) => {
      this.#complaint = (this.#complaint + chunk.toString()).slice(-2_000);
      log.write(chunk);
    });
    const until = performance.now() + UP_WITHIN_MS;
    while (!(await this.#isUp(agent.pid))) {
      if (agent.exitCode !== null || this.#isClosed || performance.now() > until) {
        throw new StandFailed(`the agent does not run: ${this.#complaint.trim()}`);
      }
      await sleep(50);
    }
  }

  /** As a machine would: no goodbye. */
  async killAgent(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** In good order; what serves goes on serving. */
  async stopAgent(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** Declares a version of the shop, as `haldane apply` does. */
  async apply(version: ShopVersion, overrides: Overrides = []): Promise<void> {
    const settings = { name: this.#options.name, shop: this.places.shop, port: this.port, version };
    const text = shopPolicy(this.#options.policyFile ?? this.places.policy, {
      ...settings,
      overrides: [...(this.#options.overrides ?? []), ...overrides],
    });
    await writeFile(this.policyPath, text);
    await this.#ask('POST', '/v1/apply', { text, folder: this.#options.folder });
  }

  async command(verb: Verb, reason: string, more: { readonly skipAnalysis?: boolean } = {}): Promise<void> {
    await this.#ask('POST', `/v1/policies/${this.#options.name}/commands`, { verb, reason, ...more });
  }

  async view(): Promise<ReleaseView> {
    return (await this.#ask('GET', `/v1/policies/${this.#options.name}`)) as ReleaseView;
  }

  async report(release: string): Promise<ReleaseReport> {
    return (await this.#ask('GET', `/v1/releases/${release}/report.json`)) as ReleaseReport;
  }

  /** Looks until it is so; each look is shown. The agent may be away for a while. */
  async until(
    isSo: (view: ReleaseView) => boolean,
    withinMs: number,
    look: (view: ReleaseView) => void = () => {},
  ): Promise<ReleaseView> {
    const until = performance.now() + withinMs;
    for (;;) {
      const view = await this.view();
      look(view);
      if (isSo(view)) return view;
      if (this.#isClosed || performance.now() > until)
        throw new StandFailed(`it did not come to it in time: ${view.headline}`);
      await sleep(LOOK_MS);
    }
  }

  async untilEnded(label: string, withinMs: number, look?: (view: ReleaseView) => void): Promise<ReleaseView> {
    return this.until(({ release }) => release?.to === label && release.phase === 'ended', withinMs, look);
  }

  /** Ends the agent, the gateways and every process of the shop. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#end('SIGTERM');
    await takeDown(this.stateDir);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const agent = this.#agent;
    this.#agent = null;
    if (agent === null || agent.exitCode !== null || agent.signalCode !== null) return;
    const ended = new Promise((resolve) => agent.once('exit', resolve));
    agent.kill(signal);
    const timer = setTimeout(() => agent.kill('SIGKILL'), ANSWER_MS);
    await ended;
    clearTimeout(timer);
  }

  async #isUp(pid: number | undefined): Promise<boolean> {
    if (this.#whereabouts()?.pid !== pid) return false;
    try {
      await this.#askOnce('GET', '/v1/health');
      return true;
    } catch {
      return false;
    }
  }

  #whereabouts(): AgentFile | null {
    const path = agentFileOf(this.stateDir);
    if (!existsSync(path)) return null;
    try {
      return JSON.parse(readFileSync(path, 'utf8')) as AgentFile;
    } catch {
      return null;
    }
  }

  /** An agent that is away is waited for: it may have been killed and be about to come back. */
  async #ask(method: 'GET' | 'POST', path: string, body?: Readonly<Record<string, unknown>>): Promise<unknown> {
    const until = performance.now() + UP_WITHIN_MS;
    for (;;) {
      try {
        return await this.#askOnce(method, path, body);
      } catch (error) {
        const isAway = error instanceof HttpJsonError || error instanceof AgentAway;
        if (!isAway || this.#isClosed || performance.now() > until) throw error;
        await sleep(100);
      }
    }
  }

  async #askOnce(method: 'GET' | 'POST', path: string, body?: Readonly<Record<string, unknown>>): Promise<unknown> {
    const agent = this.#whereabouts();
    if (agent === null) throw new AgentAway(this.#complaint);
    const { hostname: host, port } = new URL(agent.address);
    const token = readFileSync(tokenFileOf(this.stateDir), 'utf8').trim();
    const question = { method, host, port: Number(port), path, token, timeoutMs: ANSWER_MS };
    const answer = await askJson(body === undefined ? question : { ...question, body });
    if (answer.status === 503) throw new AgentAway(JSON.stringify(answer.body));
    if (answer.status >= 300) throw new StandFailed(`${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }
}

class AgentAway extends HaldaneError {
  constructor(why: string) {
    super(`the agent is not there: ${why.trim().slice(-500)}`, { code: 'agent-away', retry: 'now' });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
