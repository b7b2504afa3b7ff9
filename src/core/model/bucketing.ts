// Which user gets which version: a pure, steady place in [0, 100) for every user of a service and a release.
// MurmurHash3 (x86, 32 bit; Austin Appleby, public domain; same vectors as SMHasher). Not a cryptographic hash: a user
// who can choose the key can choose the version. Refuses nothing: any text is a key.

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

function mixBlock(hash: number, block: number): number {
  let k = Math.imul(block, C1);
  k = (k << 15) | (k >>> 17);
  let h = hash ^ Math.imul(k, C2);
  h = (h << 13) | (h >>> 19);
  return (Math.imul(h, 5) + 0xe6546b64) | 0;
}

/** MurmurHash3_x86_32 of a byte string: every char counts as the byte of its low eight bits. Returns 0..2^32-1. */
export function murmur3(bytes: string, seed: number): number {
  const length = bytes.length;
  const whole = length & ~3;
  let h = seed | 0;
  for (let i = 0; i < whole; i += 4) {
    const block =
      (bytes.charCodeAt(i) & 0xff) |
      ((bytes.charCodeAt(i + 1) & 0xff) << 8) |
      ((bytes.charCodeAt(i + 2) & 0xff) << 16) |
      ((bytes.charCodeAt(i + 3) & 0xff) << 24);
    h = mixBlock(h, block);
  }
  let tail = 0;
  for (let i = length - 1; i >= whole; i--) tail = (tail << 8) | (bytes.charCodeAt(i) & 0xff);
  if (whole < length) {
    tail = Math.imul(tail, C1);
    tail = (tail << 15) | (tail >>> 17);
    h ^= Math.imul(tail, C2);
  }
  return finish(h ^ length);
}

function finish(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Hashed once per split; a NUL keeps ("ab", "c") apart from ("a", "bc"). */
export function bucketSeed(service: string, salt: string): number {
  return murmur3(`${service}\0${salt}`, 0);
}

/** The user's place in [0, 100), in steps of 100 / 2^32. */
export function bucketOf(seed: number, userKey: string): number {
  return (murmur3(userKey, seed) / 4294967296) * 100;
}

/** As `bucketOf`, from the names; for everyone who asks once. */
export function userBucket(service: string, salt: string, userKey: string): number {
  return bucketOf(bucketSeed(service, salt), userKey);
}
