// A release in the few words that kubectl prints. Pure; what it cannot read it leaves out.

interface ReleaseDocument {
  readonly phase: { readonly kind: string; readonly outcome?: { readonly kind: string; readonly sentence: string } };
  readonly weightPercent: number;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly verdicts: readonly { readonly check: string; readonly outcome: string; readonly message: string }[];
}

const WORST = ['fail', 'error', 'no-data', 'undecided', 'pass'];

export function releaseColumns(text: string): Record<string, unknown> {
  let release: ReleaseDocument;
  try {
    release = (JSON.parse(text) as { release: ReleaseDocument }).release;
  } catch {
    return {};
  }
  const { phase, weightPercent, startedAt, endedAt } = release;
  return {
    phase: phase.kind,
    weight: `${weightPercent} %`,
    verdict: worstVerdict(release.verdicts),
    startedAt,
    ...(endedAt === null ? {} : { endedAt }),
    ...(phase.outcome === undefined
      ? {}
      : { outcome: phase.outcome.kind, sentence: phase.outcome.sentence.slice(0, 4_096) }),
  };
}

/** "pass", "undecided (latency)": the verdict that keeps it, with the check that gives it. */
export function worstVerdict(verdicts: ReleaseDocument['verdicts']): string {
  const sorted = verdicts.toSorted((a, b) => WORST.indexOf(a.outcome) - WORST.indexOf(b.outcome));
  const [worst] = sorted;
  if (worst === undefined) return '';
  return worst.outcome === 'pass' ? 'pass' : `${worst.outcome} (${worst.check})`;
}
