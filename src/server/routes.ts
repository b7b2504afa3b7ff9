// The routes of the API: each asks, answers and knows nothing else. See docs/api.md.
import { type Context, Hono } from 'hono';
import { decodeRelease, submitCommand } from '../controller/index.ts';
import type { Command } from '../core/model/command.ts';
import { nearestName } from '../core/model/nearest.ts';
import { type ReleaseView, releaseLine, reportHtml, reportMarkdown } from '../core/views/index.ts';
import { checkChain, EMPTY_CHAIN } from '../ports/index.ts';
import { applyText } from './apply.ts';
import { applyBody, commandBody, readBody, shutdownBody, versionBody } from './bodies.ts';
import type { ServerDeps } from './deps.ts';
import { diagnose } from './doctor.ts';
import { viewStream } from './events.ts';
import { actorOf } from './guard.ts';
import type { LiveTraffics } from './live-traffic.ts';
import { declareVersion } from './new-version.ts';
import { ApiProblem, unknownPolicy } from './problems.ts';
import { readRelease, reportOf } from './reports.ts';
import type { Traces } from './traces.ts';
import type { ViewSource } from './view-source.ts';

export interface RouteDeps extends ServerDeps {
  readonly views: ViewSource;
  readonly live: LiveTraffics;
  readonly traces: Traces;
  readonly closing: AbortSignal;
}

const ANSWER_WAIT_MS = 15_000;
const DOCTOR_LOOK_MS = 2_000;

export function routesOf(deps: RouteDeps): Hono {
  const routes = new Hono();
  addPolicies(routes, deps);
  addWrites(routes, deps);
  addReleases(routes, deps);
  addJournal(routes, deps);
  routes.get('/v1/health', async (c) => c.json(await health(deps)));
  routes.post('/v1/shutdown', async (c) => {
    const { everything } = readBody(shutdownBody, await jsonOf(c));
    deps.log.info('told to end', { actor: actorOf(c.req.header('x-haldane-actor')), everything });
    deps.shutdown(everything);
    return c.json({ ending: true, everything });
  });
  return routes;
}

async function health(deps: RouteDeps) {
  const store = await deps.store.health();
  return {
    version: deps.version,
    pid: process.pid,
    wallTime: deps.clock.now().wallTime,
    store,
    notes: deps.notes,
    policies: (await deps.views.names()).length,
  };
}

async function viewOf(deps: RouteDeps, name: string): Promise<ReleaseView> {
  const view = await deps.views.view(name);
  if (view === null) throw unknownPolicy(name, nearestName(name, await deps.views.names()));
  return view;
}

function addPolicies(routes: Hono, deps: RouteDeps): void {
  routes.get('/v1/policies', async (c) => c.json({ policies: await deps.views.views() }));
  routes.get('/v1/policies/:name', async (c) => c.json(await viewOf(deps, c.req.param('name'))));
  routes.get('/v1/policies/:name/events', async (c) => {
    const policy = c.req.param('name');
    await viewOf(deps, policy);
    const sse = (c.req.header('accept') ?? '').includes('text/event-stream');
    const stream = viewStream({ policy, sse, controller: deps.controller, views: deps.views, closing: deps.closing });
    return c.body(stream, 200, {
      'content-type': sse ? 'text/event-stream' : 'application/x-ndjson',
      'cache-control': 'no-store',
    });
  });
  routes.get('/v1/policies/:name/releases', async (c) => {
    const name = c.req.param('name');
    await viewOf(deps, name);
    const now = deps.clock.now().wallTime;
    const stored = await deps.store.releases(name);
    return c.json({ releases: stored.map(({ id, document }) => releaseLine(decodeRelease(id, document), now)) });
  });
  routes.get('/v1/policies/:name/doctor', async (c) => {
    const name = c.req.param('name');
    await viewOf(deps, name);
    const view = deps.controller.view(name);
    if (view === null) {
      throw new ApiProblem(503, 'the agent has not looked at this policy yet', {
        code: 'not-looked-yet',
        retry: 'now',
        fix: 'ask again in a second',
      });
    }
    return c.json(await diagnose({ ...deps, lookMs: DOCTOR_LOOK_MS }, view));
  });
}

function addWrites(routes: Hono, deps: RouteDeps): void {
  routes.post('/v1/apply', async (c) => {
    const body = readBody(applyBody, await jsonOf(c));
    const applied = await applyText(deps.store, { ...body, folder: body.folder ?? deps.defaultFolder });
    if (!body.dryRun) noteApplied(deps, c, applied);
    return c.json({ dryRun: body.dryRun, policies: applied });
  });
  routes.post('/v1/policies/:name/versions', async (c) => {
    const name = c.req.param('name');
    await viewOf(deps, name);
    const answer = await declareVersion(deps.store, name, readBody(versionBody, await jsonOf(c)));
    deps.log.info('version declared', {
      policy: name,
      version: answer.version,
      actor: actorOf(c.req.header('x-haldane-actor')),
    });
    return c.json(answer);
  });
  routes.post('/v1/policies/:name/commands', (c) => takeCommand(deps, c));
  routes.delete('/v1/policies/:name', async (c) => {
    const name = c.req.param('name');
    await viewOf(deps, name);
    await deps.store.withdraw(name);
    deps.log.info('policy withdrawn', { policy: name, actor: actorOf(c.req.header('x-haldane-actor')) });
    return c.json({ policy: name, withdrawn: true, message: 'its versions run on and its gateway serves on' });
  });
}

function noteApplied(
  deps: RouteDeps,
  c: Context,
  applied: readonly { policy: string; change: string; version: string }[],
): void {
  const actor = actorOf(c.req.header('x-haldane-actor'));
  for (const { policy, change, version } of applied)
    deps.log.info('policy applied', { policy, change, version, actor });
}

async function takeCommand(deps: RouteDeps, c: Context): Promise<Response> {
  const name = c.req.param('name') ?? '';
  await viewOf(deps, name);
  const body = readBody(commandBody, await jsonOf(c));
  const command: Command = {
    id: body.id ?? deps.random.id(),
    verb: body.verb,
    policy: name,
    release: body.release ?? null,
    actor: actorOf(c.req.header('x-haldane-actor')),
    reason: body.reason ?? null,
    skipAnalysis: body.skipAnalysis,
    gate: body.gate ?? null,
    revision: body.revision ?? null,
    wallTime: deps.clock.now().wallTime,
  };
  const answer = await submitCommand(deps, command, ANSWER_WAIT_MS);
  if (answer === null) {
    const message = 'recorded; the agent has not answered yet';
    return c.json({ id: command.id, accepted: null, message }, 202);
  }
  if (answer.accepted) return c.json(answer);
  const body409 = {
    code: 'command-refused',
    path: body.verb,
    problem: answer.message,
    fix: `haldane help ${body.verb} says when it is obeyed`,
    retry: 'never',
  };
  return c.json({ ...answer, ...body409 }, 409);
}

function addReleases(routes: Hono, deps: RouteDeps): void {
  const nowOf = () => deps.clock.now().wallTime;
  routes.get('/v1/releases/:id', async (c) => {
    const release = await readRelease(deps.store, c.req.param('id'));
    return c.json({ ...releaseLine(release, nowOf()), record: release });
  });
  routes.get('/v1/releases/:id/report', async (c) => c.json(await reportOf(deps, c.req.param('id'))));
  routes.get('/v1/releases/:id/report.json', async (c) => c.json(await reportOf(deps, c.req.param('id'))));
  routes.get('/v1/releases/:id/report.html', async (c) => c.html(reportHtml(await reportOf(deps, c.req.param('id')))));
  routes.get('/v1/releases/:id/report.md', async (c) =>
    c.body(reportMarkdown(await reportOf(deps, c.req.param('id'))), 200, {
      'content-type': 'text/markdown; charset=utf-8',
    }),
  );
}

const MOST_ENTRIES = 1_000;

function addJournal(routes: Hono, deps: RouteDeps): void {
  routes.get('/v1/journal', async (c) => {
    const { policy, release } = c.req.query();
    const after = numberOf(c.req.query('after'), 'after', Number.MAX_SAFE_INTEGER);
    const limit = numberOf(c.req.query('limit'), 'limit', MOST_ENTRIES) ?? 100;
    const query = { ...(policy && { policy }), ...(release && { release }), ...(after !== null && { after }), limit };
    const entries = await deps.store.journal(query);
    return c.json({
      entries: entries.map(({ document, ...entry }) => ({ ...entry, ...(JSON.parse(document) as object), document })),
    });
  });
  routes.post('/v1/journal/verify', async (c) => {
    let end = EMPTY_CHAIN;
    for (;;) {
      const entries = await deps.store.journal({ after: end.sequence, limit: MOST_ENTRIES });
      const checked = checkChain(entries, end);
      if (checked.kind === 'broken')
        return c.json({ intact: false, sequence: checked.sequence, message: checked.message });
      end = checked.end;
      if (entries.length < MOST_ENTRIES) break;
    }
    return c.json({ intact: true, entries: end.sequence, hash: end.hash });
  });
}

function numberOf(text: string | undefined, path: string, most: number): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0 && value <= most) return value;
  throw new ApiProblem(400, `${path} is not a whole number up to ${most}`, {
    code: 'query-refused',
    path,
    fix: 'leave it out, or give a number',
  });
}

async function jsonOf(c: Context): Promise<unknown> {
  const text = await c.req.text();
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiProblem(400, 'the body is not JSON', {
      code: 'body-refused',
      path: '(body)',
      fix: 'send a JSON object',
    });
  }
}
