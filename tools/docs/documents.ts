/**
 * YAML fences that are Haldane documents go through the parser that users' files go through.
 * A fence that starts with `# refused` shows a mistake, and must be refused.
 */
import { createHash } from 'node:crypto';
import { type Fault, type Fence, fencesOf, type Pages } from './pages.ts';

/** Answers the errors of a document: none when it is accepted. */
export type Judge = (text: string) => readonly string[];

export async function checkDocuments(pages: Pages, judge?: Judge): Promise<Fault[]> {
  const fences = [...pages.markdown].flatMap(([path, text]) => fencesOf(path, text)).filter(isHaldaneDocument);
  if (fences.length === 0) return [];
  const accept = judge ?? (await shippedJudge());
  return fences.flatMap((fence) => {
    const message = fault(fence, accept(fence.text));
    return message === undefined ? [] : [{ path: fence.path, line: fence.line, message }];
  });
}

function fault(fence: Fence, errors: readonly string[]): string | undefined {
  if (/^#\s*refused\b/.test(fence.text)) {
    return errors.length > 0 ? undefined : 'this document is marked as refused, and is accepted';
  }
  return errors.length === 0 ? undefined : `this document is refused: ${errors.join('; ')}`;
}

export function isHaldaneDocument({ language, text }: Fence): boolean {
  return /^ya?ml$/.test(language) && /^apiVersion: haldane\.dev\//m.test(text);
}

async function shippedJudge(): Promise<Judge> {
  const { parsePolicyText } = await import('../../src/core/policy/index.ts');
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  return (text) => {
    const parsed = parsePolicyText(text, { hash });
    if (parsed.kind === 'ok') return [];
    return parsed.errors.map(({ path, problem, fix }) => `${path}: ${problem}; fix: ${fix}`);
  };
}
