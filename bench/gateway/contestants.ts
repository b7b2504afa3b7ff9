// Who is measured: each does the same split (95/5 by a hash of the user's cookie, `canary: true` to the canary), keeps
// connections alive on both sides and says whom it forwards for. Each is one process on one core.
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GatewayConfig } from '../../src/core/model/gateway.ts';
import { GATEWAY_NODE_FLAGS } from '../../src/gateway/node-flags.ts';
import { programPath, startPinned, untilListening } from './machine.ts';

export interface Ports {
  readonly stable: number;
  readonly canary: number;
  readonly own: number;
}

export interface Contestant {
  readonly name: string;
  /** The program it needs, when that is not ours. */
  readonly program: string | null;
  start(directory: string, core: number, ports: Ports): Promise<ChildProcess>;
}

const node = process.execPath;

function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

async function launched(core: number, command: readonly string[], port: number): Promise<ChildProcess> {
  const child = startPinned(core, command);
  await untilListening(port);
  return child;
}

function written(directory: string, name: string, text: string): string {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

/** Everything a release uses is on: user cookie, rules, counted routes, retry header, histograms. */
export function gatewayConfig(ports: Ports, accessLog: string | null): GatewayConfig {
  const at = (port: number) => [{ host: '127.0.0.1', port }];
  return {
    generation: 1,
    service: 'shop',
    listen: { host: '127.0.0.1', port: ports.own },
    versions: [
      { revision: 'stable-1', label: 'v1', endpoints: at(ports.stable) },
      { revision: 'canary-1', label: 'v2', endpoints: at(ports.canary) },
    ],
    split: {
      weights: [
        { revision: 'stable-1', weightPercent: 95 },
        { revision: 'canary-1', weightPercent: 5 },
      ],
      rules: [{ header: { name: 'canary', value: 'true' }, revision: 'canary-1' }],
      salt: 'bench',
      userKey: { cookie: 'uid' },
      affinity: null,
    },
    routes: [
      { name: 'health', pattern: '/healthz' },
      { name: 'checkout', pattern: '/checkout/*' },
      { name: 'api', pattern: '/api/*' },
    ],
    retryHeader: 'x-request-id',
    timeouts: { connectMs: 1_000, responseMs: 10_000, idleMs: 60_000, headMs: 10_000 },
    limits: { headBytes: 16_384, bodyBytes: 104_857_600, connections: 10_000 },
    accessLog,
  };
}

function haldane(name: string, logs: boolean): Contestant {
  return {
    name,
    program: null,
    async start(directory, core, ports) {
      const state = join(directory, name);
      const config = gatewayConfig(ports, logs ? join(directory, 'access.log') : null);
      written(state, 'config.json', JSON.stringify({ config, listening: null }));
      return launched(
        core,
        [node, ...GATEWAY_NODE_FLAGS, here('../../src/main/gateway.ts'), '--state-dir', state],
        ports.own,
      );
    },
  };
}

const haproxy: Contestant = {
  name: 'haproxy',
  program: 'haproxy',
  start(directory, core, ports) {
    const config = `
global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 10s
  timeout http-request 10s
  timeout http-keep-alive 60s
  option forwardfor
  http-reuse always
frontend shop
  bind 127.0.0.1:${ports.own}
  http-request set-var(txn.user) req.cook(uid),xxh32,mod(10000)
  use_backend canary if { req.hdr(canary) -m str true }
  use_backend canary if { var(txn.user) -m int lt 500 }
  default_backend stable
backend stable
  server one 127.0.0.1:${ports.stable}
backend canary
  server one 127.0.0.1:${ports.canary}
`;
    const path = written(directory, 'haproxy.cfg', config);
    return launched(core, [programPath('haproxy') as string, '-db', '-f', path], ports.own);
  },
};

const nginx: Contestant = {
  name: 'nginx',
  program: 'nginx',
  start(directory, core, ports) {
    const config = `
daemon off;
worker_processes 1;
pid ${directory}/nginx-proxy.pid;
error_log /dev/null crit;
events { worker_connections 4096; }
http {
  access_log off;
  upstream stable { server 127.0.0.1:${ports.stable}; keepalive 256; }
  upstream canary { server 127.0.0.1:${ports.canary}; keepalive 256; }
  split_clients "bench\${cookie_uid}" $by_user { 5% canary; * stable; }
  map $http_canary $chosen { true canary; default $by_user; }
  keepalive_requests 100000000;
  server {
    listen 127.0.0.1:${ports.own} backlog=4096;
    location / {
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_pass http://$chosen;
    }
  }
}
`;
    const path = written(directory, 'nginx-proxy.conf', config);
    return launched(core, [programPath('nginx') as string, '-c', path, '-e', '/dev/null'], ports.own);
  },
};

function library(name: string): Contestant {
  return {
    name,
    program: null,
    start(_directory, core, ports) {
      const urls = [`http://127.0.0.1:${ports.stable}`, `http://127.0.0.1:${ports.canary}`];
      return launched(core, [node, here(`proxies/${name}.ts`), String(ports.own), ...urls], ports.own);
    },
  };
}

export const CONTESTANTS: readonly Contestant[] = [
  haldane('haldane', false),
  haldane('haldane-access-log', true),
  haproxy,
  nginx,
  library('http-proxy-3'),
  library('httpxy'),
];

/** What stands behind all of them: nginx answering from memory, on the other core. */
export function startUpstream(directory: string, core: number, ports: Ports): Promise<ChildProcess> {
  const body = 'x'.repeat(512);
  const config = `
daemon off;
worker_processes 1;
pid ${directory}/nginx-upstream.pid;
error_log /dev/null crit;
events { worker_connections 8192; }
http {
  access_log off;
  keepalive_requests 100000000;
  keepalive_timeout 75s;
  root ${directory};
  server { listen 127.0.0.1:${ports.stable} backlog=4096; location = / { return 200 "${body}"; } }
  server { listen 127.0.0.1:${ports.canary} backlog=4096; location = / { return 200 "${body}"; } }
}
`;
  written(directory, 'body-32k', 'y'.repeat(32_768));
  const path = written(directory, 'nginx-upstream.conf', config);
  return launched(core, [programPath('nginx') as string, '-c', path, '-e', '/dev/null'], ports.stable);
}
