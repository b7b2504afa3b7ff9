export * from './memory-kube-api.ts';
export * from './patches.ts';
