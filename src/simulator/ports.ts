// The ports a simulated controller gets: the world behind a wire that is slow, forgetful and deadly.
import type { Clock, Randomness } from '../ports/clock.ts';
import type { Gates } from '../ports/gate.ts';
import type { MetricSource } from '../ports/metric-source.ts';
import type { Notifier } from '../ports/notifier.ts';
import type { Router } from '../ports/router.ts';
import type { Store } from '../ports/store.ts';
import type { Workload } from '../ports/workload.ts';
import type { Life } from './wire.ts';
import type { ClockWorld } from './world/clock.ts';
import type { GatesWorld, NotifierWorld } from './world/gates.ts';
import type { Service } from './world/service.ts';
import type { StoreWorld } from './world/store.ts';

export interface World {
  readonly clock: ClockWorld;
  readonly store: StoreWorld;
  readonly gates: GatesWorld;
  readonly notifier: NotifierWorld;
  service(policy: string): Service;
}

export interface Ports {
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly store: Store;
  readonly workload: Workload;
  readonly router: Router;
  readonly metrics: MetricSource;
  readonly gates: Gates;
  readonly notifier: Notifier;
}

export function createPorts(world: World, life: Life, freshId: () => string, fraction: () => number): Ports {
  return {
    clock: { now: () => world.clock.instant(), sleep: (ms, signal) => life.sleep(ms, signal) },
    randomness: { id: freshId, fraction },
    store: createStorePort(world.store, life),
    workload: createWorkloadPort(world, life),
    router: createRouterPort(world, life),
    metrics: {
      measure: (query) => life.call('metrics.measure', 'read', () => world.service(query.policy.name).measure(query)),
      history: (query) =>
        life.call('metrics.history', 'read', () => world.service(query.policy.name).metrics.history(query)),
    },
    gates: {
      run: (request) => life.call('gates.run', 'write', () => world.gates.run(request)),
      answer: (key) => life.call('gates.answer', 'read', () => world.gates.answer(key)),
      watch: (changed) => world.gates.watch(life.notice('gates', changed)),
    },
    notifier: {
      notify: (_policy, message) => life.call('notifier.notify', 'write', () => world.notifier.notify(message)),
    },
  };
}

function createWorkloadPort(world: World, life: Life): Workload {
  return {
    async observe(policy) {
      const service = world.service(policy.name);
      const { atMs, value } = await life.observe('workload.observe', `workload ${policy.name}`, () =>
        service.observeWorkload(),
      );
      service.seen.workloadAtMs = atMs;
      return value;
    },
    async ensure(policy, wanted) {
      const service = world.service(policy.name);
      await life.call('workload.ensure', 'write', () => {
        life.wrote(`workload ${policy.name}`);
        service.ensureWorkload(wanted);
      });
    },
    async retire(policy, revisions) {
      const service = world.service(policy.name);
      await life.call('workload.retire', 'write', () => {
        life.wrote(`workload ${policy.name}`);
        service.retire(revisions);
      });
    },
    watch: (policy, changed) => world.service(policy.name).watchWorkload(life.notice('workload', changed)),
  };
}

function createRouterPort(world: World, life: Life): Router {
  return {
    capabilities: { weightStepPercent: 0.01, headerMatch: true, cookieMatch: true, affinity: true, userBuckets: true },
    ensure: (policy, split, backends) =>
      life.call('router.ensure', 'write', () => {
        life.wrote(`router ${policy.name}`);
        return world.service(policy.name).ensureSplit(split, backends);
      }),
    async observe(policy) {
      const service = world.service(policy.name);
      const { atMs, value } = await life.observe('router.observe', `router ${policy.name}`, () =>
        service.observeRouter(),
      );
      service.seen.routerAtMs = atMs;
      service.seen.router = value;
      return value;
    },
    inFlight: (policy) => life.call('router.inFlight', 'read', () => world.service(policy.name).inFlight()),
    watch: (policy, changed) => world.service(policy.name).watchRouter(life.notice('router', changed)),
  };
}

/** Each method of the world's store behind the wire; notices of it too. */
function createStorePort(store: StoreWorld, life: Life): Store {
  const { port } = store;
  return {
    readState: async (policy) => (await life.call('store.readState', 'read', () => port.readState(policy))) ?? null,
    record: async (change) => await life.call('store.record', 'write', () => port.record(change)),
    declare: async (policy, document) =>
      await life.call('store.declare', 'write', () => port.declare(policy, document)),
    withdraw: async (policy) => await life.call('store.withdraw', 'write', () => port.withdraw(policy)),
    declarations: async () => await life.call('store.declarations', 'read', () => port.declarations()),
    declaration: async (policy) => await life.call('store.declaration', 'read', () => port.declaration(policy)),
    addCommand: async (command) => await life.call('store.addCommand', 'write', () => port.addCommand(command)),
    pendingCommands: async (policy) =>
      await life.call('store.pendingCommands', 'read', () => port.pendingCommands(policy)),
    command: async (id) => await life.call('store.command', 'read', () => port.command(id)),
    releases: async (policy) => await life.call('store.releases', 'read', () => port.releases(policy)),
    release: async (id) => await life.call('store.release', 'read', () => port.release(id)),
    journal: async (query) => await life.call('store.journal', 'read', () => port.journal(query)),
    watch: (changed) => {
      const rings = new Map<string, () => void>();
      return port.watch((policy) => {
        let ring = rings.get(policy);
        if (ring === undefined) {
          ring = life.notice('store', () => changed(policy));
          rings.set(policy, ring);
        }
        ring();
      });
    },
    health: async () => await life.call('store.health', 'read', () => port.health()),
    close: async () => {},
  };
}
