// The operator's own figures in Prometheus' text format, made from the views when somebody asks: weight asked and share
// seen, stage, verdicts and evidence of each policy; API calls, queue, lag and lease of the operator.
import type { PolicyView } from '../../controller/index.ts';

/** Calls of the API server by verb, resource and status. */
export class CallCounts {
  readonly #counts = new Map<string, number>();
  #seconds = 0;

  add(verb: string, resource: string, status: number, ms: number): void {
    const key = `verb="${verb}",resource="${resource}",code="${status}"`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    this.#seconds += ms / 1_000;
  }

  get seconds(): number {
    return this.#seconds;
  }

  entries(): IterableIterator<[string, number]> {
    return this.#counts.entries();
  }
}

export interface OperatorFigures {
  readonly views: readonly PolicyView[];
  /** Percent of the requests seen lately that a version got; null where nothing was counted. */
  readonly sharePercent: (policy: string, revision: string) => number | null;
  readonly calls: CallCounts;
  /** Calls without an answer yet, those that wait for a connection among them. */
  readonly callsUnderWay: number;
  readonly isLeader: boolean;
  readonly nowWallMs: number;
  readonly version: string;
}

interface Family {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly samples: readonly (readonly [labels: string, value: number])[];
}

export function metricsText(figures: OperatorFigures): string {
  return [...policyFamilies(figures), ...ownFamilies(figures)].map(familyText).join('');
}

function policyFamilies({ views, nowWallMs, sharePercent }: OperatorFigures): readonly Family[] {
  const per = (value: (view: PolicyView) => number | null) =>
    views.flatMap((view): [string, number][] => {
      const number = value(view);
      return number === null ? [] : [[`policy="${escaped(view.name)}"`, number]];
    });
  const gauge = (name: string, help: string, value: (view: PolicyView) => number | null): Family => ({
    name: `haldane_${name}`,
    type: 'gauge',
    help,
    samples: per(value),
  });
  const shareSeen = (view: PolicyView) => {
    const release = releaseOf(view);
    return release === null ? null : sharePercent(view.name, release.to.revision);
  };
  return [
    gauge('weight_asked_percent', 'Weight asked for the new version.', (view) => releaseOf(view)?.weightPercent ?? 0),
    gauge('share_seen_percent', 'Share of the requests counted lately that the new version got.', shareSeen),
    gauge('stage', 'Stage of the release under way, from 1; 0 at rest.', stageOf),
    gauge('release_under_way', '1 while a release is under way.', (view) => (releaseOf(view) === null ? 0 : 1)),
    gauge('effects_owed', 'Effects decided and recorded, and not done yet.', (view) => view.owed.length),
    gauge('reconcile_lag_seconds', 'Seconds since the last look at the policy.', (view) => lagOf(view, nowWallMs)),
    gauge('trouble', '1 while the controller stumbles over the policy.', (view) => (view.trouble === null ? 0 : 1)),
    verdictFamily(views),
    evidenceFamily(views),
  ];
}

function releaseOf({ state }: PolicyView) {
  return state?.release != null && state.release.phase.kind !== 'ended' ? state.release : null;
}

function stageOf(view: PolicyView): number {
  const phase = releaseOf(view)?.phase;
  return phase?.kind === 'testing' ? phase.stage + 1 : 0;
}

function lagOf(view: PolicyView, nowWallMs: number): number | null {
  const at = Date.parse(view.wallTime);
  return Number.isNaN(at) ? null : Math.max(0, (nowWallMs - at) / 1_000);
}

const OUTCOMES = ['pass', 'fail', 'undecided', 'no-data', 'error'] as const;

function verdictFamily(views: readonly PolicyView[]): Family {
  const samples = views.flatMap((view) =>
    (releaseOf(view)?.verdicts ?? []).flatMap(({ check, outcome }) =>
      OUTCOMES.map((each): [string, number] => [
        `policy="${escaped(view.name)}",check="${escaped(check)}",outcome="${each}"`,
        each === outcome ? 1 : 0,
      ]),
    ),
  );
  return { name: 'haldane_verdict', type: 'gauge', help: '1 for the outcome of each check now.', samples };
}

function evidenceFamily(views: readonly PolicyView[]): Family {
  const samples = views.flatMap((view) =>
    (releaseOf(view)?.verdicts ?? []).flatMap(({ check, numbers }): [string, number][] => [
      [`policy="${escaped(view.name)}",check="${escaped(check)}",of="harm"`, numbers.logHarm],
      [`policy="${escaped(view.name)}",check="${escaped(check)}",of="no harm"`, numbers.logNoHarm],
    ]),
  );
  return { name: 'haldane_evidence_log', type: 'gauge', help: 'Natural logarithm of the evidence.', samples };
}

function ownFamilies({ calls, callsUnderWay, isLeader, version }: OperatorFigures): readonly Family[] {
  return [
    {
      name: 'haldane_api_calls_total',
      type: 'counter',
      help: 'Calls of the API server.',
      samples: [...calls.entries()],
    },
    {
      name: 'haldane_queue_depth',
      type: 'gauge',
      help: 'Calls of the API server under way or waiting for a connection.',
      samples: [['', callsUnderWay]],
    },
    { name: 'haldane_api_seconds_total', type: 'counter', help: 'Time spent in them.', samples: [['', calls.seconds]] },
    {
      name: 'haldane_leader',
      type: 'gauge',
      help: '1 while this instance holds the lease.',
      samples: [['', isLeader ? 1 : 0]],
    },
    { name: 'haldane_build_info', type: 'gauge', help: 'Version.', samples: [[`version="${escaped(version)}"`, 1]] },
    {
      name: 'process_resident_memory_bytes',
      type: 'gauge',
      help: 'Resident memory.',
      samples: [['', process.memoryUsage.rss()]],
    },
    {
      name: 'process_cpu_seconds_total',
      type: 'counter',
      help: 'Processor time.',
      samples: [['', (process.cpuUsage().user + process.cpuUsage().system) / 1e6]],
    },
  ];
}

function familyText({ name, type, help, samples }: Family): string {
  const lines = samples.map(([labels, value]) => `${name}${labels === '' ? '' : `{${labels}}`} ${numberText(value)}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n');
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
