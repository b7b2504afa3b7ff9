/**
 * YAML fences that are Haldane documents go through the parser that users' files go through.
 * A fence that starts with `# refused` shows a mistake, and must be refused.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../run.ts';
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
  const face = join(ROOT, 'src/core/policy/index.ts');
  if (!existsSync(face)) return () => ['there is no policy parser to ask'];
  const policy: Record<string, unknown> = await import(pathToFileURL(face).href);
  const parse = policy.parsePolicyText;
  if (typeof parse !== 'function') return () => ['src/core/policy exports no parsePolicyText to ask'];
  return (text) => errorsOf(parse(text));
}

/** The parser answers { ok: false, errors: [{ path, message }] }; whatever it is, it is printed. */
function errorsOf(answer: unknown): string[] {
  const { ok, errors } = answer as { ok?: boolean; errors?: readonly unknown[] };
  if (ok === true) return [];
  return (errors ?? ['refused']).map((error) => (typeof error === 'string' ? error : JSON.stringify(error)));
}
