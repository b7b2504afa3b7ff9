export { type Context, processContext } from './context.ts';
export type {
  AgentEvents,
  AgentOptions,
  DemoOptions,
  HandBackOptions,
  Hooks,
  OperatorOptions,
  RunningAgent,
  RunningOperator,
} from './hooks.ts';
export { createProgram } from './program.ts';
export { runCli } from './run.ts';
