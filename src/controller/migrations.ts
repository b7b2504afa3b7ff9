// Documents of earlier programs, brought forward one schema at a time. Evidence whose form has changed starts anew: its
// release goes on under its policy, and has to prove itself again.

type Document = Record<string, unknown>;

/** `MIGRATIONS[n]` makes a document of schema n one of schema n + 1. */
export const MIGRATIONS: Readonly<Record<number, (document: Document) => Document>> = { 1: toSchema2 };

/** Schema 2: latency at many lines, scatter of replicas, shares; checks with margins of both sides and peers' rules. */
function toSchema2(document: Document): Document {
  const known = (document.known as Document[] | undefined)?.map((entry) => ({ ...entry, evidence: null }));
  return {
    ...document,
    ...(known === undefined ? {} : { known }),
    release: document.release === null ? null : releaseToSchema2(document.release as Document),
  };
}

function releaseToSchema2(release: Document): Document {
  const policy = release.policy as Document;
  const checks = (policy.checks as Document[]).map((check) => ({
    ...check,
    tolerance:
      check.tolerance === null
        ? null
        : { ...(check.tolerance as Document), harmMargin: 0, atDeadline: null, bucketShift: 0 },
    clusterCap: 1,
    rule: null,
  }));
  return {
    ...release,
    policy: { ...policy, checks },
    evidence: {},
    verdicts: [],
    logHarm: 0,
    windowWeight: null,
    sampleRatio: { state: null },
  };
}
