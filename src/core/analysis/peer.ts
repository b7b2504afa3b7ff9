// Folds windows into a check that the rule of a peer judges: sums per interval of that rule, and a look at its end.
// Refuses to hand silence or a broken reading on as a value: they hold here, whatever the peer would do (ADR 0018).
import type { Check } from '../model/check.ts';
import type { Reading, Sample } from '../model/measurement.ts';
import type { Counts, Evidence } from './evidence.ts';
import type { Window } from './fold.ts';
import type { ArgoEvidence, FlaggerEvidence, KayentaEvidence, PeerEvidence } from './peer-evidence.ts';
import { lookKayenta } from './peer-kayenta.ts';
import { addSample, NO_SUMS, type PeerSums } from './peer-sums.ts';
import { argoDueMs, argoMetricOf, lookArgo, lookFlagger, ROUNDING_MS } from './peer-thresholds.ts';
import { unusable } from './samples.ts';
import { broken, fallSilent } from './silence.ts';

/** What one window brings for the check itself, or for one of its parts. */
type Heard =
  | { readonly kind: 'samples'; readonly canary: Sample | undefined; readonly stable: Sample | undefined }
  | { readonly kind: 'silent' | 'error'; readonly message: string };

export function foldPeer(check: Check, evidence: Evidence, peer: PeerEvidence, window: Window): Evidence {
  if (peer.kind === 'kayenta') return foldKayenta(check, evidence, peer, window);
  const heard = hear(check, window.reading, window);
  if (heard.kind === 'error')
    return broken({ ...evidence, peer: afterThreshold(check, peer, window, heard) }, heard.message);
  const counts = heard.kind === 'samples' ? { canary: countsOf(heard.canary), stable: countsOf(heard.stable) } : NOBODY;
  if (window.warmingUp && counts.canary.total > 0) return warmUp(evidence, counts.canary);
  const folded = { ...evidence, peer: afterThreshold(check, peer, window, heard) };
  if (counts.canary.total > 0) return counted(folded, counts);
  const message = heard.kind === 'silent' ? heard.message : NOTHING_SEEN;
  return fallSilent(check, folded, window, message);
}

const NOTHING_SEEN = 'the new version got nothing that this check looks at';
const NOBODY: Arms = { canary: { total: 0, bad: 0 }, stable: { total: 0, bad: 0 } };

interface Arms {
  readonly canary: Counts;
  readonly stable: Counts;
}

/** The clock goes on while a person pauses the release: the version serves all the same. */
function clockAfter({ clockMs }: PeerEvidence, { passedMs, settings }: Window): number {
  return clockMs + (passedMs > 0 ? passedMs : settings.intervalMs);
}

function hear(check: Check, reading: Reading | undefined, { canary, stable }: Window): Heard {
  if (reading === undefined) return { kind: 'silent', message: 'the source left this check out' };
  if (reading.kind === 'error') return { kind: 'error', message: reading.message };
  if (reading.kind === 'no-data') return { kind: 'silent', message: reading.message };
  const samples = {
    canary: reading.byRevision[canary],
    stable: stable === null ? undefined : reading.byRevision[stable],
  };
  for (const sample of [samples.canary, samples.stable]) {
    const problem = sample === undefined ? null : unusable(check, sample);
    if (problem !== null) return { kind: 'error', message: problem };
  }
  return { kind: 'samples', ...samples };
}

/** The window is added to the sums, and the look that is due is taken. */
function afterThreshold(
  check: Check,
  peer: FlaggerEvidence | ArgoEvidence,
  window: Window,
  heard: Heard,
): FlaggerEvidence | ArgoEvidence {
  const clockMs = clockAfter(peer, window);
  const isOfInterval = clockMs > intervalStartMs(check, peer);
  const sums = heard.kind === 'samples' && isOfInterval ? addAnew(peer.sums, heard.canary) : peer.sums;
  const { rule } = check;
  if (peer.kind === 'flagger') {
    const next = { ...peer, clockMs, sums };
    return rule?.kind === 'flagger' ? lookFlagger(check, rule, next, heard.kind === 'error') : next;
  }
  const next = { ...peer, clockMs, sums };
  const brokenBy = heard.kind === 'error' ? heard.message : null;
  return rule?.kind === 'argo' ? lookArgo(check, rule, next, brokenBy) : next;
}

/** A look reads one interval of the past: what was before the first look's is not summed. */
function intervalStartMs({ rule }: Check, peer: FlaggerEvidence | ArgoEvidence): number {
  if (rule?.kind !== 'argo' || peer.kind !== 'argo') return 0;
  return (argoDueMs(argoMetricOf(rule), peer) ?? 0) - rule.intervalMs + ROUNDING_MS;
}

/** Buckets that changed cannot be summed: the interval begins anew with them. */
function addAnew(sums: PeerSums, sample: Sample | undefined): PeerSums {
  return addSample(sums, sample) ?? addSample(NO_SUMS, sample) ?? NO_SUMS;
}

function warmUp(evidence: Evidence, canary: Counts): Evidence {
  const { total, bad } = evidence.warmUp;
  return { ...recovered(evidence), warmUp: { total: total + canary.total, bad: bad + canary.bad } };
}

function counted(evidence: Evidence, { canary, stable }: Arms): Evidence {
  return {
    ...recovered(evidence),
    canary: { total: evidence.canary.total + canary.total, bad: evidence.canary.bad + canary.bad },
    stable: { total: evidence.stable.total + stable.total, bad: evidence.stable.bad + stable.bad },
    windows: evidence.windows + 1,
  };
}

function recovered(evidence: Evidence): Evidence {
  return { ...evidence, silentMs: 0, isHeard: true, trouble: null };
}

function countsOf(sample: Sample | undefined): Counts {
  const { total, bad } = addAnew(NO_SUMS, sample);
  return { total, bad };
}

/** Each metric is heard by itself; the check is heard when both versions were, in any of them. */
function foldKayenta(check: Check, evidence: Evidence, peer: KayentaEvidence, window: Window): Evidence {
  if (check.metric.kind !== 'kayenta') return evidence;
  const { config } = check.metric;
  const heard = config.metrics.map(({ name, metric }) => ({
    name,
    heard: hear({ ...check, metric }, window.parts?.[name] ?? silence(window.reading), window),
  }));
  const arms = heard.map((part) =>
    part.heard.kind === 'samples'
      ? { canary: countsOf(part.heard.canary), stable: countsOf(part.heard.stable) }
      : NOBODY,
  );
  const counts: Arms = {
    canary: mostOf(arms.map(({ canary }) => canary)),
    stable: mostOf(arms.map(({ stable }) => stable)),
  };
  if (window.warmingUp && counts.canary.total > 0) return warmUp(evidence, { ...counts.canary, bad: 0 });
  const sums = { ...peer.sums };
  for (const part of heard) if (part.heard.kind === 'samples') sums[part.name] = addArms(sums[part.name], part.heard);
  const isHeard = counts.canary.total > 0 && counts.stable.total > 0;
  const clockMs = isHeard || !standsStill(check, evidence, window) ? clockAfter(peer, window) : peer.clockMs;
  const folded = { ...evidence, peer: lookKayenta(config, { ...peer, clockMs, sums }) };
  const failed = heard.find((part) => part.heard.kind === 'error');
  if (failed?.heard.kind === 'error') return broken(folded, `${failed.name}: ${failed.heard.message}`);
  if (isHeard) return counted(folded, counts);
  const silent = heard.find((part) => part.heard.kind === 'silent');
  const arm = counts.canary.total > 0 ? 'stable got nothing that this check looks at' : NOTHING_SEEN;
  const message = silent?.heard.kind === 'silent' && counts.canary.total === 0 ? silent.heard.message : arm;
  return fallSilent(check, folded, window, message);
}

/** Without data the lifetime does not run out, unless a metric must have data: then its absence is to be judged. */
function standsStill({ metric, noDataMs }: Check, { silentMs }: Evidence, { passedMs }: Window): boolean {
  const mustHaveData = metric.kind === 'kayenta' && metric.config.metrics.some((one) => one.mustHaveData);
  return silentMs + passedMs >= noDataMs && !mustHaveData;
}

/** What was said of the check as a whole, where its parts were not even asked. */
function silence(reading: Reading | undefined): Reading | undefined {
  return reading?.kind === 'samples' ? undefined : reading;
}

/** Metrics look at overlapping requests: the widest of them is shown. */
function mostOf(counts: readonly Counts[]): Counts {
  return counts.reduce((most, one) => (one.total > most.total ? one : most), { total: 0, bad: 0 });
}

function addArms(
  sums: KayentaEvidence['sums'][string] | undefined,
  { canary, stable }: Extract<Heard, { kind: 'samples' }>,
) {
  return {
    control: addAnew(sums?.control ?? NO_SUMS, stable),
    experiment: addAnew(sums?.experiment ?? NO_SUMS, canary),
  };
}
