// How large state is: raw numbers at 8 bytes each, and what it is as JSON. Refuses to count strings and field names as raw:
// they are the same in every release, and a compact form would leave them out.

export interface Size {
  readonly rawBytes: number;
  readonly jsonBytes: number;
}

export function sizeOf(value: unknown): Size {
  return { rawBytes: 8 * numbersIn(value), jsonBytes: Buffer.byteLength(JSON.stringify(value)) };
}

function numbersIn(value: unknown): number {
  if (typeof value === 'number') return 1;
  if (typeof value !== 'object' || value === null) return 0;
  let sum = 0;
  for (const part of Object.values(value)) sum += numbersIn(part);
  return sum;
}
