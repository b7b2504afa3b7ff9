// What a counter's label says of how requests ended: a status code ("503") or its class ("5xx"). Pure. It refuses what is
// neither: a status nobody can read would count as no error, and a check that cannot fail proves nothing.
import type { ErrorDefinition } from '../core/model/check.ts';

const CODE = /^[0-9]{1,3}$/;
const CLASS = /^[1-5]xx$/;

/** As errors are told by; "5XX" is "5xx". */
export function readStatus(text: string): string {
  return text.toLowerCase();
}

/** Why errors cannot be told by this value; null if they can. */
export function statusTrouble(text: string | undefined, errors: ErrorDefinition): string | null {
  if (text === undefined) return 'is not there, so nothing tells errors';
  const status = readStatus(text);
  if (CODE.test(status)) return null;
  if (!CLASS.test(status)) return `is "${text.slice(0, 40)}", which is no status`;
  if (errors.statusClasses.includes(status)) return null;
  const within = errors.statusCodes.find((code) => `${Math.floor(code / 100)}xx` === status);
  return within === undefined ? null : `holds classes only, and ${within} is told by its code`;
}
