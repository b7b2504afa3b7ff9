/**
 * Addresses as people write them: `8080`, `127.0.0.1:8080`, `[::1]:8080`, `http://shop-1:9001`, webhook URLs.
 * It refuses what would be dropped in silence (paths, passwords, https to an upstream) and never resolves a name.
 */
import type { Endpoint } from '../model/gateway.ts';
import { quoted } from './describe-value.ts';
import { accept, type Parsed, refuse } from './fields.ts';

const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;
const ADDRESS = /^(?:\[([0-9A-Fa-f:.]+)\]|([^[\]:/?#@\s]+))(?::(\d{1,6}))?$/;

/** Where the gateway listens. A bare port means loopback: nothing is opened to the network unless it is written. */
export function parseListen(value: unknown): Parsed<Endpoint> {
  const examples = 'write a port (8080), or an address with a port: 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080';
  if (typeof value === 'number') return parsePort(value, '127.0.0.1');
  if (typeof value !== 'string') return refuse('is not an address', examples);
  if (/^\d+$/.test(value)) return parsePort(Number(value), '127.0.0.1');
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(value)?.[0];
  if (scheme !== undefined) {
    return refuse(`${quoted(value)} is not an address but a URL`, `write ${quoted(value.slice(scheme.length))}`);
  }
  if (/^:\d+$/.test(value)) {
    return refuse(
      `${quoted(value)} does not say which interface`,
      `write ${value.slice(1)} for this machine only, or 0.0.0.0${value} for every interface`,
    );
  }
  const address = parseAddress(value, examples);
  if (!address.ok) return address;
  if (address.value.port === null) return refuse(`${quoted(value)} has no port`, `write ${value}:8080`);
  return accept({ host: address.value.host, port: address.value.port });
}

/** One endpoint of a version that someone else runs: `host:port` or `http://host[:port]`. */
export function parseUpstream(value: unknown): Parsed<Endpoint> {
  const examples = 'write host:port or http://host:port, for example 127.0.0.1:9001';
  if (typeof value !== 'string') return refuse('is not an endpoint', examples);
  const match = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?([^/?#]*)(.*)$/.exec(value);
  const [, scheme = '', authority = '', rest = ''] = match ?? [];
  if (scheme.toLowerCase() === 'https') {
    return refuse('TLS to an upstream is not available here yet', `write http://${authority}, or put a proxy between`);
  }
  if (scheme !== '' && scheme.toLowerCase() !== 'http') return refuse(`${scheme}:// is not known here`, examples);
  if (rest !== '' && rest !== '/') {
    return refuse(
      `the endpoint has a path (${quoted(rest)})`,
      `write ${authority}: requests keep the path they came with`,
    );
  }
  if (authority.includes('@')) return refuse('the endpoint holds a user name or password', 'leave them out');
  const address = parseAddress(authority, examples);
  if (!address.ok) return address;
  const { host, port } = address.value;
  if (port !== null) return accept({ host, port });
  return scheme === '' ? refuse(`${quoted(value)} has no port`, `write ${value}:80`) : accept({ host, port: 80 });
}

/** An http or https URL that may be called. Names are resolved, and private ranges judged, by who calls it. */
export function parseUrl(value: unknown): Parsed<string> {
  const examples = 'write a URL such as https://hooks.example.com/haldane';
  if (typeof value !== 'string') return refuse('is not a URL', examples);
  if (value.length > 2_000) return refuse('the URL is longer than 2000 characters', examples);
  const match = /^(https?):\/\/([^/?#]+)((?:[/?][\x21-\x7e]*)?)$/.exec(value);
  if (match === null) {
    const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(value)?.[1];
    if (scheme !== undefined && !/^https?$/.test(scheme)) {
      return refuse(`${quoted(value)} is not an http or https URL`, examples);
    }
    return refuse(`${quoted(value)} is not a URL`, examples);
  }
  const [, , authority = '', rest = ''] = match;
  if (authority.includes('@')) {
    return refuse('the URL holds a user name or password', 'leave them out: policies live in git');
  }
  if (rest.includes('#')) return refuse('the URL has a fragment (#...), which is never sent', 'leave it out');
  const address = parseAddress(authority, examples);
  return address.ok ? accept(value) : address;
}

function parseAddress(text: string, examples: string): Parsed<{ host: string; port: number | null }> {
  const match = ADDRESS.exec(text);
  const colons = text.split(':').length - 1;
  if (match === null) {
    if (colons > 1 && /^[0-9A-Fa-f:.]+$/.test(text)) {
      return refuse(`${quoted(text)} is an IPv6 address without brackets`, 'write it in brackets: [::1]:8080');
    }
    return refuse(`${quoted(text)} is not an address`, examples);
  }
  const host = match[1] ?? match[2] ?? '';
  if (match[1] !== undefined ? !isIpv6(host) : !(isIpv4(host) || (HOST_NAME.test(host) && !/^[\d.]+$/.test(host)))) {
    return refuse(`${quoted(host)} is not a host name or IP address`, examples);
  }
  if (match[3] === undefined) return accept({ host, port: null });
  return parsePort(Number(match[3]), host);
}

function parsePort(port: number, host: string): Parsed<{ host: string; port: number }> {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return accept({ host, port });
  return refuse(`${port} is not a port`, 'write a port from 1 to 65535, for example 8080');
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/** RFC 4291 section 2.2, with an IPv4 tail; no zone index. */
function isIpv6(text: string): boolean {
  const tail = text.slice(text.lastIndexOf(':') + 1);
  const plain = tail.includes('.') && isIpv4(tail) ? `${text.slice(0, -tail.length)}0:0` : text;
  const halves = plain.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  if (!groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return false;
  return halves.length === 2 ? groups.length <= 7 : groups.length === 8;
}
