export * from './codec.ts';
export * from './commands.ts';
export * from './controller.ts';
export * from './declared.ts';
export * from './deps.ts';
export * from './errors.ts';
export type { Owed } from './perform.ts';
export type { PolicyView } from './view.ts';
