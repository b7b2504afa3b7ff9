/**
 * `haldane lint`: a policy that is valid and still unwise, each finding with the fix. It names the anti-patterns and
 * refuses nothing; what must not run at all is refused by the rules.
 */

import { describeDuration } from '../model/duration.ts';
import type { ReleasePolicy, Stage } from '../model/policy.ts';
import type { Version } from '../model/version.ts';
import { clusterFindings } from './lint-kubernetes.ts';
import { peerFindings } from './lint-peers.ts';

export type LintSeverity = 'warning' | 'info';

export interface LintFinding {
  /** Stable, kebab-case. */
  readonly code: string;
  /** In the policy as written. */
  readonly path: string;
  readonly problem: string;
  readonly fix: string;
  readonly severity: LintSeverity;
}

export interface LintContext {
  /** Requests of stable, all routes. */
  readonly requestsPerSecond?: number;
  /** null, or left out: it does not stand in the policy. */
  readonly version?: Version | null;
  /** Pods of stable; of a Deployment it does not stand in the policy. */
  readonly replicas?: number;
}

type Rule = (policy: ReleasePolicy, context: LintContext) => readonly LintFinding[];

/**
 * @example lintPolicy(policy, { requestsPerSecond: 2 }).map((finding) => finding.code) // ['stage-too-short', ...]
 */
export function lintPolicy(policy: ReleasePolicy, context: LintContext = {}): readonly LintFinding[] {
  return RULES.flatMap((rule) => rule(policy, context));
}

function warn(code: string, path: string, problem: string, fix: string): LintFinding {
  return { code, path, problem, fix, severity: 'warning' };
}

function info(code: string, path: string, problem: string, fix: string): LintFinding {
  return { code, path, problem, fix, severity: 'info' };
}

const noChecks: Rule = ({ analysis }) =>
  analysis === 'checks'
    ? []
    : [
        warn(
          'no-checks',
          'spec.analysis',
          'nothing is measured: a bad version is promoted as surely as a good one',
          'take analysis: none out; the default checks need no configuration',
        ),
      ];

const straightToAll: Rule = ({ ramp }) =>
  ramp.kind === 'stages' && ramp.stages.length === 0
    ? [
        warn(
          'straight-to-100',
          'spec.stages',
          'a new version goes straight to everyone',
          'add a stage, for example {weight: 5, bake: 10m}, or write preset: fast',
        ),
      ]
    : [];

const LARGE_FIRST_WEIGHT_PERCENT = 20;

const largeFirstWeight: Rule = ({ ramp }) => {
  const first = ramp.kind === 'stages' ? ramp.stages[0] : undefined;
  if (first === undefined || first.weightPercent <= LARGE_FIRST_WEIGHT_PERCENT) return [];
  return [
    warn(
      'first-weight-large',
      'spec.stages[0].weight',
      `${first.weightPercent} % of the users meet a version that nobody has tried`,
      'start at 5 or less; a small share finds harm in almost as few requests',
    ),
  ];
};

/** To tell 1 % of errors from 0.01 % takes 185 canary requests at least (statistics 4, L2 at a share of 5 %). */
const LEAST_CANARY_REQUESTS = 200;
const LEAST_INTERVALS = 6;

const shortStages: Rule = ({ ramp, intervalMs, analysis }, { requestsPerSecond }) => {
  if (ramp.kind !== 'stages') return [];
  const findings: LintFinding[] = [];
  for (const [index, stage] of ramp.stages.entries()) {
    const path = `spec.stages[${index}].bake`;
    if (stage.bakeMs < LEAST_INTERVALS * intervalMs) {
      const least = describeDuration(LEAST_INTERVALS * intervalMs);
      const shown = describeDuration(stage.bakeMs);
      findings.push(
        warn(
          'stage-too-short',
          path,
          `${shown} is fewer than ${LEAST_INTERVALS} measurements`,
          `bake for at least ${least}`,
        ),
      );
    } else if (requestsPerSecond !== undefined && analysis === 'checks') {
      findings.push(...shortForTraffic(stage, requestsPerSecond, path));
    }
  }
  return findings;
};

function shortForTraffic(stage: Stage, requestsPerSecond: number, path: string): readonly LintFinding[] {
  const perSecond = (requestsPerSecond * stage.weightPercent) / 100;
  const expected = perSecond * (stage.bakeMs / 1_000);
  if (expected >= LEAST_CANARY_REQUESTS) return [];
  const neededMs = perSecond > 0 ? (LEAST_CANARY_REQUESTS / perSecond) * 1_000 : Number.POSITIVE_INFINITY;
  const longer = Number.isFinite(neededMs) ? `bake for ${describeDuration(neededMs)}, or ` : '';
  return [
    warn(
      'stage-too-short',
      path,
      `the canary would see about ${Math.round(expected)} requests here, too few to tell harm from chance`,
      `${longer}raise the weight`,
    ),
  ];
}

const noWayBack: Rule = ({ historyLimit, onDeadline, decision }) => {
  const findings: LintFinding[] = [];
  if (historyLimit === 0) {
    const problem = 'no release is kept: `rollback` reaches the last version only, and nobody can read why one failed';
    findings.push(warn('no-rollback-path', 'spec.historyLimit', problem, 'keep at least 5'));
  }
  if (onDeadline === 'hold' && decision === 'automatic') {
    const problem = 'a release without a verdict holds until a person comes';
    const fix = 'have someone notified (spec.notify), or write onDeadline: abort';
    findings.push(info('deadline-holds', 'spec.onDeadline', problem, fix));
  }
  return findings;
};

const abortKeeps: Rule = ({ onAbort }) =>
  onAbort === 'keep'
    ? [
        info(
          'abort-keeps-canary',
          'spec.onAbort.canary',
          'an aborted canary goes on running and using memory',
          'write retire once the failure is understood',
        ),
      ]
    : [];

const noProbe: Rule = ({ workload }) =>
  workload.kind === 'deployment' || workload.ready !== null
    ? []
    : [
        warn(
          'no-health-probe',
          `spec.workload.${workload.kind}.ready`,
          'a replica counts as ready as soon as its port is open',
          'add ready: {path: /healthz}, answering 200 only when requests can be served',
        ),
      ];

const noAffinity = warn(
  'no-user-key',
  'spec.affinity',
  'each request is drawn by itself, so a user flips between the versions',
  'write affinity: {}, so that a cookie keeps the version first given',
);

const noUserKey: Rule = ({ userKey, affinity, router }) => {
  if (userKey !== null || affinity !== null || router.kind === 'replicaShare') return [];
  if (router.kind === 'gatewayApi') return router.route.kind === 'adopted' ? [] : [noAffinity];
  return [
    warn(
      'no-user-key',
      'spec.userKey',
      'each request is drawn by itself, so a user flips between the versions',
      'name the cookie or header that holds a steady key, as in userKey: {cookie: user_id}; or write affinity: {}',
    ),
  ];
};

const sameUsers: Rule = ({ audience, userKey, router }) => {
  if (audience.length === 0 || userKey !== null || router.kind !== 'gateway') return [];
  return [
    info(
      'same-users-each-time',
      'spec.audience',
      'the audience is the same people on every release; the rest is not drawn by user',
      'add a userKey: a fresh salt per release then draws other users each time',
    ),
  ];
};

const errorsNotRequired: Rule = ({ analysis, checks }) => {
  const has = checks.some((check) => check.metric.kind === 'errors' && check.role === 'required');
  if (analysis === 'none' || has) return [];
  return [
    warn(
      'errors-not-required',
      'spec.checks',
      'a version that fails its users could be promoted: no required check asks for errors',
      'add - {name: errors, metric: {errors: {}}}',
    ),
  ];
};

const HUGE_BUDGET = 100;

const hugeBudget: Rule = ({ exposure }) => {
  if (exposure.badPerInterval <= HUGE_BUDGET) return [];
  return [
    warn(
      'exposure-budget-huge',
      'spec.exposure.badPerInterval',
      `${exposure.badPerInterval} bad requests per interval are accepted at risk`,
      'write 10 to 50',
    ),
  ];
};

const noRetryHeader: Rule = ({ errors, analysis, metrics }) =>
  errors.retryHeader !== null || analysis === 'none' || metrics.kind !== 'gateway'
    ? []
    : [
        info(
          'no-retry-header',
          'spec.errors.retryHeader',
          'retries of one user request count as several errors',
          'name the header that your clients repeat on a retry, if there is one',
        ),
      ];

const onlyLimits: Rule = ({ checks }) => {
  const bare = checks.filter(
    ({ metric, tolerance, rule }) => metric.kind === 'errors' && tolerance === null && rule === null,
  );
  return bare.map((check) =>
    info(
      'errors-not-compared',
      `spec.checks[${checks.indexOf(check)}]`,
      `"${check.name}" asks only for an absolute line, so harm below it is not seen`,
      'add tolerance: {} to compare with stable as well',
    ),
  );
};

const manyAtOnce: Rule = ({ canary, workload, ramp }) => {
  const largest = ramp.kind === 'stages' ? (ramp.stages.at(-1)?.weightPercent ?? 0) : ramp.maxWeightPercent;
  if (workload.kind !== 'processes' || canary.ratio >= 1 || largest < LARGE_FIRST_WEIGHT_PERCENT) return [];
  return [
    warn(
      'canary-undersized',
      'spec.canary.ratio',
      `at ${largest} % the canary has less capacity than its share, so it looks slower than it is`,
      'write ratio: 1 or more',
    ),
  ];
};

const notExpanded: Rule = (_policy, { version }) => {
  if (version?.template.kind !== 'processes') return [];
  const word = version.template.command.find((each) => /\$\{?[A-Za-z_]/.test(each));
  const isShell = /^(?:.*\/)?(?:ba|da|z|k)?sh$/.test(version.template.command[0] ?? '');
  if (word === undefined || isShell) return [];
  return [
    warn(
      'variable-not-expanded',
      'spec.workload.processes.template.command',
      `${word} reaches the program as it stands: no shell runs`,
      'let the program read PORT and HOST from its environment, or run ["sh", "-c", "exec ..."]',
    ),
  ];
};

const SECRET_NAME = /(?:^|_)(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_KEY|CREDENTIALS?)(?:$|_)/i;

const secretInPolicy: Rule = (_policy, { version }) => {
  if (version?.template.kind !== 'processes') return [];
  const names = Object.entries(version.template.env).filter(([name, value]) => SECRET_NAME.test(name) && value !== '');
  return names.map(([name]) =>
    warn(
      'secret-in-policy',
      `spec.workload.processes.template.env.${name}`,
      `${name} looks like a secret, and policies live in git`,
      'let the program read it from a file or from its own secret store',
    ),
  );
};

const RULES: readonly Rule[] = [
  secretInPolicy,
  noChecks,
  straightToAll,
  largeFirstWeight,
  shortStages,
  noWayBack,
  abortKeeps,
  noProbe,
  noUserKey,
  sameUsers,
  errorsNotRequired,
  hugeBudget,
  noRetryHeader,
  onlyLimits,
  peerFindings,
  clusterFindings,
  manyAtOnce,
  notExpanded,
];
