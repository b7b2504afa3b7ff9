// What the command line asks of the composition root, each part loaded when it is needed.
import type { DemoOptions, Hooks } from '../cli/index.ts';
import { packageVersion } from './package-version.ts';

export const hooks: Hooks = {
  version: packageVersion,
  startAgent: async (options, events) => (await import('./agent.ts')).startAgent(options, events),
  runGateway: async (args) => (await import('./gateway.ts')).runGateway(args),
  startOperator: async (options) => (await import('./operator.ts')).startOperator(options),
  kubernetes: async (options) => (await import('./kubernetes-client.ts')).openCluster(options),
  handBackAll: async (options) => (await import('./operator/hand-back-all.ts')).handBackAll(options),
  takeDown: async (stateDir) => (await import('./demo/take-down.ts')).takeDown(stateDir),
  runDemo,
};

async function runDemo(options: DemoOptions): Promise<number> {
  const { runDemo: run } = await import('./demo/demo.ts');
  return run(options);
}
