export { applyText } from './apply.ts';
export type { Counts, ServerDeps } from './deps.ts';
export { detectionOf } from './detection.ts';
export { ApiProblem, problemOf } from './problems.ts';
export { type RunningServer, ServerError, startServer } from './server.ts';
export { splitOf, ViewSource } from './view-source.ts';
