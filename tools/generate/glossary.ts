/** docs/glossary.md from tools/glossary.ts. */
import type { GeneratedFile } from '../generate.ts';
import { GLOSSARY } from '../glossary.ts';

export async function generate(): Promise<readonly GeneratedFile[]> {
  const rows = GLOSSARY.map(({ word, meaning, elsewhere = '', not = [] }) => {
    const notHere = not.length === 0 ? '' : `never ${not.map((banned) => `\`${banned}\``).join(', ')}`;
    return `| **${word}** | ${meaning} | ${[elsewhere, notHere].filter((part) => part !== '').join('; ')} |`;
  });
  const text = `# Glossary

Interfaces, code, screens and documents use the words of the first column only. Generated from \`tools/glossary.ts\`;
a check refuses the words marked "never".

| word | meaning | elsewhere, and never here |
|---|---|---|
${rows.join('\n')}
`;
  return [{ path: 'docs/glossary.md', text }];
}
