/**
 * Which addresses an outbound call may reach. Refused: link-local (where cloud machines hand out their credentials),
 * other known metadata addresses, multicast, broadcast and "this host" - also when written inside an IPv6 address.
 * Loopback and private networks are allowed: on one's own machines that is where hooks live.
 */
import { BlockList, isIP } from 'node:net';

const REFUSED = new BlockList();
REFUSED.addSubnet('0.0.0.0', 8, 'ipv4');
REFUSED.addSubnet('169.254.0.0', 16, 'ipv4');
REFUSED.addSubnet('192.0.0.0', 24, 'ipv4');
REFUSED.addAddress('100.100.100.200', 'ipv4');
REFUSED.addAddress('168.63.129.16', 'ipv4');
REFUSED.addSubnet('224.0.0.0', 3, 'ipv4');
REFUSED.addAddress('::', 'ipv6');
REFUSED.addSubnet('fe80::', 10, 'ipv6');
REFUSED.addSubnet('fec0::', 10, 'ipv6');
REFUSED.addSubnet('ff00::', 8, 'ipv6');
REFUSED.addAddress('fd00:ec2::254', 'ipv6');
REFUSED.addAddress('fd20:ce::254', 'ipv6');

/** Whether this address (not a name) may be called. What is no address may not. */
export function isSafeAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !REFUSED.check(address, 'ipv4');
  if (family !== 6 || address.includes('%')) return false;
  if (REFUSED.check(address, 'ipv6')) return false;
  const inner = embeddedIpv4(address);
  return inner === null || !REFUSED.check(inner, 'ipv4');
}

/** The IPv4 address inside a mapped (::ffff/96), compatible (::/96), NAT64 (64:ff9b::/96) or 6to4 (2002::/16) one. */
function embeddedIpv4(address: string): string | null {
  const groups = groupsOf(address);
  const [first = 0, second = 0, third = 0] = groups;
  if (first === 0x2002) return dotted(second, third);
  const [, , , , , sixth = 0, seventh = 0, eighth = 0] = groups;
  const isLow = groups.slice(0, 5).every((group) => group === 0) && (sixth === 0 || sixth === 0xffff);
  const isNat64 = first === 0x64 && second === 0xff9b;
  if (!isLow && !isNat64) return null;
  return isLow && sixth === 0 && seventh === 0 && eighth === 1 ? null : dotted(seventh, eighth);
}

/** Eight numbers of an address that is known to be valid. */
function groupsOf(address: string): readonly number[] {
  const plain = address.replace(/\d+\.\d+\.\d+\.\d+$/, (ipv4) => {
    const [a = 0, b = 0, c = 0, d = 0] = ipv4.split('.').map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = '', tail] = plain.split('::');
  const numbers = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  if (tail === undefined) return numbers(head);
  const [left, right] = [numbers(head), numbers(tail)];
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
