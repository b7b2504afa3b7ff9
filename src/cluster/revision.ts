// Which version a pod template is: the hash of the template as the API server stores it (defaults filled in), without the
// labels and annotations that others add to it on its way. Two templates that differ only in when they were restarted
// are one version.
import { canonicalJson } from '../lib/canonical.ts';
import { sha256Hex } from '../lib/sha256.ts';
import { RESTARTED_AT, TEMPLATE_HASH } from './names.ts';

/** spec.template of a Deployment or ReplicaSet. */
export interface PodTemplate {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly spec: {
    readonly containers: readonly {
      readonly name: string;
      readonly image?: string;
      readonly [field: string]: unknown;
    }[];
    readonly [field: string]: unknown;
  };
}

const REVISION_CHARACTERS = 12;

/** 12 hex digits. */
export function templateRevision(template: PodTemplate): string {
  return sha256Hex(canonicalJson(plainTemplate(template))).slice(0, REVISION_CHARACTERS);
}

/** Without what the API server or a restart adds. */
export function plainTemplate(template: PodTemplate): PodTemplate {
  const { labels = {}, annotations = {} } = template.metadata ?? {};
  const metadata = {
    ...(withoutKey(labels, TEMPLATE_HASH) ?? {}),
    ...(withoutKey(annotations, RESTARTED_AT, 'annotations') ?? {}),
  };
  return { metadata, spec: template.spec };
}

function withoutKey(map: Readonly<Record<string, string>>, key: string, field = 'labels') {
  const kept = Object.fromEntries(Object.entries(map).filter(([name]) => name !== key));
  return Object.keys(kept).length === 0 ? undefined : { [field]: kept };
}

/** What people call it: the tag of the image of the container meant (else of the first), or the revision. */
export function templateLabel(template: PodTemplate, container: string | null): string {
  const { containers } = template.spec;
  const image = (containers.find(({ name }) => name === container) ?? containers[0])?.image ?? '';
  const [name = '', hash = ''] = image.split('@');
  const tag = /:([^/:]+)$/.exec(name)?.[1];
  const digest = /^sha256:([0-9a-f]{12})/.exec(hash)?.[1];
  return tag ?? digest ?? templateRevision(template);
}

export function templateImages(template: PodTemplate): readonly (readonly [string, string])[] {
  return template.spec.containers.map(({ name, image }) => [name, image ?? ''] as const);
}
