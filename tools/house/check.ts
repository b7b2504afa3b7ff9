/** Runs every rule of the house over the tree and prints what to do. It refuses exceptions nobody needs. */
import { ROOT } from '../run.ts';
import { adapterFindings } from './adapters.ts';
import { effectFindings } from './effects.ts';
import { EXCEPTIONS, type Exception } from './exceptions.ts';
import { cycleFindings, roomFindings } from './rooms.ts';
import { type Finding, readTree, type Tree } from './source.ts';
import { glossaryFindings, invariantFindings, logFindings, skipFindings, strangerFindings } from './words.ts';

const RULES: readonly ((tree: Tree) => Finding[])[] = [
  roomFindings,
  cycleFindings,
  adapterFindings,
  effectFindings,
  glossaryFindings,
  logFindings,
  skipFindings,
  invariantFindings,
  strangerFindings,
];

/** Findings that no exception covers, and exceptions that cover none. */
export function withExceptions(findings: readonly Finding[], exceptions: readonly Exception[]): Finding[] {
  const covers = (exception: Exception, finding: Finding) =>
    exception.rule === finding.rule &&
    exception.path === finding.path &&
    (exception.about === undefined || finding.message.includes(exception.about));
  const open = findings.filter((finding) => !exceptions.some((exception) => covers(exception, finding)));
  const unused = exceptions.filter((exception) => !findings.some((finding) => covers(exception, finding)));
  return [
    ...open,
    ...unused.map(({ rule, path }) => ({
      rule,
      path,
      message: 'the exception for this file is not needed; take it out of tools/house/exceptions.ts',
    })),
  ];
}

/** The exit code: 0 when the house is in order. */
export function checkHouse(): number {
  const tree = readTree(ROOT);
  const findings = withExceptions(
    RULES.flatMap((rule) => rule(tree)),
    EXCEPTIONS,
  );
  for (const { rule, path, line, message } of findings) {
    process.stdout.write(`${path}${line === undefined ? '' : `:${line}`} [${rule}] ${message}\n`);
  }
  process.stdout.write(`${tree.sources.length} sources, ${tree.texts.size} files, ${findings.length} findings\n`);
  return findings.length === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = checkHouse();
