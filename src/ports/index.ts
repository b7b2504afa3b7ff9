export * from './clock.ts';
export * from './gate.ts';
export * from './journal-chain.ts';
export * from './metric-source.ts';
export * from './notifier.ts';
export * from './router.ts';
export * from './store.ts';
export * from './workload.ts';
