// What the tests of this workload start from: a cluster in memory, a policy, versions by their images, and an engine that
// asks again until a place has what it shall have.
import type { Admission } from '../../../cluster/admission.ts';
import { NAMESPACE, podTemplate, RollingCluster } from '../../../cluster/doubles/rolling-cluster.ts';
import { type PodTemplate, templateImages, templateLabel, templateRevision } from '../../../cluster/revision.ts';
import type { StablePlace } from '../../../core/model/observed.ts';
import { spareRevision } from '../../../core/model/observed.ts';
import type { DeploymentWorkload, ReleasePolicy } from '../../../core/model/policy.ts';
import type { Version } from '../../../core/model/version.ts';
import type { KubeApi } from '../../../kubernetes/index.ts';
import { silentLog } from '../../../lib/log.ts';
import { Deployments } from '../deployment.ts';

const WORKLOAD: DeploymentWorkload = {
  kind: 'deployment',
  deployment: 'shop',
  container: null,
  pods: 'isolated',
  label: null,
  onRemoval: 'restore',
};

/** Only what this workload reads of a policy. */
export function policyOf(workload: Partial<DeploymentWorkload> = {}): ReleasePolicy {
  return {
    name: `${NAMESPACE}/shop`,
    workload: { ...WORKLOAD, ...workload },
    router: { kind: 'replicaShare', service: 'shop' },
  } as ReleasePolicy;
}

export function versionOf(template: PodTemplate): Version {
  return {
    revision: templateRevision(template),
    label: templateLabel(template, null),
    template: { kind: 'deployment', images: templateImages(template) },
  };
}

export class World {
  readonly cluster = new RollingCluster();
  readonly kept = new Map<string, PodTemplate>();
  policy: ReleasePolicy;
  admission: Admission = { kind: 'there' };
  isSuspended = false;
  workload: Deployments;

  constructor(workload: Partial<DeploymentWorkload> = {}) {
    this.policy = policyOf(workload);
    this.workload = this.agent();
  }

  /** Another process over the same cluster. */
  agent(api: KubeApi = this.cluster.api): Deployments {
    return new Deployments({
      api,
      caches: this.cluster.caches,
      templates: { get: (_policy, revision) => this.kept.get(revision) ?? null },
      clock: this.cluster.clock,
      log: silentLog,
      admission: () => this.admission,
      isSuspended: () => this.isSuspended,
    });
  }

  /** A version whose Release has its template. */
  known(image: string): Version {
    const template = podTemplate(image);
    this.kept.set(templateRevision(template), template);
    return versionOf(template);
  }

  async place(): Promise<StablePlace> {
    const { place } = await this.workload.observe(this.policy);
    if (place === undefined) throw new Error('there is no place');
    return place;
  }

  /** One look of the engine that wants this in stable's place. */
  ask(version: Version): Promise<void> {
    return this.workload.ensure(this.policy, [{ version, replicas: 3, role: 'stable' }]);
  }

  tryOut(version: Version, replicas = 1): Promise<void> {
    return this.workload.ensure(this.policy, [{ version, replicas, role: 'canary' }]);
  }

  /** The engine looks and asks until the place serves this and is at rest. Returns how many looks it took. */
  async until(version: Version, most = 40): Promise<number> {
    for (let look = 0; look < most; look += 1) {
      const place = await this.place();
      if (place.serving === version.revision && place.heading === version.revision && place.isSettled) return look;
      await this.ask(version);
      await this.cluster.pass();
    }
    throw new Error(`never came to rest with ${version.label}: ${JSON.stringify(await this.place())}`);
  }

  /** From nothing to a first version that is held for and at rest. */
  async adopt(image = 'app:v1', replicas = 3): Promise<Version> {
    await this.cluster.start();
    await this.cluster.deploy(podTemplate(image), replicas);
    const version = this.known(image);
    await this.until(version);
    return version;
  }

  /** A new image, by whoever deploys; the Release that is made of it keeps its template. */
  async apply(image: string): Promise<Version> {
    const version = this.known(image);
    await this.cluster.setTemplate(podTemplate(image));
    return version;
  }

  /** What waits takes stable's place, and what was tried beside it goes. */
  async promote(version: Version): Promise<void> {
    await this.until(version);
    await this.workload.retire(this.policy, [spareRevision(version.revision)]);
    await this.cluster.pass(2);
  }

  async images(of = 'shop'): Promise<readonly string[]> {
    const pods = await this.cluster.pods(of);
    return pods
      .map(({ spec }) => (spec.containers?.[0] as { readonly image?: string } | undefined)?.image ?? '')
      .sort();
  }

  end(): Promise<void> {
    return this.cluster.stop();
  }
}

/** A world of one test. */
export async function inWorld(
  body: (world: World) => Promise<void>,
  workload: Partial<DeploymentWorkload> = {},
): Promise<void> {
  const world = new World(workload);
  try {
    await body(world);
  } finally {
    await world.end();
  }
}
