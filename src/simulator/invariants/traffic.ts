// I1 and I2, asked of the world at the moment the controller asks for something: a split needs replicas that were
// there, and capacity goes only when no traffic is left. What dies by itself is the world's fault, not the controller's.
import type { Backend, WantedVersion } from '../../core/model/effect.ts';
import { type Split, weightOf } from '../../core/model/split.ts';
import type { Book } from './book.ts';

const ROUNDING_MS = 1;

export type Accuse = (invariant: string, message: string) => void;

/** I1: every version that is to get traffic has an endpoint that was ready when the controller last looked, or since. */
export function checkEndpoints(book: Book, split: Split, backends: readonly Backend[], accuse: Accuse): void {
  const needed = new Set(split.rules.map((rule) => rule.revision));
  for (const { revision, weightPercent } of split.weights) if (weightPercent > 0) needed.add(revision);
  const { replicas, seen } = book.service;
  for (const revision of needed) {
    const endpoints = backends.find((backend) => backend.revision === revision)?.endpoints ?? [];
    const isReal = endpoints.some(({ port }) => {
      const replica = replicas.byPort(port);
      if (replica === undefined || replica.revision !== revision) return false;
      if (replica.state === 'ready') return true;
      return replica.endedBy === 'itself' && replica.lastReadyMs >= seen.workloadAtMs;
    });
    if (!isReal) {
      accuse('I1', `traffic is asked for ${revision}, of which no named endpoint was ready (${names(endpoints)})`);
    }
  }
}

/** Row 11: a canary's weight is covered by replicas that were ready. Stable is taken back to whatever it has. */
export function checkCapacity(book: Book, split: Split, backends: readonly Backend[], accuse: Accuse): void {
  const stable = book.state?.stable?.revision;
  const { policy } = book.state?.release ?? book.scenario;
  if (policy.workload.kind !== 'processes') return;
  for (const { revision, weightPercent } of split.weights) {
    const { applied, pending } = book.service.plane.carries(revision);
    const { split: seen } = book.service.seen.router ?? { split: null };
    const before = Math.max(applied, pending, seen === null ? 0 : weightOf(seen, revision));
    if (revision === stable || weightPercent <= before) continue;
    const needed = Math.ceil((weightPercent / 100) * policy.workload.replicas * policy.canary.ratio - 1e-9);
    const there = (backends.find((backend) => backend.revision === revision)?.endpoints ?? []).filter(({ port }) => {
      const replica = book.service.replicas.byPort(port);
      return replica !== undefined && Math.max(replica.readyAtMs, replica.lastReadyMs) >= 0;
    }).length;
    if (there < Math.min(needed, policy.workload.replicas)) {
      accuse('I1', `row 11: ${revision} is asked to take ${weightPercent} % with ${there} replicas, needs ${needed}`);
    }
  }
}

/** I2: what is retired carries nothing in any instance of the data plane, and nothing of it is in flight. */
export function checkRetired(book: Book, revisions: readonly string[], nowMs: number, accuse: Accuse): void {
  const { plane, replicas } = book.service;
  const policy = book.state?.release?.policy ?? book.scenario.policy;
  for (const revision of revisions) {
    const running = replicas.versions.get(revision);
    if (running === undefined || running.wanted === 0) continue;
    const carried = plane.carries(revision);
    const handEditedSince = plane.instances.some(
      ({ applied }) => applied?.source === 'hand' && applied.askedMs >= book.service.seen.routerAtMs,
    );
    if (handEditedSince) continue;
    if (carried.applied > 0 || carried.pending > 0 || carried.byRule) {
      accuse(
        'I2',
        `${revision} is retired while the data plane gives it ${carried.applied} % (${carried.pending} % to come)`,
      );
      continue;
    }
    const open = plane.inFlight(revision);
    const cutForMs = nowMs - plane.carriedUntilMs(revision);
    if (open > 0 && cutForMs < policy.deadlines.drainMs - ROUNDING_MS) {
      accuse('I2', `${revision} is retired with ${open} requests in flight, ${cutForMs} ms after its traffic left`);
    }
  }
}

/** I2: nothing shrinks below what its share in the data plane needs. */
export function checkSizes(book: Book, wanted: readonly WantedVersion[], accuse: Accuse): void {
  const { plane, replicas } = book.service;
  const { policy } = book.state?.release ?? book.scenario;
  if (policy.workload.kind !== 'processes') return;
  for (const { version, replicas: count, role } of wanted) {
    const running = replicas.versions.get(version.revision);
    if (running === undefined || count >= running.wanted) continue;
    const base = Math.min(
      policy.workload.replicas,
      book.scenario.policy.workload.kind === 'processes' ? book.scenario.policy.workload.replicas : 1,
    );
    const share = plane.carries(version.revision).applied;
    const ratio = role === 'canary' ? policy.canary.ratio : 1;
    const needed = Math.ceil((share / 100) * base * Math.min(1, ratio) - 1e-9);
    if (count < needed) {
      accuse(
        'I2',
        `${version.revision} shrinks from ${running.wanted} to ${count} replicas while it carries ${share} %`,
      );
    }
  }
}

/** No request is lost by what the controller did. */
export function checkLedger(book: Book, accuse: Accuse): void {
  const { ledger } = book.service.plane;
  if (ledger.lostByController > 0) accuse('lost', ledger.firstLoss ?? 'requests were lost');
}

/** I5: only versions people declared get traffic or are touched, each policy its own. */
export function checkOwned(book: Book, revisions: readonly string[], accuse: Accuse): void {
  for (const revision of revisions) {
    if (book.scenario.truths[revision] === undefined) {
      accuse('I5', `${revision} is none of the versions of ${book.scenario.policy.name}`);
    }
  }
}

export function canaryWeight(book: Book, split: Split): { readonly revision: string; readonly weight: number } | null {
  const stable = book.state?.stable?.revision;
  const canary = split.weights.find((entry) => entry.revision !== stable && entry.weightPercent > 0);
  return canary === undefined ? null : { revision: canary.revision, weight: weightOf(split, canary.revision) };
}

function names(endpoints: readonly { readonly port: number }[]): string {
  return endpoints.map(({ port }) => String(port)).join(', ') || 'none named';
}
