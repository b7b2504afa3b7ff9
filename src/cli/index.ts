export { type Context, processContext } from './context.ts';
export type { AgentEvents, AgentOptions, DemoOptions, Hooks, RunningAgent } from './hooks.ts';
export { createProgram } from './program.ts';
export { runCli } from './run.ts';
