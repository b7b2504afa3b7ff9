// What every router must do, by each router of a cluster: a real API server, real pods, and whatever Gateways the
// environment tells of.
import { after, before, describe } from 'node:test';
import { GatewayApiRouter } from '../../src/adapters/routers/gateway-api.ts';
import { ReplicaShareRouter } from '../../src/adapters/routers/replica-share.ts';
import { AskingAgain } from '../../src/cluster/doubles/asking-again.ts';
import type { Backend } from '../../src/core/model/effect.ts';
import type { ReleasePolicy } from '../../src/core/model/policy.ts';
import { silentLog } from '../../src/lib/log.ts';
import { routerConformance } from '../../src/ports/conformance/index.ts';
import type { EnsureResult, Router } from '../../src/ports/index.ts';
import { noCluster } from './cluster.ts';
import { type GatewayAt, gateways, Routed, until } from './routed.ts';

interface Kind {
  readonly name: string;
  readonly space: Routed;
  readonly policy: ReleasePolicy;
  /** What is there before Haldane comes. */
  readonly given: object | null;
  readonly percents?: readonly number[];
  make(space: Routed): Router;
}

function replicaShare(): Kind {
  const space = new Routed(true, { stable: 3, canary: 1 });
  return {
    name: 'replica share on a cluster',
    space,
    policy: space.policy({ kind: 'replicaShare', service: 'shop' }),
    given: null,
    // Stable's pods stay in the Service, so the canary cannot have everything.
    percents: [1, 50, 25, 5, 0],
    make: ({ api, caches, clock }) => new ReplicaShareRouter({ api, caches, clock, log: silentLog }),
  };
}

function gatewayApi(at: GatewayAt, mode: 'owned' | 'adopted'): Kind {
  const space = new Routed(false);
  const { name, namespace } = at;
  const owned = {
    kind: 'owned',
    name: 'shop',
    parents: [{ name, namespace, sectionName: null, port: null }],
    hostnames: [space.host],
    matches: [{ path: '/', type: 'PathPrefix' }],
  } as const;
  return {
    name: `Gateway API, ${mode}, ${at.title}`,
    space,
    policy: space.policy({
      kind: 'gatewayApi',
      service: 'shop',
      port: null,
      route: mode === 'owned' ? owned : { kind: 'adopted', name: 'git' },
      mirrorPercent: null,
      settleMs: 200,
    }),
    given: mode === 'owned' ? null : routeOfGit(at, space.host),
    make: ({ api, caches, clock }) => {
      const router = new GatewayApiRouter({ api, caches, clock, log: silentLog });
      // Rules need an owned route; the policy says so to people before.
      return changed(router, { capabilities: { ...router.capabilities, headerMatch: mode === 'owned' } });
    },
  };
}

function routeOfGit({ name, namespace }: GatewayAt, host: string): object {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'git' },
    spec: {
      parentRefs: [{ name, namespace }],
      hostnames: [host],
      rules: [{ backendRefs: [{ name: 'shop', port: 80 }] }],
    },
  };
}

function changed(router: Router, other: Partial<Router>): Router {
  return {
    capabilities: router.capabilities,
    ensure: (...asked) => router.ensure(...asked),
    observe: (policy) => router.observe(policy),
    inFlight: (policy) => router.inFlight(policy),
    watch: (policy, changed) => router.watch(policy, changed),
    ...other,
  };
}

/** One namespace for all trials of a kind; each begins with nothing for the canary. */
function conforms({ name, space, policy, given, percents, make }: Kind): void {
  describe(name, () => {
    before(async () => {
      await space.start();
      if (given !== null) space.apply(given);
    });
    after(() => space.end());

    routerConformance(name, async () => {
      const asking = new AskingAgain<EnsureResult>();
      const asked = (router: Router) =>
        changed(router, {
          ensure: asking.ensuring(
            async () => {},
            (...split) => router.ensure(...split),
          ),
        });
      const inner = make(space);
      await space.put(inner, policy, space.split(policy, 0));
      const [stable, canary] = space.backends(policy) as [Backend, Backend];
      return {
        router: asked(inner),
        policy,
        stable,
        canary,
        ...(percents === undefined ? {} : { percents }),
        until: (what, condition) =>
          until(what, async () => {
            if (await condition()) return true;
            await asking.again();
            return false;
          }),
        moveCanary: async () => {
          space.space.must(['delete', 'pod', '-l', 'haldane.dev/role=canary', '--wait=true']);
          const isGone = (host: string) => !space.endpoints('canary').includes(host);
          await until('the pods are gone', async () => canary.endpoints.every(({ host }) => isGone(host)));
          await space.untilAllAnswer();
          return space.backends(policy)[1] as Backend;
        },
        // What was seen grows old in minutes; that is tried on virtual time.
        blind: null,
        nextAgent: async () => {
          await space.lookAnew();
          return asked(make(space));
        },
        end: async () => {},
      };
    });
  });
}

describe('routers of a cluster', { skip: noCluster }, () => {
  if (noCluster) return;
  conforms(replicaShare());
  for (const at of gateways()) {
    conforms(gatewayApi(at, 'owned'));
    conforms(gatewayApi(at, 'adopted'));
  }
});
