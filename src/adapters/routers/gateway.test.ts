import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Backend } from '../../core/model/effect.ts';
import { siblingModule } from '../../lib/sibling.ts';
import { routerConformance } from '../../ports/conformance/index.ts';
import { samplePolicy } from '../../ports/doubles/index.ts';
import { systemClock } from '../clock/system.ts';
import { GatewayRouter } from './gateway.ts';

const policy = samplePolicy('shop');
const COMMAND = [process.execPath, siblingModule(import.meta.url, '../../main/gateway')];

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`still not: ${what}`);
    await delay(20);
  }
}

async function backend(label: string): Promise<{ server: Server; backend: Backend }> {
  const server = createServer((_request, response) => response.end(label));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { server, backend: { revision: `rev-${label}`, label, endpoints: [{ host: '127.0.0.1', port }] } };
}

routerConformance('GatewayRouter', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'haldane-router-'));
  const agent = () =>
    new GatewayRouter({ stateDir: folder, clock: systemClock, command: COMMAND, version: '0.1.0', answerMs: 1_000 });
  const [v1, v2] = [await backend('v1'), await backend('v2')];
  let current = agent();
  let stopped: number[] = [];
  return {
    router: current,
    policy,
    stable: v1.backend,
    canary: v2.backend,
    until,
    moveCanary: async () => ({ ...v2.backend, endpoints: v1.backend.endpoints }),
    blind: async () => {
      const { instances } = await current.observe(policy);
      stopped = instances.map((instance) => Number(/pid (\d+)/.exec(instance)?.[1]));
      for (const pid of stopped) process.kill(pid, 'SIGSTOP');
    },
    nextAgent: async () => {
      current.close();
      current = agent();
      return current;
    },
    end: async () => {
      for (const pid of stopped) process.kill(pid, 'SIGCONT');
      await current.release(policy.name);
      await until('the gateway has ended', async () => (await current.observe(policy)).state === 'absent');
      current.close();
      for (const { server } of [v1, v2]) {
        server.closeAllConnections();
        server.close();
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
});
