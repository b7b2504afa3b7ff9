/** Rules of everything else: workload, users, capacity, deadlines, notifications. */
import { canonicalJson } from './canonical.ts';
import { DEFAULT_BAKE_MS } from './defaults.ts';
import { presetOf } from './presets.ts';
import { type RuleContext, refuseTwice } from './rule-report.ts';

/** Set for each replica; a value of the policy could not win. */
const OWN_VARIABLES = ['PORT', 'HOST'];

/** More rules than these slow every request down; the gateway refuses more. */
const MOST_RULES = 100;

export function specRules(context: RuleContext): void {
  workloadRules(context);
  userRules(context);
  unanalysedRules(context);
  timeRules(context);
  const { spec, report } = context;
  for (const key of ['routes', 'audience'] as const) {
    const count = spec[key]?.length ?? 0;
    report.refuseIf(count > MOST_RULES, [key], `holds ${count} entries`, `write at most ${MOST_RULES}`);
  }
  const notify = (spec.notify ?? []).map((each) => (each === undefined ? undefined : canonicalJson(each)));
  for (const [index, each] of notify.entries()) {
    if (each !== undefined && notify.indexOf(each) < index) {
      report.refuse(['notify', index], 'the same notification is there already', 'take one of them out');
    }
  }
}

function workloadRules({ spec, report, isWritten }: RuleContext): void {
  const { processes, upstreams } = spec.workload ?? {};
  const path = ['workload', 'processes'];
  for (const name of OWN_VARIABLES) {
    report.refuseIf(
      Object.hasOwn(processes?.template?.env ?? {}, name),
      [...path, 'template', 'env', name],
      `${name} is set by Haldane for each replica`,
      'take it out; the program finds its own address in HOST and PORT',
    );
  }
  const { initial = 0, max = Number.POSITIVE_INFINITY } = processes?.restart ?? {};
  report.refuseIf(
    initial > max,
    [...path, 'restart', 'max'],
    'is shorter than initial',
    'write max of at least initial',
  );
  if (upstreams === undefined) return;
  endpointRules({ spec, report });
  report.refuseIf(
    isWritten('canary'),
    ['canary'],
    'sizes processes that Haldane runs; upstreams are run by someone else',
    'take canary out',
  );
}

function endpointRules({ spec, report }: Pick<RuleContext, 'spec' | 'report'>): void {
  const path = ['workload', 'upstreams', 'template', 'endpoints'];
  const endpoints = spec.workload?.upstreams?.template?.endpoints ?? [];
  const isEmpty = spec.workload?.upstreams?.template?.endpoints?.length === 0;
  report.refuseIf(isEmpty, path, 'is an empty list', 'write at least one, as in 127.0.0.1:9001');
  const shown = endpoints.map((each) => (each === undefined ? undefined : `${each.host}:${each.port}`));
  refuseTwice(report, path, shown, 'endpoint');
  const listen = spec.router?.gateway?.listen;
  for (const [index, each] of shown.entries()) {
    report.refuseIf(
      each !== undefined && each === `${listen?.host}:${listen?.port}`,
      [...path, index],
      'is where the gateway itself listens',
      'write the address of the version, or change router.gateway.listen',
    );
  }
}

function userRules({ spec, report, isWritten }: RuleContext): void {
  const { userKey, affinity } = spec;
  if (userKey !== undefined && !isWritten('userKey', 'cookie') && !isWritten('userKey', 'header')) {
    report.refuse(
      ['userKey'],
      'names neither a cookie nor a header',
      'write cookie, header or both, as in {cookie: user_id}',
    );
  }
  if (userKey?.cookie !== undefined && userKey.cookie === affinity?.cookie) {
    report.refuse(
      ['affinity', 'cookie'],
      `"${affinity.cookie}" is the user key as well`,
      'give the affinity cookie a name of its own',
    );
  }
  if (affinity?.ttl !== undefined && affinity.ttl % 1_000 !== 0) {
    report.refuse(['affinity', 'ttl'], 'cookies live for whole seconds', 'write whole seconds, as in 30m');
  }
  const audience = (spec.audience ?? []).map((each) => {
    const header = each?.header && { ...each.header, name: each.header.name?.toLowerCase() };
    return each === undefined ? undefined : canonicalJson({ ...each, header });
  });
  for (const [index, each] of audience.entries()) {
    if (each !== undefined && audience.indexOf(each) < index) {
      report.refuse(['audience', index], 'the same rule is there already', 'take one of them out');
    }
  }
}

/** What `analysis: none` would never use is refused, not dropped (row 84). */
function unanalysedRules({ spec, report, isWritten }: RuleContext): void {
  if (spec.analysis !== 'none') return;
  const unused = [['alphas'], ['exposure', 'badPerInterval'], ['leastBake']];
  for (const path of unused) {
    if (isWritten(...path)) {
      report.refuse(
        path,
        'is never used with analysis: none',
        `take ${path.join('.')} out, or take analysis: none out`,
      );
    }
  }
}

function timeRules({ spec, report }: RuleContext): void {
  const release = spec.deadlines?.release;
  const leastBake = spec.leastBake;
  if (release === undefined) return;
  const preset = spec.preset === undefined ? undefined : presetOf(spec.preset);
  const bakes = spec.stages?.map((stage) => (stage?.weight === 100 ? 0 : (stage?.bake ?? DEFAULT_BAKE_MS)));
  const bakeMs = (bakes ?? preset?.stages.map((stage) => stage.bakeMs) ?? []).reduce((sum, each) => sum + each, 0);
  const path = ['deadlines', 'release'];
  if (release <= bakeMs) {
    report.refuse(
      path,
      'passes before the bake times of the stages are over',
      'write a later deadline or shorter bake times',
    );
  } else if (leastBake !== undefined && release <= leastBake) {
    report.refuse(path, 'passes before leastBake is over', 'write a later deadline or a shorter leastBake');
  }
}
