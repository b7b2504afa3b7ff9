// /healthz, /readyz and /metrics of the operator. It answers nothing else and takes nothing.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HealthFaces {
  /** null: well; else why not. */
  readonly alive: () => string | null;
  readonly ready: () => string | null;
  readonly metrics: () => string;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

export async function startHealthServer(port: number, faces: HealthFaces): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://operator');
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'only GET is answered\n');
    if (pathname === '/healthz') return state(faces.alive());
    if (pathname === '/readyz') return state(faces.ready());
    if (pathname === '/metrics') return answer(200, faces.metrics(), 'text/plain; version=0.0.4; charset=utf-8');
    return answer(404, 'there are /healthz, /readyz and /metrics\n');

    function state(trouble: string | null): void {
      answer(trouble === null ? 200 : 503, `${trouble ?? 'ok'}\n`);
    }
    function answer(status: number, text: string, type = 'text/plain; charset=utf-8'): void {
      response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
      response.end(request.method === 'HEAD' ? undefined : text);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => resolve());
  });
  return { port: (server.address() as AddressInfo).port, close: () => closed(server) };
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
