export { type Hash, policyHash } from './compile.ts';
export { compileObject, type ObjectOptions, type ObjectResult, type PolicyObject } from './compile-object.ts';
export { formatPath } from './describe-value.ts';
export { diffPolicies, type PolicyDifference } from './diff.ts';
export { type ExplainResult, type Explanation, explainField, showPath } from './explain.ts';
export { policyJsonSchema } from './json-schema.ts';
export { type LintContext, type LintFinding, type LintSeverity, lintPolicy } from './lint.ts';
export { type FieldOutline, outlinePolicy } from './outline.ts';
export {
  type CompiledPolicy,
  type CompileOptions,
  type CompileResult,
  compilePolicy,
  type PolicyError,
  type PolicyMetadata,
  type PolicyWarning,
} from './parse.ts';
export { type ParsedDocument, type ParseOptions, type ParseResult, parsePolicyText } from './parse-text.ts';
export { PRESETS, type Preset, type PresetStage } from './presets.ts';
export type { MeasurementSource } from './rule-report.ts';
export { API_VERSION, KIND, type WrittenPolicy } from './schema.ts';
