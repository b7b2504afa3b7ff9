// One question asked of one endpoint: GET a path, 2xx and 3xx mean yes; without a probe, whether the port accepts a
// connection. Redirects are not followed and the body is not read.
import { request } from 'node:http';
import { connect } from 'node:net';

export interface ProbedPlace {
  readonly host: string;
  readonly port: number;
}

export interface ProbeQuestion {
  readonly path: string;
  readonly timeoutMs: number;
}

export interface ProbeAnswer {
  /** null: it could not be asked for a reason of our own machine (no socket, no file left): neither yes nor no. */
  readonly yes: boolean | null;
  /** What was asked and answered, for people. */
  readonly message: string;
}

const CONNECT_TIMEOUT_MS = 1_000;

export function askProbe(endpoint: ProbedPlace, probe: ProbeQuestion | null): Promise<ProbeAnswer> {
  return probe === null ? askPort(endpoint) : askPath(endpoint, probe);
}

function askPath(endpoint: ProbedPlace, probe: ProbeQuestion): Promise<ProbeAnswer> {
  const question = `GET ${probe.path}`;
  return new Promise((resolve) => {
    const asked = request(
      {
        host: endpoint.host,
        port: endpoint.port,
        path: probe.path,
        agent: false,
        headers: { 'user-agent': 'haldane-probe', connection: 'close' },
      },
      (response) => {
        const status = response.statusCode ?? 0;
        end({ yes: status >= 200 && status < 400, message: `${question} answered ${status}` });
      },
    );
    const timer = setTimeout(
      () => end({ yes: false, message: `${question} gave no answer within ${probe.timeoutMs} ms` }),
      probe.timeoutMs,
    );
    const end = (answer: ProbeAnswer) => {
      clearTimeout(timer);
      asked.destroy();
      resolve(answer);
    };
    asked.on('error', (error: NodeJS.ErrnoException) =>
      end({ yes: noOrUnknown(error), message: `${question} failed: ${error.code ?? error.message}` }),
    );
    asked.end();
  });
}

function askPort(endpoint: ProbedPlace): Promise<ProbeAnswer> {
  const question = `port ${endpoint.port}`;
  return new Promise((resolve) => {
    const socket = connect({ host: endpoint.host, port: endpoint.port });
    const end = (answer: ProbeAnswer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => end({ yes: false, message: `${question} does not answer` }));
    socket.on('connect', () => end({ yes: true, message: `${question} accepts connections` }));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      end({
        yes: noOrUnknown(error),
        message: `${question} does not accept connections (${error.code ?? error.message})`,
      }),
    );
  });
}

const OUR_OWN = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL', 'EAGAIN']);

function noOrUnknown(error: NodeJS.ErrnoException): false | null {
  return OUR_OWN.has(error.code ?? '') ? null : false;
}
