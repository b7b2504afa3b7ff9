/**
 * What the package `haldane` offers to programs: few names, kept stable. Everything else is internal.
 * Ports and their conformance suites are under `haldane/ports`.
 */
export { describeDuration, formatDuration, type ParsedDuration, parseDuration } from './core/model/duration.ts';
export {
  API_VERSION,
  type CompiledPolicy,
  type ParsedDocument,
  type ParseResult,
  type PolicyError,
  type PolicyWarning,
  parsePolicyText,
} from './core/policy/index.ts';
export { HaldaneError, type HaldaneErrorOptions, type Retry } from './lib/errors.ts';
