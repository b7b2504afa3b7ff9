// Who asked, and for what host: X-Forwarded-For, -Proto, -Host and Forwarded (RFC 7239). What a peer says of those
// before it is believed only when the peer is a trusted proxy; otherwise it is dropped and told anew.
import { BlockList, isIPv6 } from 'node:net';
import type { RequestHead } from './request-head.ts';

/** Peers believed when a configuration names none: a TLS terminator on the same machine. */
export const DEFAULT_TRUSTED = ['127.0.0.0/8', '::1/128'];

export function trustedPeers(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    list.addSubnet(address, prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix), family);
  }
  return list;
}

/** A dual-stack socket shows IPv4 peers as ::ffff:a.b.c.d; link-local peers come with a zone that means nothing elsewhere. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  const zone = plain.indexOf('%');
  return zone < 0 ? plain : plain.slice(0, zone);
}

export function isTrusted(list: BlockList, address: string): boolean {
  if (address === 'unknown') return false;
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

function node(address: string): string {
  return isIPv6(address) ? `"[${address}]"` : address;
}

/** The fields for a request that came with none of them, or whose peer is not believed. */
export function freshForwarding(address: string, host: string): string {
  const hostPart = host === '' ? '' : `;host="${host}"`;
  return (
    `x-forwarded-for: ${address}\r\nx-forwarded-proto: http\r\n` +
    `${host === '' ? '' : `x-forwarded-host: ${host}\r\n`}` +
    `forwarded: for=${node(address)}${hostPart};proto=http\r\n`
  );
}

/** The fields of a trusted proxy, continued by one hop. */
export function continuedForwarding(head: RequestHead, address: string): string {
  const before = head.forwardedFor === '' ? '' : `${head.forwardedFor}, `;
  const proto = head.forwardedProto === '' ? 'http' : head.forwardedProto;
  const host = head.forwardedHost === '' ? head.host : head.forwardedHost;
  const hops = head.forwarded === '' ? '' : `${head.forwarded}, `;
  const hostPart = head.host === '' ? '' : `;host="${head.host}"`;
  return (
    `x-forwarded-for: ${before}${address}\r\nx-forwarded-proto: ${proto}\r\n` +
    `${host === '' ? '' : `x-forwarded-host: ${host}\r\n`}` +
    `forwarded: ${hops}for=${node(address)}${hostPart};proto=http\r\n`
  );
}
