// Which Lease an operator needs: one for all namespaces, one for each that has an operator of its own, so that two
// installations side by side do not wait for each other (row 67).

/** @param namespace the only one it works in; null: all. */
export function leaseNameOf(namespace: string | null): string {
  return namespace === null ? 'haldane' : `haldane-${namespace}`;
}
