export { type Hash, policyHash } from './compile.ts';
export {
  type CompiledPolicy,
  type CompileResult,
  compilePolicy,
  type PolicyError,
  type PolicyMetadata,
  type PolicyWarning,
} from './parse.ts';
export { type ParsedDocument, type ParseOptions, type ParseResult, parsePolicyText } from './parse-text.ts';
export { PRESETS, type Preset, type PresetStage } from './presets.ts';
export { API_VERSION, KIND, type WrittenPolicy } from './schema.ts';
