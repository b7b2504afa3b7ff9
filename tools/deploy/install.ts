import { customResources } from './custom-resources.ts';
export function installation(): readonly object[] { return customResources(); }
