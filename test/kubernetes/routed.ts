// A Deployment and its canary on a real cluster, a router that divides between them, and users who count every request.
// It refuses to say yes where a Gateway's address is not told by the environment.
import { type ChildProcess, spawn } from 'node:child_process';
import { get as httpGet } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../src/adapters/clock/system.ts';
import { lookAt } from '../../src/cluster/looking.ts';
import { LABEL, TRAFFIC_GATE } from '../../src/cluster/names.ts';
import type { Backend } from '../../src/core/model/effect.ts';
import type { ReleasePolicy, Router as RouterPolicy } from '../../src/core/model/policy.ts';
import type { Split } from '../../src/core/model/split.ts';
import {
  clusterConfigOf,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  HTTP_ROUTES,
  HttpKubeApi,
  type KubeObject,
  PODS,
  REPLICA_SETS,
  ResourceCache,
  SERVICES,
} from '../../src/kubernetes/index.ts';
import { silentLog } from '../../src/lib/log.ts';
import { samplePolicy } from '../../src/ports/doubles/index.ts';
import type { Router } from '../../src/ports/index.ts';
import { Namespace } from './cluster.ts';
import { followGates } from './gates.ts';

export interface GatewayAt {
  readonly title: string;
  readonly url: string;
  readonly namespace: string;
  readonly name: string;
  readonly canMirror: boolean;
}

/** The Gateways the environment tells of. */
export function gateways(): readonly GatewayAt[] {
  const known = [
    {
      title: 'Traefik',
      at: process.env.HALDANE_E2E_GATEWAY_TRAEFIK ?? 'default/web',
      url: process.env.HALDANE_E2E_URL_GATEWAY_API,
    },
    {
      title: 'Envoy',
      at: process.env.HALDANE_E2E_GATEWAY_ENVOY ?? 'default/envoy',
      url: process.env.HALDANE_E2E_URL_GATEWAY_API_ENVOY,
    },
  ];
  return known.flatMap(({ title, at, url }) => {
    const [namespace = '', name = ''] = at.split('/');
    return url === undefined ? [] : [{ title, url, namespace, name, canMirror: title === 'Envoy' }];
  });
}

const KINDS = {
  deployments: DEPLOYMENTS,
  replicaSets: REPLICA_SETS,
  pods: PODS,
  services: SERVICES,
  endpointSlices: ENDPOINT_SLICES,
  httpRoutes: HTTP_ROUTES,
} as const;

export type Caches = Readonly<Record<keyof typeof KINDS, ResourceCache<KubeObject>>>;

const ready = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1, initialDelaySeconds: 0 };

interface Sample {
  readonly image: string;
  readonly labels: object;
  readonly replicas: number;
  readonly gated: boolean;
}

function deployment(name: string, { image, labels, replicas, gated }: Sample): object {
  const gates = gated ? { readinessGates: [{ conditionType: TRAFFIC_GATE }] } : {};
  const containers = [{ name: 'app', image, ports: [{ containerPort: 8080 }], readinessProbe: ready }];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers, ...gates, terminationGracePeriodSeconds: 20 } },
    },
  };
}

export class Routed {
  readonly space = new Namespace('router-test');
  readonly api: HttpKubeApi;
  readonly #isShared: boolean;
  readonly #pods: Readonly<Record<'stable' | 'canary', number>>;
  readonly #end = new AbortController();
  #caches: Caches;

  constructor(isShared: boolean, pods = { stable: 2, canary: 2 }) {
    this.#isShared = isShared;
    this.#pods = pods;
    const config = clusterConfigOf({ kubeconfig: null, context: null, env: process.env });
    this.api = new HttpKubeApi({ config, userAgent: 'haldane-test' });
    this.#caches = this.#makeCaches();
  }

  get caches(): Caches {
    return this.#caches;
  }

  #makeCaches(): Caches {
    const clock = {
      now: () => systemClock.now().monotonicMs,
      sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms, signal),
    };
    const entries = Object.entries(KINDS).map(([name, resource]) => {
      const options = {
        api: this.api,
        resource,
        namespace: this.space.name,
        clock,
        random: Math.random,
        log: silentLog,
      };
      return [name, new ResourceCache(options)];
    });
    return Object.fromEntries(entries) as Caches;
  }

  get host(): string {
    return `${this.space.name}.test`;
  }

  readonly clock = systemClock;

  async start(): Promise<void> {
    this.space.create();
    const ports = [{ name: 'http', port: 80, targetPort: 8080 }];
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'shop' },
      spec: { selector: { app: 'shop' }, ports },
    };
    this.apply(service);
    const labels = { app: 'shop', part: 'shop' };
    this.apply(deployment('shop', { image: 'app:v1', labels, replicas: this.#pods.stable, gated: false }));
    this.startCanary();
    await this.#look();
    void followGates(this.api, [this.space.name], this.#end.signal);
    await this.untilAllAnswer();
  }

  async #look(): Promise<void> {
    const caches = Object.values(this.#caches);
    for (const cache of caches) cache.start();
    await Promise.all(caches.map((cache) => cache.whenSynced()));
  }

  untilAllAnswer(): Promise<void> {
    const { stable, canary } = this.#pods;
    return until('pods answer', async () => {
      return this.endpoints('shop').length === stable && this.endpoints('canary').length === canary;
    });
  }

  /** All that was seen is forgotten and looked at anew, as by an agent that comes after. */
  async lookAnew(): Promise<void> {
    await this.#stopLooking();
    this.#caches = this.#makeCaches();
    await this.#look();
  }

  async #stopLooking(): Promise<void> {
    await Promise.all(Object.values(this.#caches).map((cache) => cache.stop()));
  }

  startCanary(): void {
    const app = this.#isShared ? 'shop' : 'shop-canary';
    const labels = { app, [LABEL.policy]: 'shop', [LABEL.role]: 'canary', [LABEL.revision]: 'v2' };
    const { canary: replicas } = this.#pods;
    this.apply(deployment('shop-canary', { image: 'app:v2', labels, replicas, gated: this.#isShared }));
  }

  async end(): Promise<void> {
    this.#end.abort();
    await this.#stopLooking();
    this.space.remove();
    await this.api.close();
  }

  apply(object: object, manager = 'git', force = true): void {
    const conflicts = force ? ['--force-conflicts'] : [];
    this.space.must(['apply', '--server-side', ...conflicts, '--field-manager', manager, '-f', '-'], { input: object });
  }

  policy(router: RouterPolicy): ReleasePolicy {
    return samplePolicy(`${this.space.name}/shop`, {
      workload: {
        kind: 'deployment',
        deployment: 'shop',
        container: null,
        pods: this.#isShared ? 'shared' : 'isolated',
        label: null,
        onRemoval: 'restore',
      },
      router,
    });
  }

  /** Addresses of pods whose containers answer. */
  endpoints(which: 'shop' | 'canary'): readonly string[] {
    return this.caches.pods.list(this.space.name).flatMap(({ metadata, status }) => {
      const { podIP, conditions = [] } = status as { podIP?: string; conditions?: { type: string; status: string }[] };
      const isCanary = metadata.labels?.[LABEL.role] === 'canary';
      const answers = conditions.some(({ type, status: is }) => type === 'ContainersReady' && is === 'True');
      return answers && podIP !== undefined && isCanary === (which === 'canary') ? [podIP] : [];
    });
  }

  revisions(policy: ReleasePolicy): { readonly stable: string; readonly canary: string } {
    const { places } = lookAt(policy, this.caches);
    return { stable: places?.stable.serving ?? '', canary: places?.canary?.seenAs ?? 'v2' };
  }

  split(policy: ReleasePolicy, percent: number, more: Partial<Split> = {}): Split {
    const { stable, canary } = this.revisions(policy);
    const weights = [{ revision: stable, weightPercent: Math.round((100 - percent) * 100) / 100 }];
    if (percent > 0) weights.push({ revision: canary, weightPercent: percent });
    return { weights, rules: [], salt: 'salt', userKey: null, affinity: null, ...more };
  }

  backends(policy: ReleasePolicy): readonly Backend[] {
    const { stable, canary } = this.revisions(policy);
    const at = (which: 'shop' | 'canary') => this.endpoints(which).map((host) => ({ host, port: 8080 }));
    return [
      { revision: stable, label: 'v1', endpoints: at('shop') },
      { revision: canary, label: 'v2', endpoints: at('canary') },
    ];
  }

  /** Asks as the controller does, until it is in force. */
  async put(router: Router, policy: ReleasePolicy, split: Split): Promise<void> {
    await until(`in force: ${JSON.stringify(split.weights)}`, async () => {
      const result = await router.ensure(policy, split, this.backends(policy));
      if (result.kind !== 'converged') throw new Error(result.reason);
      return true;
    });
  }
}

export async function until(what: string, condition: () => Promise<boolean>, limitMs = 60_000): Promise<void> {
  const endMs = performance.now() + limitMs;
  let trouble = '';
  while (performance.now() < endMs) {
    try {
      if (await condition()) return;
    } catch (error) {
      trouble = `: ${String(error)}`;
    }
    await delay(100);
  }
  throw new Error(`still not ${what}${trouble}`);
}

export interface Answer {
  readonly status: number;
  readonly version: string;
  readonly cookies: readonly string[];
}

export function ask(url: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    httpGet(url, { headers }, (answer) => {
      answer.resume();
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          version: String(answer.headers['x-version'] ?? ''),
          cookies: answer.headers['set-cookie'] ?? [],
        }),
      );
    }).on('error', reject);
  });
}

/** Answers by version, of so many requests. */
export async function tally(
  url: string,
  headers: Readonly<Record<string, string>>,
  requests: number,
): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  let left = requests;
  const one = async () => {
    while (left-- > 0) {
      const { status, version } = await ask(url, headers);
      const as = status === 200 ? version : String(status);
      found[as] = (found[as] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 8 }, one));
  return found;
}

export interface Counted {
  readonly answered: Readonly<Record<string, number>>;
  readonly lost: readonly string[];
}

class Users {
  readonly #process: ChildProcess;
  #text = '';

  constructor(url: string, host: string, kind: 'both' | 'close') {
    const program = join(import.meta.dirname, 'router-load.mjs');
    this.#process = spawn(process.execPath, [program, url, host, '8', kind], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#process.stdout?.on('data', (chunk) => {
      this.#text += String(chunk);
    });
  }

  async end(): Promise<Counted> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.stdin?.end();
    await ended;
    return JSON.parse(this.#text) as Counted;
  }
}

/** What users met while this was done. */
export async function withUsers(
  { url, host, kind }: { readonly url: string; readonly host: string; readonly kind: 'both' | 'close' },
  act: () => Promise<void>,
): Promise<Counted> {
  const users = new Users(url, host, kind);
  let counted: Counted | null = null;
  try {
    await act();
  } finally {
    counted = await users.end();
  }
  return counted;
}

/** Whether so many of so many are what chance gives in all but one of a million trials. */
export function isChance(count: number, of: number, percent: number): boolean {
  const p = percent / 100;
  if (p === 0) return count === 0;
  const logFactorial = (n: number) => {
    let sum = 0;
    for (let k = 2; k <= n; k += 1) sum += Math.log(k);
    return sum;
  };
  const mass = (k: number) =>
    Math.exp(logFactorial(of) - logFactorial(k) - logFactorial(of - k) + k * Math.log(p) + (of - k) * Math.log(1 - p));
  let [below, at] = [0, 0];
  for (let k = 0; k <= count; k += 1) {
    at = mass(k);
    below += at;
  }
  return Math.min(below, 1 - below + at) >= 5e-7;
}

export function requestsSeen(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    httpGet(`http://${address}:8080/metrics`, (answer) => {
      let text = '';
      answer.on('data', (chunk) => {
        text += String(chunk);
      });
      answer.on('end', () => {
        const lines = text.split('\n').filter((line) => line.startsWith('http_requests_total{'));
        resolve(lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0));
      });
    }).on('error', reject);
  });
}
