// A version is what is released: a template and its revision (the hash of that template). Two templates that hash
// alike are the same version, whatever people call them.
import type { Endpoint } from './gateway.ts';
import type { Revision } from './split.ts';

/** Processes Haldane runs itself: `command` is executed without a shell; PORT and HOST are set per replica. */
export interface ProcessTemplate {
  readonly kind: 'processes';
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly workingDirectory: string | null;
}

/** A version that somebody else runs, known by its addresses. */
export interface UpstreamTemplate {
  readonly kind: 'upstreams';
  readonly endpoints: readonly Endpoint[];
}

export type Template = ProcessTemplate | UpstreamTemplate;

export interface Version {
  readonly revision: Revision;
  /** What people call it, e.g. "v2". Not an identity. */
  readonly label: string;
  readonly template: Template;
}
