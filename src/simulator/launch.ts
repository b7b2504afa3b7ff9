// Starts the shipped controller with the shipped engine on the ports of a simulated world.
import { Controller, type ControllerDeps } from '../controller/index.ts';
import { decide, lookFor } from '../core/engine/index.ts';
import type { Command } from '../core/model/command.ts';
import { createLog, silentLog } from '../lib/log.ts';
import type { Ports } from './ports.ts';
import type { Life } from './wire.ts';

export interface LaunchOptions {
  readonly wallTime: () => string;
  readonly log?: (line: string) => void;
}

/** What people may do past the store, when it has no room for their command. */
export interface Launched {
  takeUnstored(command: Command): boolean;
}

export function launchController(ports: Ports, { wallTime, log }: LaunchOptions, life: Life): Launched {
  const deps: ControllerDeps = {
    engine: { decide, lookFor },
    store: ports.store,
    workload: ports.workload,
    router: ports.router,
    metrics: ports.metrics,
    gates: ports.gates,
    notifier: ports.notifier,
    clock: ports.clock,
    random: ports.randomness,
    log: log === undefined ? silentLog : createLog({ level: 'info', format: 'human', write: log, wallTime }),
  };
  const controller = new Controller(deps);
  // A start that fails (the store could not be read) is a start over, as a supervisor would do it.
  controller.start().catch(() => life.kill());
  return controller;
}
