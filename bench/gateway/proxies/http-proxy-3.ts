// A split on http-proxy-3, as its documentation shows it, with keep-alive to the upstreams.
import { Agent, createServer } from 'node:http';
import { createProxyServer } from 'http-proxy-3';
import { chosen, given } from './split.ts';

const { port, stable, canary } = given();
const proxy = createProxyServer({ agent: new Agent({ keepAlive: true }), xfwd: true });
proxy.on('error', (_error, _request, response) => {
  if ('writeHead' in response) response.writeHead(502);
  response.end();
});
createServer((request, response) => {
  proxy.web(request, response, { target: chosen(request, stable, canary) });
}).listen(port, '127.0.0.1');
