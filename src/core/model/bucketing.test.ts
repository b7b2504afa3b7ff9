import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketOf, bucketSeed, murmur3, userBucket } from './bucketing.ts';

// Published vectors of MurmurHash3_x86_32 (collected from SMHasher and the reference code by I. Boyd and others).
const VECTORS: readonly (readonly [bytes: string, seed: number, hash: number])[] = [
  ['', 0, 0],
  ['', 1, 0x514e28b7],
  ['', 0xffffffff, 0x81f16f39],
  ['\xff\xff\xff\xff', 0, 0x76293b50],
  ['\x21\x43\x65\x87', 0, 0xf55b516b],
  ['\x21\x43\x65\x87', 0x5082edee, 0x2362f9de],
  ['\x21\x43\x65', 0, 0x7e4a8634],
  ['\x21\x43', 0, 0xa0f7b07a],
  ['\x21', 0, 0x72661cf4],
  ['\0\0\0\0', 0, 0x2362f9de],
  ['\0\0\0', 0, 0x85f0b427],
  ['\0\0', 0, 0x30f4c306],
  ['\0', 0, 0x514e28b7],
  ['aaaa', 0x9747b28c, 0x5a97808a],
  ['aaa', 0x9747b28c, 0x283e0130],
  ['aa', 0x9747b28c, 0x5d211726],
  ['a', 0x9747b28c, 0x7fa09ea6],
  ['abcd', 0x9747b28c, 0xf0478627],
  ['abc', 0x9747b28c, 0xc84a62dd],
  ['Hello, world!', 0x9747b28c, 0x24884cba],
  ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
];

test('murmur3 agrees with the published vectors', () => {
  for (const [bytes, seed, hash] of VECTORS) assert.equal(murmur3(bytes, seed), hash, JSON.stringify([bytes, seed]));
});

const users = Array.from({ length: 20_000 }, (_, i) => `user-${i}`);

test('users fall evenly into 100 equal parts (chi-square, 99 degrees of freedom, 99.9 %)', () => {
  const seed = bucketSeed('shop', 'release-1');
  const seen = new Array<number>(100).fill(0);
  for (const user of users) seen[Math.floor(bucketOf(seed, user))]! += 1;
  const chiSquare = seen.reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0);
  assert.ok(chiSquare < 148.2, `chi-square ${chiSquare}`);
});

test('a user of the canary at a weight stays there at every higher weight', () => {
  for (const user of users.slice(0, 1_000)) {
    const place = userBucket('shop', 'release-1', user);
    const chosen = [0, 0.01, 1, 5, 25, 50, 100].map((weight) => place < weight);
    assert.deepEqual(chosen, [...chosen].sort());
    assert.ok(place >= 0 && place < 100);
  }
});

test('another salt tries other users: being among 10 % of one release says nothing of the next', () => {
  const both = users.filter((user) => userBucket('shop', 'a', user) < 10 && userBucket('shop', 'b', user) < 10).length;
  // Binomial(20000, 0.01): mean 200, standard deviation 14.
  assert.ok(both > 200 - 56 && both < 200 + 56, `${both} users are in both`);
});

test('names are kept apart: service "ab" with salt "c" is not service "a" with salt "bc"', () => {
  assert.notEqual(bucketSeed('ab', 'c'), bucketSeed('a', 'bc'));
});
