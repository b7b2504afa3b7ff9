/**
 * From a check as read to the check the analysis reads: every default of its metric filled in, rates per replica-second,
 * the rule of a peer in the peer's own units. It refuses nothing: what is wrong was said before it is called.
 */
import type { Check, KayentaCheck, KayentaMetric, Limit, Metric, PeerRule, Tolerance } from '../model/check.ts';
import * as defaults from './defaults.ts';
import type { Quantity } from './quantity.ts';
import type { ReadSpec } from './schema.ts';

type ReadCheck = NonNullable<ReadSpec['checks']>[number];

export function compileCheck(check: ReadCheck): Check {
  const kind = defaults.metricKindOf(check);
  if (kind === undefined) throw new Error('a check without a metric was let through by the schema');
  const rule = compileRule(check);
  const isPeers = rule !== null || kind === 'kayenta';
  return {
    name: check.name,
    metric: compileMetric(check.metric),
    selector: { routes: check.routes ?? null, methods: check.methods ?? null },
    role: check.role ?? defaults.DEFAULT_ROLE[kind],
    tolerance: isPeers ? null : compileTolerance(check, kind),
    limit: compileLimit(check, kind),
    direction: check.direction ?? defaults.DEFAULT_DIRECTION[kind],
    weight: check.weight ?? defaults.DEFAULT_EVIDENCE_WEIGHT[kind],
    warmUpMs: check.warmUp ?? (isPeers ? 0 : defaults.DEFAULT_WARM_UP_MS),
    noDataMs: check.noData,
    clusterCap: check.clusterCap ?? 1,
    rule,
  };
}

function compileMetric(metric: ReadCheck['metric']): Metric {
  const { errors, latency, business, gauge, count, mean, conversion, kayenta } = metric;
  if (errors !== undefined) return { kind: 'errors' };
  if (latency !== undefined) return { kind: 'latency', quantile: latency.quantile };
  if (count !== undefined) return { kind: 'count', event: count.event };
  if (mean !== undefined) return { kind: 'mean', cap: mean.cap };
  if (conversion !== undefined) return { kind: 'conversion', horizonMs: conversion.horizon };
  if (kayenta !== undefined) return { kind: 'kayenta', config: compileKayenta(kayenta) };
  if (business !== undefined) {
    const { from, to } = business;
    return {
      kind: 'business',
      from: { routes: from.routes, methods: from.methods ?? null },
      to: { routes: to.routes, methods: to.methods ?? null },
    };
  }
  return { kind: 'gauge', reading: gauge?.reading === 'cpu' ? 'cpuPercent' : 'residentMemoryBytes' };
}

type ReadKayenta = NonNullable<ReadCheck['metric']['kayenta']>;

function compileKayenta(kayenta: ReadKayenta): KayentaCheck {
  const { groupWeights, pass, marginal } = kayenta;
  return {
    metrics: kayenta.metrics.map(compileKayentaMetric),
    groupWeights,
    pass,
    marginal,
    stepMs: kayenta.step,
    intervalMs: kayenta.interval,
    lifetimeMs: kayenta.lifetime,
    lookbackMs: kayenta.lookback,
  };
}

function compileKayentaMetric(read: ReadKayenta['metrics'][number]): KayentaMetric {
  const { metric, routes, methods, ...rest } = read;
  return {
    ...rest,
    metric: metric.latency === undefined ? { kind: 'errors' } : { kind: 'latency', quantile: metric.latency.quantile },
    selector: { routes: routes ?? null, methods: methods ?? null },
  };
}

function compileTolerance(check: ReadCheck, kind: defaults.MetricKind): Tolerance | null {
  const { tolerance, limit } = check;
  const margin = tolerance?.margin?.value ?? defaults.defaultMargin(check);
  if (margin === null || kind === 'kayenta') return null;
  if (tolerance === undefined && limit !== undefined) return null;
  return {
    ratio: tolerance?.ratio ?? defaults.DEFAULT_RATIO,
    margin,
    harmMargin: tolerance?.harmMargin?.value ?? 0,
    atDeadline: tolerance?.atDeadline?.value ?? null,
    bucketShift: tolerance?.buckets ?? 0,
  };
}

function compileLimit({ limit, metric }: ReadCheck, kind: defaults.MetricKind): Limit | null {
  const line = limit?.above ?? limit?.below;
  if (line === undefined) return null;
  const isCpu = kind === 'gauge' && metric.gauge?.reading === 'cpu';
  return { bound: limit?.above === undefined ? 'below' : 'above', value: lineValue(line, isCpu) };
}

function lineValue(line: Quantity, isCpu: boolean): number {
  switch (line.unit) {
    case 'fraction':
      return isCpu ? Number((line.fraction * 100).toPrecision(12)) : line.fraction;
    case 'duration':
      return line.durationMs / 1_000;
    case 'bytes':
      return line.bytes;
  }
}

function compileRule({ flagger, argo }: ReadCheck): PeerRule | null {
  if (flagger !== undefined) {
    const { interval, min, max, failures, emptyIsFailure } = flagger;
    return { kind: 'flagger', intervalMs: interval, min: min ?? null, max: max ?? null, failures, emptyIsFailure };
  }
  if (argo === undefined) return null;
  const { interval, initialDelay, successCondition, failureCondition, count, ...limits } = argo;
  return {
    kind: 'argo',
    intervalMs: interval,
    initialDelayMs: initialDelay,
    successCondition: successCondition ?? null,
    failureCondition: failureCondition ?? null,
    count: count ?? null,
    ...limits,
  };
}
