export { type Applied, applyText } from './apply.ts';
export type { Counts, ServerDeps } from './deps.ts';
export type { Diagnosis, Finding } from './doctor.ts';
export type { ProblemItem, ProblemJson } from './problems.ts';
export { type RunningServer, ServerError, startServer } from './server.ts';
