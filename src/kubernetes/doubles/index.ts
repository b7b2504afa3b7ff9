export * from './fake-api-server.ts';
export * from './memory-kube-api.ts';
export * from './patches.ts';
