export * from './metric-source.ts';
export * from './router.ts';
export * from './store.ts';
export * from './workload.ts';
