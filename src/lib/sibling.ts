/**
 * The address of a module beside another one, for starting it as a process of its own:
 * `.ts` when run from the sources, `.js` when run from the built package.
 */
import { fileURLToPath } from 'node:url';

/**
 * The file of the module `name` (without extension) relative to the module that asks.
 *
 * @example siblingModule(import.meta.url, './gateway-process') // …/main/gateway-process.ts, or .js in the package
 */
export function siblingModule(importMetaUrl: string, name: string): string {
  const extension = importMetaUrl.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`${name}.${extension}`, importMetaUrl));
}
