// Why the gateway answers a request itself. Every reason has one status and is counted apart from the versions' own
// answers: a malformed request says nothing about a version.

export interface Refusal {
  readonly reason: string;
  readonly status: number;
  readonly message: string;
}

function refusal(reason: string, status: number, message: string): Refusal {
  return { reason, status, message };
}

export const REFUSALS = {
  malformed: refusal('malformed', 400, 'The request is not valid HTTP/1.1.'),
  host: refusal('host', 400, 'The request needs exactly one valid Host field that agrees with its target.'),
  target: refusal('target', 400, 'The request target is not valid here.'),
  framing: refusal('framing', 400, 'The length of the request body is not clear.'),
  hopByHop: refusal('hop-by-hop', 400, 'Connection names a field that is not hop-by-hop.'),
  transferCoding: refusal('transfer-coding', 501, 'The only transfer coding understood is chunked.'),
  method: refusal('method', 501, 'The method is not supported.'),
  version: refusal('version', 505, 'Only HTTP/1.1 and HTTP/1.0 are spoken here.'),
  expectation: refusal('expectation', 417, 'The only expectation understood is 100-continue.'),
  headTooLarge: refusal('head-too-large', 431, 'The request head is too large.'),
  bodyTooLarge: refusal('body-too-large', 413, 'The request body is too large.'),
  headTimeout: refusal('head-timeout', 408, 'The request head did not come in time.'),
  bodyTimeout: refusal('body-timeout', 408, 'The request body did not come in time.'),
  connections: refusal('connections', 503, 'Too many connections.'),
} as const satisfies Record<string, Refusal>;

/** What a client is told when the version gave no answer. */
export const NO_ANSWER = {
  'connect-failed': refusal('connect-failed', 502, 'The service could not be reached.'),
  timeout: refusal('timeout', 504, 'The service did not answer in time.'),
  reset: refusal('reset', 502, 'The service broke off its answer.'),
  'no-endpoint': refusal('no-endpoint', 503, 'The service has no place to send this request.'),
} as const;

const REASON_PHRASES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Content Too Large',
  417: 'Expectation Failed',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
};

/** The whole answer as text. `haldane-gateway` tells it from an answer of the service. */
export function replyText(refused: Refusal, close: boolean, withBody: boolean): string {
  const body = `${refused.message}\n`;
  return (
    `HTTP/1.1 ${refused.status} ${REASON_PHRASES[refused.status] ?? 'Error'}\r\n` +
    `content-type: text/plain; charset=utf-8\r\ncontent-length: ${body.length}\r\n` +
    `haldane-gateway: ${refused.reason}\r\ndate: ${new Date().toUTCString()}\r\n` +
    `${close ? 'connection: close\r\n' : ''}\r\n${withBody ? body : ''}`
  );
}
