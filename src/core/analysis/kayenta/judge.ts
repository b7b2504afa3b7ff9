// A whole judgement in Kayenta's way: every metric classified, then scored (NetflixACAJudge-v1.0). Refuses series for
// metrics it does not know; a metric that no series is given for takes no part.

import { classifyKayentaMetric, type KayentaClassification } from './classify.ts';
import { checkKayentaConfig, type KayentaConfig, type KayentaSeries } from './config.ts';
import { type KayentaScore, scoreKayenta } from './score.ts';

export interface KayentaJudgement extends KayentaScore {
  readonly classifications: readonly KayentaClassification[];
}

/**
 * The score of a canary against a control of equal size.
 *
 * @example
 * judgeKayenta(
 *   { metrics: [{ name: 'errors', groups: ['http'], direction: 'increase' }], thresholds: { pass: 95, marginal: 75 } },
 *   [{ name: 'errors', control: [1, 2, 1, 2], experiment: [8, 9, 9, 8] }],
 * ).score // 0
 */
export function judgeKayenta(config: KayentaConfig, metrics: readonly KayentaSeries[]): KayentaJudgement {
  checkKayentaConfig(config);
  const known = new Map(config.metrics.map((metric) => [metric.name, metric]));
  const classifications = metrics.map((series) => {
    const metric = known.get(series.name);
    if (metric === undefined) {
      throw new RangeError(`no metric "${series.name}" is configured; there are ${[...known.keys()].join(', ')}`);
    }
    return classifyKayentaMetric(metric, series, config);
  });
  return { ...scoreKayenta(classifications, config), classifications };
}
