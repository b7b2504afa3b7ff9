/** Rules of routes and of what counts as an error: names exist, no route hides another, something can be an error. */
import { AUDIENCE_ROUTE, OTHER_ROUTE } from '../model/gateway.ts';
import { HEALTH_ROUTE } from './defaults.ts';
import { type Report, type RuleContext, refuseTwice, refuseUnknown } from './rule-report.ts';

type Path = readonly (string | number)[];
type Names = readonly (string | undefined)[] | undefined;

export function routesRules(context: RuleContext): void {
  ownRoutes(context);
  errorsRules(context);
  selections(context);
}

function ownRoutes({ spec, report }: RuleContext): void {
  const routes = spec.routes ?? [];
  const seen = new Set<string>();
  for (const [index, route] of routes.entries()) {
    const name = route?.name;
    const at = ['routes', index, 'name'];
    report.refuseIf(
      name === OTHER_ROUTE,
      at,
      '"other" already means every path that no route names',
      'choose another name',
    );
    report.refuseIf(
      name === AUDIENCE_ROUTE,
      at,
      '"audience" already means the requests that a rule of spec.audience sent, which no check compares',
      'choose another name',
    );
    if (name === undefined) continue;
    report.refuseIf(seen.has(name), at, `a route called "${name}" is there already`, 'give each route its own name');
    seen.add(name);
  }
  for (const [index, route] of routes.entries()) {
    const earlier = routes.slice(0, index).find((each) => hides(each?.path, route?.path))?.path;
    if (earlier === undefined) continue;
    const isSame = earlier === route?.path;
    const problem = isSame
      ? `${earlier} is there already`
      : `is never reached: ${earlier} before it takes those requests`;
    const fix = isSame ? 'take one of them out' : 'move this route before the wider one';
    report.refuse(['routes', index, 'path'], problem, fix);
  }
}

function hides(wider: string | undefined, narrower: string | undefined): boolean {
  if (wider === undefined || narrower === undefined) return false;
  if (!wider.endsWith('*')) return wider === narrower;
  const prefix = wider.slice(0, -1);
  return (narrower.endsWith('*') ? narrower.slice(0, -1) : narrower).startsWith(prefix);
}

function errorsRules({ spec, report }: RuleContext): void {
  const { classes, codes, endings, routes, exceptRoutes } = spec.errors ?? {};
  if (classes?.length === 0 && codes?.length === 0 && endings?.length === 0) {
    report.refuse(
      ['errors'],
      'nothing counts as an error, so the errors check could never fail',
      'name classes, codes or endings; the default is classes: [5xx]',
    );
  }
  refuseTwice(report, ['errors', 'classes'], classes ?? [], 'class');
  refuseTwice(report, ['errors', 'codes'], codes ?? [], 'code');
  refuseTwice(report, ['errors', 'endings'], endings ?? [], 'ending');
  for (const [index, name] of (exceptRoutes ?? []).entries()) {
    if (name !== undefined && routes?.includes(name)) {
      report.refuse(
        ['errors', 'exceptRoutes', index],
        `"${name}" is in errors.routes as well`,
        'keep it in one of the two',
      );
    }
  }
}

function selections({ spec, report }: RuleContext): void {
  const names = [...new Set([...(spec.routes ?? []).map((route) => route?.name), HEALTH_ROUTE, OTHER_ROUTE])];
  const known = { what: 'route', names: names.filter((name) => name !== undefined) };
  const select = (path: Path, given: Names) => {
    for (const [at, name] of (given ?? []).entries()) refuseUnknown(report, [...path, at], name, known);
  };
  listed(report, ['errors', 'routes'], spec.errors?.routes, 'routes');
  listed(report, ['errors', 'methods'], spec.errors?.methods, 'methods');
  refuseTwice(report, ['errors', 'exceptRoutes'], spec.errors?.exceptRoutes ?? [], 'route');
  select(['errors', 'routes'], spec.errors?.routes);
  select(['errors', 'exceptRoutes'], spec.errors?.exceptRoutes);
  for (const [index, check] of (spec.checks ?? []).entries()) {
    const path = ['checks', index];
    select([...path, 'routes'], check?.routes);
    for (const side of ['from', 'to'] as const) {
      select([...path, 'metric', 'business', side, 'routes'], check?.metric?.business?.[side]?.routes);
    }
    countedRequests({ spec, report }, path, check ?? {});
    for (const [at, metric] of (check?.metric?.kayenta?.metrics ?? []).entries()) {
      const below = [...path, 'metric', 'kayenta', 'metrics', at];
      select([...below, 'routes'], metric?.routes);
      countedRequests({ spec, report }, below, metric ?? {});
    }
  }
}

function countedRequests(
  { spec, report }: Pick<RuleContext, 'spec' | 'report'>,
  path: Path,
  selector: { readonly routes?: Names; readonly methods?: Names },
): void {
  counted({ spec, report }, [...path, 'routes'], selector.routes);
  const { methods } = spec.errors ?? {};
  for (const [at, method] of (selector.methods ?? []).entries()) {
    if (method === undefined || (methods as Names)?.includes(method) !== false) continue;
    report.refuse(
      [...path, 'methods', at],
      `${method} is not in errors.methods, so no request would count`,
      'add it there, or take it out here',
    );
  }
}

function listed(report: Report, path: Path, given: readonly (string | undefined)[] | undefined, what: string): void {
  if (given?.length === 0) report.refuse(path, 'is an empty list', `take the line out for all ${what}`);
  refuseTwice(report, path, given ?? [], what.slice(0, -1));
}

/** A check that asks only for requests that never count would wait for data for ever. */
function counted({ spec, report }: Pick<RuleContext, 'spec' | 'report'>, path: Path, routes: Names): void {
  const only = spec.errors?.routes;
  const except = spec.errors?.exceptRoutes ?? (only === undefined ? [HEALTH_ROUTE] : []);
  for (const [at, name] of (routes ?? []).entries()) {
    if (name === undefined) continue;
    if (except.includes(name)) {
      report.refuse(
        [...path, at],
        `requests of "${name}" never count (errors.exceptRoutes)`,
        `take "${name}" out here, or write errors.exceptRoutes without it`,
      );
    } else if (only !== undefined && !only.includes(name)) {
      report.refuse(
        [...path, at],
        `requests of "${name}" never count: it is not in errors.routes`,
        'add it there, or take it out here',
      );
    }
  }
}
