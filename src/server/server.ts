// The agent's HTTP API on loopback: one listener, one token, JSON in and out. It refuses to listen on anything but
// loopback, requests without the token, foreign Host names and bodies beyond two megabytes.
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Endpoint } from '../core/model/gateway.ts';
import { HaldaneError } from '../lib/errors.ts';
import type { ServerDeps } from './deps.ts';
import { createGuard, isLoopback } from './guard.ts';
import { LiveTraffics } from './live-traffic.ts';
import { ApiProblem, problemOf } from './problems.ts';
import { routesOf } from './routes.ts';
import { Traces } from './traces.ts';
import { splitOf, ViewSource } from './view-source.ts';

export class ServerError extends HaldaneError {}

export interface RunningServer {
  readonly address: Endpoint;
  /** Ends streams and listeners; resolves when both are gone. */
  close(): Promise<void>;
}

const MOST_BODY_BYTES = 2 * 1_048_576;
const LOOK_EVERY_MS = 5_000;

export async function startServer(deps: ServerDeps): Promise<RunningServer> {
  if (!isLoopback(deps.listen)) {
    throw new ServerError(`the API does not listen on ${deps.listen.host}`, {
      code: 'api-not-loopback',
      path: '--api',
      fix: 'use 127.0.0.1 or ::1; reach it from elsewhere through ssh -L',
    });
  }
  const closing = new AbortController();
  const live = new LiveTraffics(deps.clock, deps.readCounts);
  const traces = new Traces(deps.traceFolder, deps.log);
  const views = new ViewSource({ ...deps, live });
  let port = deps.listen.port;
  const app = appOf({ ...deps, live, traces, views, closing: closing.signal }, () => port);
  const server = await listen(app, deps.listen);
  port = (server.address() as AddressInfo).port;
  traces.start(deps.controller);
  void lookAtTraffic(deps, live, closing.signal);
  return {
    address: { host: deps.listen.host === 'localhost' ? '127.0.0.1' : deps.listen.host, port },
    close: async () => {
      closing.abort();
      traces.stop();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        setTimeout(() => server.closeAllConnections(), 500).unref();
        server.closeIdleConnections();
      });
    },
  };
}

function appOf(deps: Parameters<typeof routesOf>[0], port: () => number): Hono {
  const guard = createGuard(deps.token, port);
  const app = new Hono();
  app.use('*', async (c, next) => {
    guard.checkHost(c.req.header('host'));
    guard.checkToken(c.req.header('authorization'));
    await next();
    c.header('x-content-type-options', 'nosniff');
    if (!c.res.headers.has('cache-control')) c.header('cache-control', 'no-store');
  });
  app.use(
    '*',
    bodyLimit({
      maxSize: MOST_BODY_BYTES,
      onError: () => {
        throw new ApiProblem(413, 'the body is larger than 2 MiB', {
          code: 'body-too-large',
          path: '(body)',
          fix: 'split the file',
        });
      },
    }),
  );
  app.route('/', routesOf(deps));
  app.notFound((c) => {
    const problem = new ApiProblem(404, `${c.req.method} ${c.req.path} is no route`, {
      code: 'route-unknown',
      path: c.req.path,
      fix: 'docs/api.md lists the routes',
    });
    return c.json(problemOf(problem).body, 404);
  });
  app.onError((error, c) => {
    const { status, body } = problemOf(error);
    if (status >= 500) deps.log.error('a request failed', { path: c.req.path, error });
    return c.json(body, status);
  });
  return app;
}

function listen(app: Hono, { host, port }: Endpoint): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname: host, port }, () => {
      server.off('error', onError);
      resolve(server as Server);
    });
    const onError = (error: NodeJS.ErrnoException) => {
      reject(
        new ServerError(`the API cannot listen on ${host}:${port}: ${error.code ?? error.message}`, {
          code: 'api-address',
          path: '--api',
          fix: 'give another port, or none for any free one',
          cause: error,
        }),
      );
    };
    server.once('error', onError);
  });
}

/** So that the first `haldane status` after a while shows shares at once. */
async function lookAtTraffic(deps: ServerDeps, live: LiveTraffics, closing: AbortSignal): Promise<void> {
  while (!closing.aborted) {
    for (const view of deps.controller.views()) await live.look(view.name, splitOf(view));
    await deps.clock.sleep(LOOK_EVERY_MS, closing);
  }
}
