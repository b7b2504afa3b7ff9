export * from './api.ts';
export * from './cache.ts';
export * from './config.ts';
export * from './errors.ts';
export * from './http-api.ts';
export * from './lease.ts';
export * from './resources.ts';
export * from './types.ts';
