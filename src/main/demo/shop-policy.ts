// The demo's policy: the file examples/shop/haldane.yaml as a person can read it, with this run's port and version put
// in. Comments stay, so that the copy in the demo's folder reads as well as the original.
import { readFileSync } from 'node:fs';
import { type Document, parseDocument } from 'yaml';

/** One version of the shop: what it is called and what its environment makes of it. */
export interface ShopVersion {
  readonly label: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface PolicySettings {
  readonly name: string;
  readonly shop: string;
  readonly port: number;
  readonly version: ShopVersion;
  /** Other values, by path below `spec`. */
  readonly overrides?: readonly (readonly [path: readonly (string | number)[], value: unknown])[];
}

export function shopPolicy(file: string, settings: PolicySettings): string {
  const document: Document = parseDocument(readFileSync(file, 'utf8'));
  document.commentBefore = null;
  document.setIn(['metadata', 'name'], settings.name);
  document.setIn(['spec', 'router', 'gateway', 'listen'], settings.port);
  const template = ['spec', 'workload', 'processes', 'template'];
  document.setIn([...template, 'version'], settings.version.label);
  document.setIn([...template, 'command'], [process.execPath, settings.shop]);
  document.setIn([...template, 'env'], settings.version.env);
  for (const [path, value] of settings.overrides ?? []) document.setIn(['spec', ...path], value);
  return document.toString({ lineWidth: 0 });
}
