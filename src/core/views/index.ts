export { buildView, releaseLine, type ViewInput } from './build-view.ts';
export { EXIT_CODES, type ExitMeaning, exitOf, exitOfOutcome } from './exit-code.ts';
export * from './format.ts';
export { stateGlyph, VERDICT_GLYPH, verdictWord } from './glyphs.ts';
export { outcomeSentence } from './headline.ts';
export { decisionKey, decisionLine, plainLines, totalsSentence } from './plain-text.ts';
export * from './release-view.ts';
export { harmless, type Line, padTo, type Span, toAnsi, toPlain, widthOf, wrap } from './spans.ts';
export { canLines, LEAST_COLUMNS, renderLines, type TextOptions, watchLines } from './watch-text.ts';
