// Cuts readings of a gauge (memory, processor time) into blocks far enough apart to be compared one with another. Refuses
// to call readings independent: a gauge read every 15 s says the same thing many times over.

/** A window is long enough when it spans this many autocorrelation times (Sokal 1997, "Monte Carlo Methods", 3). */
const SOKAL_WINDOW = 5;

/** Fewer autocorrelation times than this in the series, and the estimate is too low to rely on. */
const LEAST_TIMES = 10;

/**
 * The integrated autocorrelation time of evenly spaced readings, in readings: τ = 1 + 2·Σ ρ_k over the lags up to the first
 * M >= 5·τ(M). n readings are worth about n/τ independent ones. At least 1; undefined if the series is shorter than 10·τ,
 * because then nobody can tell.
 *
 * @example autocorrelationTime(residentMemoryBytes)
 */
export function autocorrelationTime(series: readonly number[]): number | undefined {
  const n = series.length;
  const mean = average(series);
  const centred = series.map((value) => value - mean);
  const variance = autocovariance(centred, 0);
  if (n < LEAST_TIMES) return undefined;
  if (!(variance > 0)) return 1;
  let time = 1;
  for (let lag = 1; lag < n; lag++) {
    time += (2 * autocovariance(centred, lag)) / variance;
    if (lag >= SOKAL_WINDOW * time) return n < LEAST_TIMES * time ? undefined : Math.max(1, time);
  }
  return undefined;
}

function autocovariance(centred: readonly number[], lag: number): number {
  let sum = 0;
  for (let i = lag; i < centred.length; i++) sum += (centred[i] ?? 0) * (centred[i - lag] ?? 0);
  return sum / centred.length;
}

/**
 * How many readings make a block: twice the longest autocorrelation time among the replicas. Replicas are compared with
 * each other, so swings that all of them share are taken away first. undefined if the series are too short to tell, or
 * there are fewer than two.
 */
export function blockLength(replicas: readonly (readonly number[])[]): number | undefined {
  const length = checkSeries(replicas);
  if (replicas.length < 2) return undefined;
  const common = Array.from({ length }, (_, t) => average(replicas.map((series) => series[t] ?? 0)));
  let longest = 1;
  for (const series of replicas) {
    const time = autocorrelationTime(series.map((value, t) => value - (common[t] ?? 0)));
    if (time === undefined) return undefined;
    longest = Math.max(longest, time);
  }
  return Math.ceil(2 * longest);
}

/** The means of whole blocks, oldest first; an unfinished block at the end is left out. */
export function blockMeans(series: readonly number[], length: number): readonly number[] {
  if (!Number.isSafeInteger(length) || length < 1) {
    throw new RangeError(`a block needs a whole number of readings >= 1, but got ${length}`);
  }
  checkReadings(series);
  return Array.from({ length: Math.floor(series.length / length) }, (_, block) =>
    average(series.slice(block * length, (block + 1) * length)),
  );
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value / values.length, 0);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : high / 2 + (sorted[middle - 1] ?? Number.NaN) / 2;
}

export function checkReadings(series: readonly number[]): void {
  for (const value of series) {
    if (!Number.isFinite(value)) throw new RangeError(`a reading must be a finite number, but got ${value}`);
  }
}

/** All series must be as long as the first; its length. */
export function checkSeries(replicas: readonly (readonly number[])[]): number {
  const length = replicas[0]?.length ?? 0;
  for (const series of replicas) {
    checkReadings(series);
    if (series.length !== length) {
      throw new RangeError(`every replica needs ${length} readings of the same moments, but one has ${series.length}`);
    }
  }
  return length;
}
