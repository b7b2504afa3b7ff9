/**
 * The kept table of malformed policies: what is written, where the error must point, and a word it must say.
 * A row is changed when an error gets better, never removed to make a test pass.
 */
import { BASES, type BaseName, changed, parsePath, RECORDED_BASES } from './bases.ts';
import { CHECK_ROWS } from './malformed-checks.ts';
import { FIELD_ROWS } from './malformed-fields.ts';
import { KUBERNETES_ROWS } from './malformed-kubernetes.ts';
import { REST_ROWS } from './malformed-rest.ts';

/** Place, value put there, a word of problem or fix; where the error points if elsewhere; the policy it starts from. */
export type Row = readonly [place: string, value: unknown, word: string, path?: string | undefined, base?: BaseName];

export interface Malformed {
  readonly title: string;
  readonly value: unknown;
  readonly path: string;
  readonly word: string;
  readonly source: 'live' | 'recorded';
}

export const MALFORMED: readonly Malformed[] = [...FIELD_ROWS, ...REST_ROWS, ...CHECK_ROWS, ...KUBERNETES_ROWS].map(
  ([place, value, word, path = place, base = 'processes']): Malformed => ({
    title: `${place} = ${shown(value)}${base === 'processes' ? '' : ` (${base})`}`,
    value: changed(BASES[base], parsePath(place), value),
    path,
    word,
    source: RECORDED_BASES.includes(base) ? 'recorded' : 'live',
  }),
);

function shown(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'symbol')
    return String(value).replace('Symbol(removed)', 'removed');
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
