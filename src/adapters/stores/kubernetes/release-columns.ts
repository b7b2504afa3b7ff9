// A release in the few words that kubectl prints. Pure; what it cannot read it leaves out.

export interface ReleaseFacts {
  readonly number?: number;
  readonly to?: { readonly revision: string; readonly label: string };
  readonly policy?: unknown;
  readonly phase?: { readonly kind: string; readonly outcome?: { readonly kind: string; readonly sentence: string } };
  readonly weightPercent?: number;
  readonly startedAt?: string;
  readonly endedAt?: string | null;
  readonly verdicts?: readonly Spoken[];
}

interface Spoken {
  readonly check: string;
  readonly outcome: string;
}

const WORST = ['fail', 'error', 'no-data', 'undecided', 'pass'];
const LONGEST = 4_096;

export function factsOfRelease(document: string): ReleaseFacts | null {
  try {
    return (JSON.parse(document) as { release?: ReleaseFacts } | null)?.release ?? null;
  } catch {
    return null;
  }
}

export function releaseColumns(document: string): Record<string, unknown> {
  const release = factsOfRelease(document);
  if (release === null) return {};
  const { phase, weightPercent, startedAt, endedAt } = release;
  const { kind, sentence } = phase?.outcome ?? {};
  const columns = {
    phase: phase?.kind,
    weight: weightPercent === undefined ? undefined : `${weightPercent} %`,
    verdict: release.verdicts === undefined ? undefined : worstVerdict(release.verdicts).slice(0, LONGEST),
    startedAt,
    endedAt: endedAt ?? undefined,
    outcome: kind,
    sentence: sentence?.slice(0, LONGEST),
  };
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
}

/** "pass", "undecided (latency)": the verdict that keeps it, with the check that gives it. */
export function worstVerdict(verdicts: readonly Spoken[]): string {
  const sorted = verdicts.toSorted((a, b) => WORST.indexOf(a.outcome) - WORST.indexOf(b.outcome));
  const [worst] = sorted;
  if (worst === undefined) return '';
  return worst.outcome === 'pass' ? 'pass' : `${worst.outcome} (${worst.check})`;
}
