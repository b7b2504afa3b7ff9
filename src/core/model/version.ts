// A version is what is released: a template and its revision. The revision is the hash of the template and of the label
// as people wrote it (docs/adr/0031): what hashes alike is the same version, and an edited label is a new one.
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

/**
 * A pod template of Kubernetes. The template itself is kept in the Release of this revision, where it is needed once, and
 * not in every record that names the version.
 */
export interface DeploymentTemplate {
  readonly kind: 'deployment';
  /** Container name and image, in order. */
  readonly images: readonly (readonly [container: string, image: string])[];
}

export type Template = ProcessTemplate | UpstreamTemplate | DeploymentTemplate;

export interface Version {
  readonly revision: Revision;
  /** What people call it, e.g. "v2". Not an identity. */
  readonly label: string;
  readonly template: Template;
}
