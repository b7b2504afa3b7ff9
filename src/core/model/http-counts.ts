// From the counters of a data plane to the samples a check asks for: which requests are looked at, and which are bad.
// One place, so that every data plane and the simulator agree on what an error is.
import type { ErrorDefinition, Metric, RequestSelector } from './check.ts';
import { AUDIENCE_ROUTE, type Ending, type LatencyCell, type RequestCell } from './gateway.ts';
import type { Sample } from './measurement.ts';
import type { Revision } from './split.ts';

/** Requests that a rule sent are never looked at: they are no fair sample of the users. */
function selects(selector: RequestSelector, cell: { readonly route: string; readonly method?: string }): boolean {
  if (cell.route === AUDIENCE_ROUTE) return false;
  if (selector.routes !== null && !selector.routes.includes(cell.route)) return false;
  return selector.methods === null || cell.method === undefined || selector.methods.includes(cell.method);
}

/** Whether a request that ended this way counts as an error under the policy. */
export function countsAsError(errors: ErrorDefinition, ended: number | Ending): boolean {
  if (typeof ended === 'string') return errors.endings.includes(ended);
  return errors.statusCodes.includes(ended) || errors.statusClasses.includes(`${Math.floor(ended / 100)}xx`);
}

/** Whether a cell is looked at at all by a check: the policy's own selection, then the check's. */
function isCounted(
  errors: ErrorDefinition,
  selector: RequestSelector,
  cell: { route: string; method?: string },
): boolean {
  return !errors.exceptRoutes.includes(cell.route) && selects(errors, cell) && selects(selector, cell);
}

/** Requests and errors of one version. Requests ended by the user before an answer count only if the policy says so. */
export function errorSample(
  cells: readonly RequestCell[],
  revision: Revision,
  errors: ErrorDefinition,
  selector: RequestSelector,
): Sample {
  let total = 0;
  let bad = 0;
  for (const cell of cells) {
    if (cell.revision !== revision || !isCounted(errors, selector, cell)) continue;
    const isError = countsAsError(errors, cell.ended);
    if (cell.ended === 'client-closed' && !isError) continue;
    total += cell.count;
    if (isError) bad += cell.count;
  }
  return { kind: 'proportion', total, bad };
}

/** Latency bucket counts of one version. Histograms carry no method, so a method selection does not narrow them. */
export function latencySample(
  cells: readonly LatencyCell[],
  revision: Revision,
  errors: ErrorDefinition,
  selector: RequestSelector,
): Sample {
  const merged = new Map<number, number>();
  for (const cell of cells) {
    if (cell.revision !== revision || !isCounted(errors, selector, { route: cell.route })) continue;
    for (const [index, count] of cell.counts) merged.set(index, (merged.get(index) ?? 0) + count);
  }
  return { kind: 'latency', counts: [...merged].sort(([a], [b]) => a - b) };
}

/** Steps of users: how many of the `from` requests went on to a successful `to` request; "bad" are those that did not. */
export function businessSample(
  cells: readonly RequestCell[],
  revision: Revision,
  metric: Extract<Metric, { kind: 'business' }>,
): Sample {
  let total = 0;
  let done = 0;
  for (const cell of cells) {
    if (cell.revision !== revision) continue;
    if (selects(metric.from, cell)) total += cell.count;
    const succeeded = typeof cell.ended === 'number' && cell.ended < 400;
    if (succeeded && selects(metric.to, cell)) done += cell.count;
  }
  // More steps than starts can fall into one window; the surplus belongs to starts of the window before.
  return { kind: 'proportion', total: Math.max(total, done), bad: Math.max(0, total - done) };
}
