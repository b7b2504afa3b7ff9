export { type Context, processContext } from './context.ts';
export type {
  AgentEvents,
  AgentOptions,
  ClusterOptions,
  DemoOptions,
  HandBackOptions,
  Hooks,
  OperatorOptions,
  OperatorOutcome,
  RunningAgent,
  RunningOperator,
} from './hooks.ts';
export type { Adopted, Cluster, Kinds } from './kubernetes/cluster.ts';
export { createProgram } from './program.ts';
export { runCli } from './run.ts';
export { inWordsOf, type Side } from './side.ts';
