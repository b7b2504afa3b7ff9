// What a plan has to know of the traffic: as given, else as the running agent sees it now. Refuses to invent a base rate: a
// plan for made-up traffic would be believed.
import type { Check } from '../core/model/check.ts';
import { nearestName } from '../core/model/nearest.ts';
import type { ReleasePolicy } from '../core/model/policy.ts';
import type { CheckTraffic, Harm } from '../core/rehearsal/index.ts';
import type { Detection } from '../core/views/index.ts';
import { type CommonOptions, connect } from './common.ts';
import type { Context } from './context.ts';
import { CliError } from './errors.ts';

export interface TrafficOptions extends CommonOptions {
  readonly rps?: string;
  readonly errorRate?: string;
  readonly base?: readonly string[];
}

export interface Traffic {
  readonly requestsPerSecond: number;
  readonly checks: Readonly<Record<string, CheckTraffic>>;
  readonly notes: readonly string[];
}

export async function trafficOf(
  context: Context,
  policy: ReleasePolicy,
  tried: readonly Check[],
  options: TrafficOptions,
): Promise<Traffic> {
  const given = givenBases(tried, options.base ?? []);
  const errorRate = options.errorRate === undefined ? null : percentOf(options.errorRate, '--error-rate');
  const isMissing = (check: Check) =>
    needsBase(check) && given[check.name] === undefined && !(isErrors(check) && errorRate !== null);
  const seen = options.rps === undefined || tried.some(isMissing) ? await seenByAgent(context, policy, options) : null;
  const requestsPerSecond = options.rps === undefined ? (seen?.perSecond ?? 0) : numberOf(options.rps, '--rps');
  if (!(requestsPerSecond > 0)) {
    const problem =
      seen === null ? 'no agent says how much traffic there is' : 'the gateway of the agent sees no traffic now';
    throw new CliError(problem, {
      code: 'traffic',
      path: '--rps',
      fix: 'say how many requests a second come: --rps 100',
    });
  }
  const notes = options.rps === undefined ? [`traffic as the agent's gateway saw it just now`] : [];
  const checks: Record<string, CheckTraffic> = {};
  for (const check of tried) {
    const known =
      given[check.name] ??
      (isErrors(check) && errorRate !== null ? { badRate: errorRate, requestsPerSecond: null } : null);
    checks[check.name] = known ?? seenBase(check, seen);
  }
  return { requestsPerSecond, checks, notes };
}

const isErrors = ({ metric }: Check) => metric.kind === 'errors';
/** What is slow is defined by stable itself. */
const needsBase = ({ metric }: Check) => metric.kind !== 'latency';

function seenBase(check: Check, seen: Seen | null): CheckTraffic {
  if (!needsBase(check)) return { badRate: 0, requestsPerSecond: null };
  const badRate = seen?.detections.find((each) => each.check === check.name)?.baseRate ?? null;
  if (badRate !== null) return { badRate, requestsPerSecond: null };
  throw new CliError(`how many requests of ${check.name} are bad with the version of today?`, {
    code: 'traffic',
    path: isErrors(check) ? '--error-rate' : '--base',
    fix: isErrors(check) ? 'write --error-rate 0.1%' : `write --base ${check.name}=20%`,
  });
}

interface Seen {
  readonly perSecond: number;
  readonly detections: readonly Detection[];
}

/** Null where no agent runs, or none that knows this policy. */
async function seenByAgent(context: Context, { name }: ReleasePolicy, options: CommonOptions): Promise<Seen | null> {
  try {
    const client = await connect(context, options);
    if ((await client.policy(name)) === null) return null;
    const { detections } = await client.doctor(name);
    return { perSecond: detections[0]?.perSecond ?? 0, detections };
  } catch (error) {
    if (error instanceof CliError && ['no-agent', 'kubeconfig'].includes(error.code)) return null;
    throw error;
  }
}

const BASE = /^(?<name>[^=]+)=(?<rate>[^@]+)(?:@(?<rps>.+))?$/;

function givenBases(tried: readonly Check[], bases: readonly string[]): Record<string, CheckTraffic> {
  const given: Record<string, CheckTraffic> = {};
  const names = tried.map(({ name }) => name);
  for (const base of bases) {
    const { name = '', rate = '', rps } = BASE.exec(base)?.groups ?? {};
    if (!names.includes(name)) {
      const near = nearestName(name, names);
      const fix = `write --base ${near ?? names[0] ?? 'errors'}=0.1%, or with its own traffic: =0.1%@20`;
      throw new CliError(`"${base}" names no check of requests`, { code: 'usage', path: '--base', fix });
    }
    given[name] = {
      badRate: percentOf(rate, '--base'),
      requestsPerSecond: rps === undefined ? null : numberOf(rps, '--base'),
    };
  }
  return given;
}

/** "2%", "5x" or "all". */
export function harmOf(text: string): Harm {
  if (text === 'all') return { rate: 1 };
  const times = /^(?<times>\d+(?:\.\d+)?)x$/.exec(text)?.groups?.times;
  if (times !== undefined && Number(times) > 1) return { times: Number(times) };
  if (times === undefined) return { rate: percentOf(text, '--bad') };
  throw new CliError(`${text} is not worse`, { code: 'usage', path: '--bad', fix: 'write --bad 5x' });
}

export function percentOf(text: string, option: string): number {
  const percent = /^(?<percent>\d+(?:\.\d+)?)\s*%$/.exec(text)?.groups?.percent;
  if (percent !== undefined && Number(percent) <= 100) return Number((Number(percent) / 100).toPrecision(12));
  const isNumber = /^\d+(?:\.\d+)?$/.test(text);
  throw new CliError(`"${text}" is not a percentage`, {
    code: 'usage',
    path: option,
    fix: isNumber ? `write it with its sign: ${text}%` : 'write a percentage such as 0.1%',
  });
}

export function numberOf(text: string, option: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0 && value <= 1e7) return value;
  throw new CliError(`"${text}" is not a number above 0`, { code: 'usage', path: option, fix: `write ${option} 100` });
}
