// Deterministic randomness for simulations, trials and the demo: the same seed gives the same numbers on every
// machine. Refuses to be a source of secrets, and refuses to seed itself: whoever wants chance names the seed.
//
// Generator: xoshiro128** 1.1 (Blackman & Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47, 2021;
// arXiv 1805.01407), 32-bit integer arithmetic only, period 2^128 - 1. The four words of state come from a hash of the
// seed's text, mixed by the 32-bit MurmurHash3 finaliser, as splitmix does.

import { logGamma, stirlingCorrection } from './gamma.ts';

/** A stream of reproducible random numbers. Drawing changes the stream; `fork` does not. */
export interface Random {
  /** Uniform on [0, 1), 53 bits. */
  uniform(): number;
  /** Uniform on the whole numbers 0 .. n-1, for 1 <= n <= 2^53. */
  integer(n: number): number;
  /** Successes in n independent trials, each with probability p. Exact, at constant cost for large n. */
  binomial(n: number, p: number): number;
  /** Events of a Poisson process with the given mean. Exact, at constant cost for large means. */
  poisson(mean: number): number;
  /** Normal with mean 0 and standard deviation 1. */
  normal(): number;
  /**
   * A separate stream named by `label`. It depends on the seed and the label alone, never on how many numbers were
   * drawn before, so that adding a draw in one part of a simulation leaves every other part as it was.
   */
  fork(label: number | string): Random;
}

/**
 * A stream of random numbers fixed by its seed. The number 7 and the text "7" are the same seed.
 *
 * @example createRandom(1876).fork('arrivals').poisson(100)
 */
export function createRandom(seed: number | string): Random {
  if (typeof seed === 'number' && !Number.isFinite(seed)) {
    throw new RangeError(`a random seed must be a finite number or a text, but got ${seed}`);
  }
  const key = String(seed);
  const next = xoshiro128(hashToState(key));
  const uniform = (): number => ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992;
  return {
    uniform,
    integer: (n) => drawInteger(uniform, n),
    binomial: (n, p) => drawBinomial(uniform, n, p),
    poisson: (mean) => drawPoisson(uniform, mean),
    // Box & Muller 1958. The second of the pair is thrown away: a stream without hidden leftovers is easier to trust.
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    fork: (label) => createRandom(`${key.length}:${key}/${label}`),
  };
}

type State = [number, number, number, number];

/** Four hash lanes with different odd multipliers over the UTF-16 units of the text, then finalised. */
function hashToState(text: string): State {
  let [a, b, c, d] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 0x6a09e667];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = mix(Math.imul(a ^ unit, 0x01000193) + d);
    b = mix(Math.imul(b ^ unit, 0x85ebca6b) + a);
    c = mix(Math.imul(c ^ unit, 0xc2b2ae35) + b);
    d = mix(Math.imul(d ^ unit, 0x27d4eb2f) + c);
  }
  // All-zero is the one state xoshiro never leaves.
  return (a | b | c | d) === 0 ? [1, 2, 3, 4] : [a, b, c, d];
}

/** The MurmurHash3 32-bit finaliser (Appleby, public domain). */
function mix(word: number): number {
  let z = word | 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return z ^ (z >>> 16);
}

function rotateLeft(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

function xoshiro128([s0, s1, s2, s3]: State): () => number {
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
    const shifted = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= shifted;
    s3 = rotateLeft(s3, 11);
    return result;
  };
}

function drawInteger(uniform: () => number, n: number): number {
  if (!Number.isSafeInteger(n) || n < 1) throw new RangeError(`integer(n) needs a whole number n >= 1, but got ${n}`);
  return Math.floor(uniform() * n);
}

function drawBinomial(uniform: () => number, n: number, p: number): number {
  if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`binomial needs a whole number n >= 0, but got ${n}`);
  if (!(p >= 0 && p <= 1)) throw new RangeError(`binomial needs a probability between 0 and 1, but got ${p}`);
  if (p > 0.5) return n - drawBinomial(uniform, n, 1 - p);
  if (n === 0 || p === 0) return 0;
  return n * p < 10 ? binomialByInversion(uniform, n, p) : binomialByRejection(uniform, n, p);
}

/** Walk up the distribution function; about n·p steps. */
function binomialByInversion(uniform: () => number, n: number, p: number): number {
  const odds = p / (1 - p);
  let mass = Math.exp(n * Math.log1p(-p));
  let left = uniform();
  let k = 0;
  while (left >= mass && k < n) {
    left -= mass;
    mass *= (odds * (n - k)) / (k + 1);
    k += 1;
    // Rounding may leave a sliver above the last term that a double can tell from nothing.
    if (mass === 0) return k - 1;
  }
  return k;
}

/** BTRS: transformed rejection with squeeze (Hörmann 1993, J. Stat. Comput. Simul. 46), for n·p >= 10 and p <= 1/2. */
function binomialByRejection(uniform: () => number, n: number, p: number): number {
  const deviation = Math.sqrt(n * p * (1 - p));
  const b = 1.15 + 2.53 * deviation;
  const a = -0.0873 + 0.0248 * b + 0.01 * p;
  const squeeze = 0.92 - 4.2 / b;
  const odds = p / (1 - p);
  const alpha = (2.83 + 5.1 / b) * deviation;
  const mode = Math.floor((n + 1) * p);
  const atMode =
    (mode + 0.5) * Math.log((mode + 1) / (odds * (n - mode + 1))) +
    stirlingCorrection(mode + 1) +
    stirlingCorrection(n - mode + 1);
  for (;;) {
    const u = uniform() - 0.5;
    const v = uniform();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + n * p + 0.5);
    if (us >= 0.07 && v <= squeeze) return k;
    if (!(k >= 0 && k <= n)) continue;
    const bound =
      atMode +
      (n + 1) * Math.log((n - mode + 1) / (n - k + 1)) +
      (k + 0.5) * Math.log((odds * (n - k + 1)) / (k + 1)) -
      stirlingCorrection(k + 1) -
      stirlingCorrection(n - k + 1);
    if (Math.log((v * alpha) / (a / (us * us) + b)) <= bound) return k;
  }
}

function drawPoisson(uniform: () => number, mean: number): number {
  if (!(mean >= 0 && mean <= Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`poisson needs a finite mean >= 0, but got ${mean}`);
  }
  return mean < 10 ? poissonByInversion(uniform, mean) : poissonByRejection(uniform, mean);
}

function poissonByInversion(uniform: () => number, mean: number): number {
  let mass = Math.exp(-mean);
  let left = uniform();
  let k = 0;
  while (left >= mass) {
    left -= mass;
    k += 1;
    mass *= mean / k;
    if (mass === 0) return k - 1;
  }
  return k;
}

/** PTRS: transformed rejection with squeeze (Hörmann 1993, Insurance: Mathematics and Economics 12), mean >= 10. */
function poissonByRejection(uniform: () => number, mean: number): number {
  const b = 0.931 + 2.53 * Math.sqrt(mean);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const squeeze = 0.9277 - 3.6224 / (b - 2);
  const logMean = Math.log(mean);
  for (;;) {
    const u = uniform() - 0.5;
    const v = uniform();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= squeeze) return k;
    if (!(k >= 0) || (us < 0.013 && v > us)) continue;
    if (Math.log((v * inverseAlpha) / (a / (us * us) + b)) <= k * logMean - mean - logGamma(k + 1)) return k;
  }
}
