// What the command line needs from the composition root: the agent, the gateway's program and the demo, each loaded
// only when it is asked for.
import type { Endpoint } from '../core/model/gateway.ts';
import type { AppliedAnswer } from '../core/views/index.ts';
import type { LogLevel } from '../lib/log.ts';
import type { Cluster } from './kubernetes/cluster.ts';

export interface AgentOptions {
  readonly stateDir: string;
  readonly files: readonly string[];
  readonly api: Endpoint;
  readonly log: {
    readonly level: LogLevel;
    readonly format: 'json' | 'human';
    readonly write: (line: string) => void;
  };
}

export interface AgentEvents {
  readonly onApplied: (file: string, applied: readonly AppliedAnswer[]) => void;
  readonly onRefused: (file: string, error: unknown) => void;
}

export interface RunningAgent {
  readonly address: string;
  readonly version: string;
  readonly notes: readonly string[];
  /** `everything` ends gateways and processes too. */
  stop(everything: boolean): Promise<void>;
  readonly ended: Promise<void>;
}

export interface OperatorOptions {
  /** null: all. */
  readonly namespace: string | null;
  readonly kubeconfig: string | null;
  readonly context: string | null;
  readonly leaseNamespace: string | null;
  readonly identity: string | null;
  readonly port: number;
  readonly stateDir: string;
  readonly log: AgentOptions['log'];
}

export interface RunningOperator {
  readonly version: string;
  readonly identity: string;
  readonly port: number;
  stop(): Promise<void>;
  readonly ended: Promise<OperatorOutcome>;
}

/** could not lead: it had the lease and gave it up, since it could not read all that it needs. */
export type OperatorOutcome = 'stopped' | 'lease lost' | 'could not lead';

export interface HandBackOptions {
  readonly namespace: string | null;
  readonly kubeconfig: string | null;
  readonly context: string | null;
  readonly timeoutMs: number;
  readonly print: (line: string) => void;
}

export interface DemoOptions {
  readonly fast: boolean;
  readonly json: boolean;
  readonly keep: boolean;
  readonly seed: number | null;
}

export interface ClusterOptions {
  readonly kubeconfig: string | null;
  readonly context: string | null;
  /** null: the context's. */
  readonly namespace: string | null;
}

export interface Hooks {
  readonly version: () => string;
  readonly startAgent: (options: AgentOptions, events: AgentEvents) => Promise<RunningAgent>;
  readonly startOperator: (options: OperatorOptions) => Promise<RunningOperator>;
  /** With the rights of the person who asks. */
  readonly kubernetes: (options: ClusterOptions) => Promise<Cluster>;
  /** The exit code. */
  readonly handBackAll: (options: HandBackOptions) => Promise<number>;
  /** Resolves when the gateway has been told to end. */
  readonly runGateway: (args: readonly string[]) => Promise<void>;
  /** Ends gateways and processes of a state folder without an agent. */
  readonly takeDown: (stateDir: string) => Promise<void>;
  /** The exit code. */
  readonly runDemo: (options: DemoOptions) => Promise<number>;
}
