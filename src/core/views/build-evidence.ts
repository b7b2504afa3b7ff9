// One line of evidence per check, from its verdict; and about how long an undecided one still needs.
import type { Release } from '../engine/index.ts';
import type { Check } from '../model/check.ts';
import type { Verdict } from '../model/verdict.ts';
import { checkTitle } from './format.ts';
import type { EvidenceLine } from './release-view.ts';

export function evidenceLines(release: Release): EvidenceLine[] {
  return release.verdicts.flatMap((verdict) => {
    const check = release.policy.checks.find((known) => known.name === verdict.check);
    return check === undefined ? [] : [evidenceLine(release, check, verdict)];
  });
}

function evidenceLine(release: Release, check: Check, verdict: Verdict): EvidenceLine {
  const { numbers } = verdict;
  return {
    check: check.name,
    title: checkTitle(check),
    metric: check.metric.kind,
    role: check.role,
    outcome: verdict.outcome,
    reason: verdict.reason,
    message: verdict.message,
    exposure: verdict.exposure.outcome,
    promotion: verdict.promotion.outcome,
    canary: numbers.canary,
    stable: numbers.stable,
    excess: numbers.excess,
    lower: numbers.lower,
    upper: numbers.upper,
    tolerance: numbers.tolerance,
    ratio: check.tolerance?.ratio ?? null,
    against: check.metric.kind === 'gauge' ? 'gauge' : check.tolerance === null ? 'limit' : 'stable',
    value: numbers.value,
    unit: check.metric.kind !== 'gauge' ? null : check.metric.reading === 'cpuPercent' ? 'percent' : 'bytes',
    etaMs: etaMs(release, verdict),
    log: {
      harm: numbers.logHarm,
      harmLine: numbers.logHarmLine,
      noHarm: numbers.logNoHarm,
      noHarmLine: numbers.logNoHarmLine,
    },
  };
}

/** Evidence below this says nothing yet about how fast it grows. */
const LEAST_LOG = 0.3;
const LEAST_WINDOWS = 5;

/** Evidence grows about evenly with time at a steady weight; a straight line from the start is what it says. */
function etaMs(release: Release, verdict: Verdict): number | null {
  const { logNoHarm, logNoHarmLine } = verdict.numbers;
  const isOpen = verdict.promotion.outcome === 'undecided' && release.phase.kind === 'testing';
  if (!isOpen || release.windows < LEAST_WINDOWS || logNoHarm < LEAST_LOG) return null;
  const leftMs = (release.elapsed.testingMs * (logNoHarmLine - logNoHarm)) / logNoHarm;
  return Number.isFinite(leftMs) && leftMs >= 0 ? leftMs : null;
}
