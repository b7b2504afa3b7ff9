/** Commands named in the documents exist: npm scripts, and commands of the haldane program. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, run } from '../run.ts';
import { type Fault, fencesOf, type Pages } from './pages.ts';

const NPM = /\bnpm run (?<name>[\w:-]+)/g;
/** At the start of a line of a shell fence, after a prompt or npx; or as the start of a code span. */
const HALDANE = /(?:^(?:\$ )?|npx |&& |; )haldane (?<name>[a-z][a-z-]*)\b/gm;
const SPAN = /`(?:npx )?haldane (?<name>[a-z][a-z-]*)[^`\n]*`/g;

export async function checkCommands(pages: Pages, known?: ReadonlySet<string>): Promise<Fault[]> {
  const commands = known ?? (await shippedCommands());
  return [...pages.markdown].flatMap(([path, text]) => [
    ...missing(path, text, NPM, (name) =>
      pages.npmScripts.has(name) ? undefined : `npm run ${name} is no script of package.json`,
    ),
    ...(commands === undefined ? [] : haldaneFaults(path, text, commands)),
  ]);
}

function haldaneFaults(path: string, text: string, commands: ReadonlySet<string>): Fault[] {
  const judge = (name: string) => (commands.has(name) ? undefined : `haldane ${name} is not a command`);
  const fences = fencesOf(path, text).filter(({ language }) => /^(?:sh|bash|console|shell)$/.test(language));
  return [
    ...missing(path, text, SPAN, judge),
    ...fences.flatMap((fence) =>
      missing(path, fence.text, HALDANE, judge).map((fault) => ({ ...fault, line: fault.line + fence.line })),
    ),
  ];
}

function missing(path: string, text: string, pattern: RegExp, judge: (name: string) => string | undefined): Fault[] {
  return [...text.matchAll(pattern)].flatMap((match) => {
    const message = judge(match.groups?.name ?? '');
    return message === undefined ? [] : [{ path, line: text.slice(0, match.index).split('\n').length, message }];
  });
}

/** The commands that `haldane help` lists; undefined where there is no program yet. */
async function shippedCommands(): Promise<ReadonlySet<string> | undefined> {
  const program = join(ROOT, 'src/main/haldane.ts');
  if (!existsSync(program)) return undefined;
  const { output } = await run(process.execPath, [program, '--help']);
  return commandsOfHelp(output);
}

export function commandsOfHelp(help: string): ReadonlySet<string> {
  const listed = (help.split(/^Commands:.*$/m)[1] ?? '').split('\n\n')[0] ?? '';
  return new Set([
    'help',
    ...[...listed.matchAll(/^ {2}(?<name>[a-z][a-z-]*)/gm)].map((match) => match.groups?.name ?? ''),
  ]);
}
