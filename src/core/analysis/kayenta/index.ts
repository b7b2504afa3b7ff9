export type { KayentaClassification, KayentaLabel } from './classify.ts';
export type { KayentaConfig, KayentaEffectSize, KayentaMetric, KayentaSeries, KayentaThresholds } from './config.ts';
export { judgeKayenta, type KayentaJudgement } from './judge.ts';
export {
  type KayentaRunSettings,
  type KayentaRunState,
  type KayentaWindow,
  kayentaJudgements,
  kayentaStep,
  nextKayentaWindow,
  startKayentaRun,
} from './run.ts';
export type { KayentaGroupScore, KayentaScore } from './score.ts';
