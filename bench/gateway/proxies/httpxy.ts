// A split on httpxy, as its documentation shows it, with keep-alive to the upstreams.
import { Agent, createServer } from 'node:http';
import { createProxyServer } from 'httpxy';
import { chosen, given } from './split.ts';

const { port, stable, canary } = given();
const proxy = createProxyServer({ agent: new Agent({ keepAlive: true }), xfwd: true });
createServer((request, response) => {
  proxy.web(request, response, { target: chosen(request, stable, canary) }).catch(() => {
    if (!response.headersSent) response.writeHead(502);
    response.end();
  });
}).listen(port, '127.0.0.1');
