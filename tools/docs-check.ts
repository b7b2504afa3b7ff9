/**
 * `npm run docs`: the documents are tested. Links lead somewhere, every YAML fence that is a Haldane document is
 * accepted by the policy parser, and every `haldane …` and `npm run …` command named exists.
 * It refuses to judge prose. A fence that shows a mistake on purpose starts with `# refused`, and must be refused.
 */
import { checkCommands } from './docs/commands.ts';
import { checkDocuments } from './docs/documents.ts';
import { checkLinks } from './docs/links.ts';
import { readPages } from './docs/pages.ts';
import { ROOT } from './run.ts';

const pages = await readPages(ROOT);
const faults = [...checkLinks(pages), ...(await checkDocuments(pages)), ...(await checkCommands(pages))];
for (const { path, line, message } of faults) process.stdout.write(`${path}:${line} ${message}\n`);
process.stdout.write(`${pages.markdown.size} pages, ${faults.length} faults\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
