// How large a difference is, beside whether there is one: the two measures of Kayenta's EffectSizes.scala. Refuses to say
// whether it matters; allowed and critical sizes are the metric's settings.

import type { KayentaEffectSize } from './config.ts';

/** Mean of the canary's values over mean of the control's; NaN if either is 0. */
export function meanRatio(control: readonly number[], experiment: readonly number[]): number {
  const [of, over] = [mean(experiment), mean(control)];
  return of === 0 || over === 0 ? Number.NaN : of / over;
}

/**
 * The chance that a value of the canary is above one of the control, ties half (Vargha & Delaney 2000, J. Educ. Behav.
 * Stat. 25), counted pair by pair.
 */
export function commonLanguageEffect(control: readonly number[], experiment: readonly number[]): number {
  let above = 0;
  for (const a of experiment) for (const b of control) above += a > b ? 1 : a === b ? 0.5 : 0;
  return above / (control.length * experiment.length);
}

export function effectSizeOf(
  measure: KayentaEffectSize['measure'],
  control: readonly number[],
  experiment: readonly number[],
): number {
  return measure === 'cles' ? commonLanguageEffect(control, experiment) : meanRatio(control, experiment);
}

/** Two passes, as Kayenta's library does it: the mean, and then what rounding left of it. */
function mean(values: readonly number[]): number {
  const first = values.reduce((sum, value) => sum + value, 0) / values.length;
  return first + values.reduce((sum, value) => sum + (value - first), 0) / values.length;
}
