// Numbers as they are printed in the report.
import type { Mean, Rate } from './summary.ts';

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export function percentText(rate: number): string {
  const percent = 100 * rate;
  return `${percent >= 10 || percent === 0 ? percent.toFixed(0) : percent.toFixed(2)} %`;
}

export function rateText({ rate, lower, upper }: Rate): string {
  return `${percentText(rate)} (${percentText(lower)} to ${percentText(upper)})`;
}

export function secondsText(mean: Mean | null): string {
  return mean === null ? '-' : String(Math.round(mean.mean));
}

export function badText({ mean, within }: Mean): string {
  return `${number(mean)} ± ${number(within)}`;
}

export function number(value: number): string {
  if (Math.abs(value) < 1e-6) return '0';
  return Math.abs(value) >= 100 ? String(Math.round(value)) : value.toPrecision(2);
}
